"""The blocks of the paper's Fig. 2: input injection, non-local block, transformation block, feature decoding.

Shapes: feature maps are (B, d, rows, cols), in the channels-last memory format inside the implicit layer.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from nerd_gui.compiled.decoding_kernel import decoder_for
from nerd_gui.nerd.attention import AttentionPath, Precision, attention_row, neighbourhood_attention

#: Noise levels (0-255 scale) are divided by this before they enter a network with level input.
_LEVEL_UNIT = 10.0


class Injection(nn.Module):
    """f_inject (Eq. 2): (B, C, rows, cols) -> (B, d, rows, cols). BN precedes each convolution.

    With `level_input`, the noise level enters the first convolution as an additional channel. It is added after BN,
    which would remove a constant level. Its kernel is 1x1: the levels of neighbouring pixels carry no further
    information, and a larger kernel would see zeros beyond the border. The kernel is initialised to 0, so that a
    network to which this input is added computes the same as before.
    """

    def __init__(self, channels: int, features: int, *, level_input: bool = False) -> None:
        super().__init__()
        self.norm_in = nn.BatchNorm2d(channels)
        self.conv_in = nn.Conv2d(channels, features, 3, padding=1)
        self.level_in = nn.Parameter(torch.zeros(features, 1, 1)) if level_input else None
        self.norm_out = nn.BatchNorm2d(features)
        self.conv_out = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, y: Tensor, level: Tensor | None = None) -> Tensor:
        """Compute s from the picture y and, with level input, its noise level (0-255), (B, 1, 1 or rows, 1 or cols)."""
        hidden = self.conv_in(self.norm_in(y))
        if self.level_in is not None and level is not None:
            hidden = torch.addcmul(hidden, self.level_in, level / _LEVEL_UNIT)
        result: Tensor = self.conv_out(self.norm_out(F.relu(hidden)))
        return result


class Decoding(nn.Sequential):
    """f_decode (Eq. 4): (B, d, rows, cols) -> (B, C, rows, cols).

    ReLU overwrites the norm's result, to save memory. The convolution's initial weights are scaled down, because its
    input has unit variance but the noise has a standard deviation of sigma / 255, about a tenth.
    """

    norm: nn.BatchNorm2d
    relu: nn.ReLU
    conv: nn.Conv2d

    def __init__(self, channels: int, features: int) -> None:
        conv = nn.Conv2d(features, channels, 3, padding=1)
        with torch.no_grad():
            conv.weight.mul_(0.1)
        super().__init__(OrderedDict(norm=nn.BatchNorm2d(features), relu=nn.ReLU(inplace=True), conv=conv))

    def forward(self, z: Tensor) -> Tensor:
        """Compute f_decode(z)."""
        norm, conv = self.norm, self.conv
        differs = torch.is_grad_enabled() or norm.training or torch.compiler.is_exporting()
        decoder = None if differs else decoder_for(z, conv.out_channels)
        if decoder is None:
            result: Tensor = conv(self.relu(norm(z)))
            return result
        assert norm.running_mean is not None and norm.running_var is not None and conv.bias is not None
        factor = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        return decoder(z, factor, norm.bias - norm.running_mean * factor, conv.weight, conv.bias)


@dataclass(frozen=True)
class GroupStatistics:
    """Mean and variance of each group of features over the whole picture, each (B, groups), as GroupNorm uses them."""

    mean: Tensor
    variance: Tensor

    @classmethod
    def of(cls, u: Tensor, groups: int) -> "GroupStatistics":
        """Compute the statistics of u (B, d, rows, cols)."""
        batch, features, rows, cols = u.shape
        # native_group_norm returns the statistics too, and takes a tenth of torch.var_mean's time.
        _, mean, scale = torch.native_group_norm(u.float(), None, None, batch, features, rows * cols, groups, 0.0)
        return cls(mean, scale**-2)

    def to(self, device: torch.device) -> "GroupStatistics":
        """Return the statistics on a device."""
        return GroupStatistics(self.mean.to(device), self.variance.to(device))

    def normalise(self, u: Tensor, norm: nn.GroupNorm) -> Tensor:
        """Apply `norm` to (a part of) the picture with these statistics instead of the part's own."""
        repeat = norm.num_channels // norm.num_groups
        mean, variance = (
            value.repeat_interleave(repeat, dim=1)[:, :, None, None] for value in (self.mean, self.variance)
        )
        scale = norm.weight[:, None, None] * torch.rsqrt(variance + norm.eps)
        return (u - mean).to(scale.dtype).mul_(scale).add_(norm.bias[:, None, None])


