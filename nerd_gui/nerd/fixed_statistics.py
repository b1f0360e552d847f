"""Networks whose GroupNorms use fixed statistics, so that parts of a picture can be solved on their own.

GroupNorm computes mean and variance over the whole picture, so f of a part differs from f of the picture. With the
picture's statistics held fixed, f is local: a pixel of f(z) depends only on the attention window and the convolutions
around it. Then a part of the picture, solved with a margin around it, has the same equilibrium as the whole picture.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nerd_gui.nerd.layers import GroupStatistics, TransformationBlock
from nerd_gui.nerd.model import NERD

#: The statistics over the whole picture of each GroupNorm of f, by its name in the network.
Statistics = Mapping[str, GroupStatistics]


@dataclass(frozen=True)
class Counted:
    """The rectangle of a part of a picture that statistics are taken from, and its weight relative to other parts."""

    row: int
    col: int
    rows: int
    cols: int
    weight: float = 1.0

    def cut(self, part: Tensor) -> Tensor:
        """Cut the rectangle out of a part (pictures, d, rows, cols)."""
        inside = part[..., self.row : self.row + self.rows, self.col : self.col + self.cols]
        return inside.clone(memory_format=torch.channels_last)


class PooledNorm(nn.Module):
    """A GroupNorm that pools its statistics over several parts of a picture, and remembers the last ones.

    Parameters
    ----------
    norm : nn.GroupNorm
    pictures : int
        Number of pictures. A batch holds the first part of each picture, then the second part of each, ...
    counted : sequence of Counted, optional
        The rectangle of each part that enters the statistics; None: the whole part. The whole part is normalised.
    """

    def __init__(self, norm: nn.GroupNorm, pictures: int, counted: Sequence[Counted] | None) -> None:
        super().__init__()
        self.norm, self.pictures, self.counted = norm, pictures, counted
        self.statistics: GroupStatistics | None = None

    def forward(self, u: Tensor) -> Tensor:
        """Normalise u (parts * pictures, d, rows, cols)."""
        self.statistics = self._pooled(u, self.norm.num_groups)
        return self._normalised(u.float(), self.statistics, self.norm)

    def of_group(self, u: Tensor, features: slice) -> tuple[Tensor, GroupStatistics]:
        """Normalise the features of one group alone; return them, in the type of u, and their statistics."""
        statistics = self._pooled(u, 1)
        norm = nn.GroupNorm(1, u.shape[1], self.norm.eps, device=u.device).requires_grad_(False)
        norm.weight.data, norm.bias.data = self.norm.weight[features], self.norm.bias[features]
        return self._normalised(u, statistics, norm), statistics

    def _pooled(self, u: Tensor, groups: int) -> GroupStatistics:
        parts = u.unflatten(0, (-1, self.pictures))
        counted = self.counted or [Counted(0, 0, *u.shape[2:])] * len(parts)
        each = [GroupStatistics.of(one.cut(part), groups) for one, part in zip(counted, parts, strict=True)]
        weight = u.new_tensor([one.weight for one in counted], dtype=torch.float32)[:, None, None]
        weight = weight / weight.sum()
        means = torch.stack([one.mean for one in each])
        mean = (weight * means).sum(0)
        variances = torch.stack([one.variance for one in each]) + (means - mean).square()
        return GroupStatistics(mean, (weight * variances).sum(0))

    def _normalised(self, u: Tensor, statistics: GroupStatistics, norm: nn.GroupNorm) -> Tensor:
        """Normalise all parts of the pictures with their statistics, in one pass over u if there is one picture."""
        if self.pictures == 1:
            return _Fixed(norm, statistics)(u)  # type: ignore[no-any-return]
        parts = len(u) // self.pictures
        repeated = GroupStatistics(statistics.mean.repeat(parts, 1), statistics.variance.repeat(parts, 1))
        return repeated.normalise(u.float(), norm).to(u.dtype)


def with_pooled_statistics(net: NERD, pictures: int = 1, counted: Sequence[Counted] | None = None) -> NERD:
    """Copy a network so that f pools its statistics over a batch of parts; see `PooledNorm` for the parameters."""
    made = _copied(net, lambda norm, _: PooledNorm(norm, pictures, counted))
    if made.transformation is not None:
        made.transformation = _PooledTransformation(made.transformation)  # type: ignore[assignment]
    return made


def pooled_statistics(net: NERD) -> list[dict[str, GroupStatistics]]:
    """Return the statistics of the last evaluation of a network `with_pooled_statistics`, for each picture."""
    found = {
        name.replace("transformation.block.", "transformation."): module.statistics
        for name, module in net.named_modules()
        if isinstance(module, PooledNorm)
    }
    known = {name: statistics for name, statistics in found.items() if statistics is not None}
    pictures = len(next(iter(known.values())).mean)
    return [
        {name: GroupStatistics(kept.mean[i : i + 1], kept.variance[i : i + 1]) for name, kept in known.items()}
        for i in range(pictures)
    ]


def norms_of(net: NERD) -> dict[str, nn.GroupNorm]:
    """The GroupNorms of f by name; the names are the keys of `Statistics`."""
    return {name: module for name, module in net.named_modules() if isinstance(module, nn.GroupNorm)}


@contextmanager
def statistics_seen(net: NERD) -> Iterator[dict[str, GroupStatistics]]:
    """Within this context, record the statistics of f's GroupNorms whenever f is evaluated with gradients."""
    seen: dict[str, GroupStatistics] = {}

    def keep(name: str, norm: nn.GroupNorm, u: Tensor) -> None:
        seen[name] = GroupStatistics.of(u.detach(), norm.num_groups)

    hooks = [
        norm.register_forward_pre_hook(lambda norm, inputs, name=name: keep(name, norm, inputs[0]))
        for name, norm in norms_of(net).items()
    ]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def with_fixed_statistics(net: NERD, statistics: Statistics) -> NERD:
    """Copy a network so that f always uses these statistics (of one picture), which makes f local."""

    def fixed(norm: nn.GroupNorm, name: str) -> nn.Module:
        return _Fixed(norm, statistics[name])

    made = _copied(net, fixed)
    if net.transformation is not None and made.transformation is not None:
        made.transformation = _LocalTransformation(made.transformation)  # type: ignore[assignment]
    return made


def _copied(net: NERD, replaced: Callable[[nn.GroupNorm, str], nn.Module]) -> NERD:
    """Copy a network in evaluation mode, fold its weight norm, and replace the GroupNorms of f."""
    made = copy.deepcopy(net).fold().eval().requires_grad_(False)
    for path, module in list(made.named_modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.GroupNorm):
                setattr(module, name, replaced(child, f"{path}.{name}".lstrip(".")))
    return made


class _Fixed(nn.Module):
    """A GroupNorm with fixed statistics: it multiplies each feature by a factor and adds a constant."""

    def __init__(self, norm: nn.GroupNorm, statistics: GroupStatistics) -> None:
        super().__init__()
        repeat = norm.num_channels // norm.num_groups
        mean, variance = (x[0].repeat_interleave(repeat) for x in (statistics.mean, statistics.variance))
        factor = norm.weight * torch.rsqrt(variance + norm.eps)
        self.register_buffer("mean", mean)
        self.register_buffer("variance", variance)
        self.register_buffer("factor", factor)
        self.register_buffer("summand", norm.bias - mean * factor)
        self.norm = norm

    mean: Tensor
    variance: Tensor
    factor: Tensor
    summand: Tensor

    def forward(self, u: Tensor) -> Tensor:
        return F.batch_norm(u, self.mean, self.variance, self.norm.weight, self.norm.bias, False, 0.0, self.norm.eps)


def _added(total: Tensor | None, share: Tensor, room: Tensor | None) -> Tensor:
    """Add a share to the total in place. The first share becomes the total, copied to `room` if there is one."""
    if total is not None:
        return total.add_(share)
    return share if room is None else room.copy_(share)