@dataclass(frozen=True)
class AttentionMaps:
    """The attention weights of each head for one query pixel (Fig. 9).

    Attributes
    ----------
    weights : Tensor, (B, heads, rows, cols)
        Each map sums to 1.
    top, left : int
        Position in the picture of the maps' first row and column.
    row, col : int
        Position in the picture of the query pixel.
    """

    weights: Tensor
    top: int
    left: int
    row: int
    col: int


class NonLocalBlock(nn.Module):
    """NL(u) = MSA(GN(u)) + u with bias-free projections W_theta, W_psi, W_g, W_O (Eq. 7-9).

    `path` may be set to choose the implementation of the attention (see `neighbourhood_attention`), and `silent` to the
    numbers of heads whose columns of W_O are 0, so that inference need not compute them.
    """

    def __init__(self, features: int, heads: int, groups: int) -> None:
        super().__init__()
        self.heads = heads
        self.path: AttentionPath | None = None
        self.silent: frozenset[int] = frozenset()
        self.norm = nn.GroupNorm(groups, features)
        self.theta = nn.Linear(features, features, bias=False)  # query
        self.psi = nn.Linear(features, features, bias=False)  # key
        self.g = nn.Linear(features, features, bias=False)  # value
        self.out = nn.Linear(features, features, bias=False)  # W_O
        for projection in (self.theta, self.psi, self.g, self.out):
            nn.init.xavier_uniform_(projection.weight)

    def forward(
        self,
        u: Tensor,
        window: int,
        precision: Precision,
        interrupt: Callable[[], None] | None = None,
        *,
        overwrite: bool = False,
    ) -> Tensor:
        """Compute NL(u). `overwrite` saves memory by reusing a channels-last u, which works without gradients only."""
        if overwrite:
            return self._overwrite(u, window, precision, interrupt)
        batch, features, rows, cols = u.shape
        pixels = self.norm(u).permute(0, 2, 3, 1)
        weight = torch.cat([self.theta.weight, self.psi.weight, self.g.weight])
        projected = F.linear(pixels, weight).view(batch, rows, cols, 3, self.heads, -1)
        query, key, value = projected.permute(3, 0, 4, 1, 2, 5)
        attended = neighbourhood_attention(query, key, value, window, precision, interrupt, self.path)
        mixed = self.out(attended.permute(0, 2, 3, 1, 4).reshape(batch, rows, cols, features))
        result: Tensor = mixed.permute(0, 3, 1, 2) + u
        return result

    def _overwrite(self, u: Tensor, window: int, precision: Precision, interrupt: Callable[[], None] | None) -> Tensor:
        """Compute NL(u) in place, one head at a time.

        This avoids holding the projections of all heads, four tensors of the size of u, at once.
        """
        compute = torch.bfloat16 if precision == "bfloat16" else u.dtype
        pixels = self.norm(u).permute(0, 2, 3, 1).to(compute)
        flat = u.permute(0, 2, 3, 1).view(-1, u.shape[1])
        size = u.shape[1] // self.heads
        for head in range(self.heads):
            if head in self.silent:
                continue
            part = slice(head * size, (head + 1) * size)
            weight = torch.cat([w.weight[part] for w in (self.theta, self.psi, self.g)]).to(compute)
            query, key, value = _project(pixels, weight)[:, None].split(size, dim=-1)
            attended = neighbourhood_attention(query, key, value, window, precision, interrupt, self.path)
            del query, key, value
            flat.addmm_(attended.reshape(len(flat), -1).to(u.dtype), self.out.weight[:, part].t())
            del attended
        return u

    def queries_and_keys(self, normed: Tensor, heads: Iterable[int] | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield query and key (B, 1, rows, cols, d_k) from GN(u), for each of `heads`, or for all if None."""
        pixels = normed.permute(0, 2, 3, 1)
        size = pixels.shape[-1] // self.heads
        for head in range(self.heads) if heads is None else heads:
            part = slice(head * size, (head + 1) * size)
            yield _project(pixels, self.theta.weight[part])[:, None], _project(pixels, self.psi.weight[part])[:, None]

    def attention_maps(self, around: Tensor, row: int, col: int, statistics: GroupStatistics) -> Tensor:
        """Compute the attention weights of each head for one query pixel, over the given neighbourhood.

        Parameters
        ----------
        around : Tensor, shape (B, d, rows, cols)
            u = s + z, cut to the query's window.
        row, col : int
            Position of the query in `around`.
        statistics : GroupStatistics
            The statistics of u over the whole picture.

        Returns
        -------
        Tensor, shape (B, heads, rows, cols)
        """
        pixels = statistics.normalise(around, self.norm).permute(0, 2, 3, 1)
        keys = self.psi(pixels).unflatten(-1, (self.heads, -1)).permute(0, 3, 1, 2, 4)
        queries = self.theta(pixels[:, row, col]).unflatten(-1, (self.heads, -1))
        return torch.stack([attention_row(query, key) for query, key in zip(queries, keys, strict=True)])


def _project(pixels: Tensor, weight: Tensor) -> Tensor:
    """Compute W x for each pixel x of (B, rows, cols, d), without gradients.

    In float32 on a CPU, oneDNN is two to three times as fast as the library behind F.linear. PyTorch offers it only by
    this internal operator, which torch.compile uses.
    """
    onednn = getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch.backends.mkldnn.is_available() else None
    if onednn is not None and pixels.device.type == "cpu" and pixels.dtype is torch.float32:
        result: Tensor = onednn(pixels, weight, None, "none", [], "")
        return result
    return F.linear(pixels, weight)


class TransformationBlock(nn.Module):
    """Trans(u) = GN(Conv(ReLU(GN(Conv(GN(u)))))) (Eq. 10); the last GN is the post-normalization.

    Variational dropout (Sec. VII-A) drops features of the expanded layer. The caller draws its mask once per solve, so
    that all iterations see the same function.
    """

    def __init__(
        self, features: int, expansion: int, groups: int, *, post_normalization: bool, weight_norm: bool
    ) -> None:
        super().__init__()
        self.norm_in = nn.GroupNorm(groups, features)
        self.conv_in = nn.Conv2d(features, expansion * features, 3, padding=1, bias=False)
        self.norm_mid = nn.GroupNorm(groups, expansion * features)
        self.conv_out = nn.Conv2d(expansion * features, features, 3, padding=1, bias=False)
        self.norm_post = nn.GroupNorm(groups, features) if post_normalization else nn.Identity()
        if weight_norm:
            parametrizations.weight_norm(self.conv_in)
            parametrizations.weight_norm(self.conv_out)

    def forward(
        self,
        u: Tensor,
        dropout_mask: Tensor | None = None,
        interrupt: Callable[[], None] | None = None,
        *,
        overwrite: bool = False,
    ) -> Tensor:
        """Compute Trans(u). `overwrite` saves memory by reusing u, which works without gradients and dropout only."""
        if overwrite:
            return self._overwrite(u, interrupt)
        hidden = F.relu(self.norm_mid(self.conv_in(self.norm_in(u))))
        if dropout_mask is not None:
            hidden = hidden * dropout_mask.to(hidden.dtype)
        if interrupt is not None:
            interrupt()
        result: Tensor = self.norm_post(self.conv_out(hidden))
        return result

    def _overwrite(self, u: Tensor, interrupt: Callable[[], None] | None) -> Tensor:
        """Compute Trans(u) in the memory of u, one group of hidden features at a time.

        GroupNorm treats each group separately, so the hidden layer, `expansion` times as wide as u, is never whole in
        memory.
        """
        normed = self.norm_in(u)
        if torch.is_autocast_enabled(u.device.type):  # once, rather than for each group
            normed = normed.to(torch.get_autocast_dtype(u.device.type))
        conv_in, conv_out, norm = self.conv_in.weight, self.conv_out.weight, self.norm_mid
        size = norm.num_channels // norm.num_groups
        for begin in range(0, norm.num_channels, size):
            part = slice(begin, begin + size)
            hidden = F.conv2d(normed, conv_in[part], padding=1)
            hidden = F.group_norm(hidden, 1, norm.weight[part], norm.bias[part], norm.eps).relu_()
            if interrupt is not None:
                interrupt()
            share = F.conv2d(hidden, conv_out[:, part], padding=1)
            del hidden
            u = u.add_(share) if begin else u.copy_(share)
            del share
        result: Tensor = self.norm_post(u)
        return result