class _PooledTransformation(nn.Module):
    """Trans(u) with pooled statistics, computed one group of hidden features at a time to save memory.

    `overwrite` saves memory by reusing u, which works without gradients only.
    """

    def __init__(self, block: TransformationBlock) -> None:
        super().__init__()
        self.block = block

    def forward(
        self,
        u: Tensor,
        dropout_mask: Tensor | None = None,
        interrupt: Callable[[], None] | None = None,
        *,
        overwrite: bool = False,
    ) -> Tensor:
        block = self.block
        norm_mid = block.norm_mid
        assert isinstance(norm_mid, PooledNorm)
        normed = block.norm_in(u)
        if torch.is_autocast_enabled(u.device.type):
            normed = normed.to(torch.get_autocast_dtype(u.device.type))
        out: Tensor | None = None
        groups: list[GroupStatistics] = []
        size = norm_mid.norm.num_channels // norm_mid.norm.num_groups
        for begin in range(0, norm_mid.norm.num_channels, size):
            part = slice(begin, begin + size)
            hidden, statistics = norm_mid.of_group(F.conv2d(normed, block.conv_in.weight[part], padding=1), part)
            groups.append(statistics)
            if interrupt is not None:
                interrupt()
            share = F.conv2d(hidden.relu_(), block.conv_out.weight[:, part], padding=1)
            out = _added(out, share, u if overwrite else None)
            del hidden, share
        norm_mid.statistics = GroupStatistics(
            torch.cat([one.mean for one in groups], dim=1), torch.cat([one.variance for one in groups], dim=1)
        )
        assert out is not None
        result: Tensor = block.norm_post(out)
        return result


class _LocalTransformation(nn.Module):
    """Trans(u) with fixed statistics; norms that follow a convolution are folded into its weights."""

    def __init__(self, block: TransformationBlock) -> None:
        super().__init__()
        norm_in, norm_mid, norm_post = block.norm_in, block.norm_mid, block.norm_post
        assert isinstance(norm_in, _Fixed) and isinstance(norm_mid, _Fixed)
        self.norm_in = norm_in
        self.parts = norm_mid.norm.num_groups
        conv_in, conv_out = block.conv_in.weight, block.conv_out.weight
        self.register_buffer("weight_in", conv_in * norm_mid.factor[:, None, None, None])
        self.register_buffer("bias_in", norm_mid.summand)
        if isinstance(norm_post, _Fixed):
            conv_out, bias_out = conv_out * norm_post.factor[:, None, None, None], norm_post.summand
        else:
            bias_out = torch.zeros_like(conv_out[:, 0, 0, 0])
        self.register_buffer("weight_out", conv_out)
        self.register_buffer("bias_out", bias_out)

    weight_in: Tensor
    bias_in: Tensor
    weight_out: Tensor
    bias_out: Tensor

    def forward(
        self,
        u: Tensor,
        dropout_mask: Tensor | None = None,
        interrupt: Callable[[], None] | None = None,
        *,
        overwrite: bool = False,
    ) -> Tensor:
        """Compute Trans(u) one group of hidden features at a time, as `TransformationBlock` does.

        `overwrite` saves memory by reusing u, which works without gradients only.
        """
        normed = self.norm_in(u)
        if torch.is_autocast_enabled(u.device.type):
            normed = normed.to(torch.get_autocast_dtype(u.device.type))
        out: Tensor | None = None
        size = len(self.weight_in) // self.parts
        for begin in range(0, len(self.weight_in), size):
            part = slice(begin, begin + size)
            hidden = F.conv2d(normed, self.weight_in[part], self.bias_in[part], padding=1).relu_()
            if interrupt is not None:
                interrupt()
            share = F.conv2d(hidden, self.weight_out[:, part], None if begin else self.bias_out, padding=1)
            out = _added(out, share, u if overwrite else None)
            del hidden, share
        assert out is not None
        return out
