"""NERD, the Noise Equilibrium Reaching Denoiser: the network of the paper's Fig. 2, without the solver.

The equilibrium is `z* = f(z*)` with `f(z) = Trans(NL(s + z))` (Eq. 11), `s = f_inject(y)` (Eq. 2); the picture is
`x_hat = y + f_decode(z*)` (Eq. 4-5). The solvers that find z* are in `nerd_gui.equilibrium`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import get_args

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from nerd_gui.nerd.attention import Precision, window_offsets
from nerd_gui.nerd.layers import (
    AttentionMaps,
    Decoding,
    GroupStatistics,
    Injection,
    NonLocalBlock,
    TransformationBlock,
)
from nerd_gui.nerd.network import NerdConfig, Network


@contextmanager
def exact_float32() -> Iterator[None]:
    """Make CUDA's convolutions use full float32 precision.

    CUDA's default, TF32, has errors of 3e-4, which would be visible in a residual of 1e-3.
    """
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


class NERD(Network):
    """The paper's network with its three parts: `inject`, `implicit` (one evaluation of f) and `decode`.

    The window q and the precision are arguments of each evaluation, so that one network can serve several runs at once.
    A new network has random weights; `load_model` loads trained ones.

    Parameters
    ----------
    config : NerdConfig, optional
        None: the paper's settings.

    Examples
    --------
    >>> net = NERD(NerdConfig()).fold()  # the paper's network
    >>> sum(parameter.numel() for parameter in net.parameters()), net.window
    (1397507, 65)
    """

    def __init__(self, config: NerdConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or NerdConfig()
        self.f_inject = Injection(config.channels, config.features, level_input=config.level_input)
        self.non_local = NonLocalBlock(config.features, config.heads, config.groups) if config.non_local else None
        self.transformation = (
            TransformationBlock(
                config.features,
                config.expansion,
                config.groups,
                post_normalization=config.post_normalization,
                weight_norm=config.weight_norm,
            )
            if config.transformation
            else None
        )
        # Without the transformation block (Table VII), f still ends with the post-normalization, which bounds z*.
        lone_post = config.post_normalization and not config.transformation
        self.norm_post = nn.GroupNorm(config.groups, config.features) if lone_post else None
        self.f_decode = Decoding(config.channels, config.features)
        self._dropout_mask: Tensor | None = None
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def inject(self, y: Tensor, level: float | Tensor | None = None) -> Tensor:
        """s = f_inject(y) (Eq. 2): (B, C, rows, cols) in [0, 1] -> (B, d, rows, cols).

        Parameters
        ----------
        y : Tensor, shape (B, C, rows, cols)
        level : float or Tensor of shape (B,) or (B, 1, rows, cols), optional
            Standard deviation of the noise in a channel, 0-255 scale: one number for all pictures, one for each
            picture, or one for each pixel. Networks with level input require it, others refuse it.

        Returns
        -------
        Tensor, shape (B, d, rows, cols)

        Raises
        ------
        ValueError
            If the number of channels is wrong, or the level is missing, has a wrong shape, or is not an input of this
            network.

        Examples
        --------
        >>> net = NERD(NerdConfig(features=8, window=5))
        >>> y = torch.rand(1, 1, 16, 16)
        >>> tuple(net.inject(y).shape)
        (1, 8, 16, 16)
        """
        if y.dim() != 4 or y.shape[1] != self.config.channels:
            raise ValueError(
                f"The network takes pictures of {self.config.channels} channel(s) as (B, C, rows, cols), "
                f"not {tuple(y.shape)}."
            )
        result: Tensor = self.f_inject(y, self._level_of(y, level))
        return result

    def _level_of(self, y: Tensor, level: float | Tensor | None) -> Tensor | None:
        """Check the level and bring it to the shape that f_inject takes."""
        if not self.config.level_input:
            if level is not None:
                raise ValueError("This network estimates the noise level itself; call it without a level.")
            return None
        if level is None:
            raise ValueError("This network needs the noise level (0-255 scale) as a second input; pass it as `level`.")
        told = torch.as_tensor(level, dtype=y.dtype, device=y.device)
        batch, shape = y.shape[0], tuple(told.shape)  # len(y) would be a constant in an exported graph
        if shape not in ((), (batch,), (batch, 1, *y.shape[2:])):
            raise ValueError(f"The noise level must be a number, (B,) or (B, 1, rows, cols), not {shape}.")
        return told if told.dim() == 4 else told.expand(batch)[:, None, None, None]

    def implicit(
        self,
        z: Tensor,
        s: Tensor,
        *,
        window: int | None = None,
        precision: Precision | None = None,
        interrupt: Callable[[], None] | None = None,
    ) -> Tensor:
        """Evaluate f(z) = Trans(NL(s + z)) once (Eq. 11).

        Parameters
        ----------
        z, s : Tensor, shape (B, d, rows, cols)
        window : int, optional
            Attention window q in pixels; None: that of the training.
        precision : {"float32", "bfloat16"}, optional
            Arithmetic inside f; None: float32.
        interrupt : callable, optional
            Called many times during the evaluation, from any thread; an exception that it raises ends the evaluation.

        Returns
        -------
        Tensor, shape (B, d, rows, cols)
            In the dtype of z. In evaluation mode without gradients, at most four more tensors of this size are held.

        Raises
        ------
        ValueError
            If the window or the precision is invalid.

        Examples
        --------
        >>> net = NERD(NerdConfig(features=8, window=5))
        >>> y = torch.rand(1, 1, 16, 16)
        >>> s = net.inject(y)
        >>> tuple(net.implicit(net.initial(s), s).shape)
        (1, 8, 16, 16)
        """
        window, precision = self.window if window is None else window, precision or "float32"
        if precision not in get_args(Precision):
            raise ValueError(f"The precision must be one of {', '.join(get_args(Precision))}, not {precision!r}.")
        # An exported graph must not contain in-place operations.
        overwrite = not (self.training or torch.is_grad_enabled() or torch.compiler.is_exporting())
        dtype = z.dtype
        with torch.autocast(z.device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            u = (s + z).contiguous(memory_format=torch.channels_last)
            if self.non_local is not None:
                u = self.non_local(u, window, precision, interrupt, overwrite=overwrite)
            if self.transformation is not None:
                mask = self._dropout_mask if self.training else None
                u = self.transformation(u, mask, interrupt, overwrite=overwrite)
            if self.norm_post is not None:
                u = self.norm_post(u)
        return u.to(dtype)

    def decode(self, z: Tensor) -> Tensor:
        """Compute f_decode(z) (Eq. 4).

        Parameters
        ----------
        z : Tensor, shape (B, d, rows, cols)

        Returns
        -------
        Tensor, shape (B, C, rows, cols)
            The noise n_hat, in the units of the picture; the picture itself if that is the equilibrium (Table IV).

        Examples
        --------
        >>> net = NERD(NerdConfig(features=8, window=5))
        >>> y = torch.rand(1, 1, 16, 16)
        >>> tuple(net.decode(net.inject(y)).shape)
        (1, 1, 16, 16)
        """
        result: Tensor = self.f_decode(z)
        return result

    def renew_dropout(self, batch: int) -> None:
        """Draw a new mask of the variational dropout for one solve of `batch` pictures (Sec. VII-A)."""
        rate, hidden = self.config.dropout, self.config.expansion * self.config.features
        if rate:
            kept = torch.rand(batch, hidden, 1, 1, device=next(self.parameters()).device) >= rate
            self._dropout_mask = kept / (1 - rate)

    def attention_statistics(self, z: Tensor, s: Tensor) -> GroupStatistics:
        """Compute the statistics of s + z for the non-local block's GN; `attention_maps` is fast if it gets them."""
        return GroupStatistics.of(s + z, self.config.groups)

    @torch.no_grad()
    def attention_maps(
        self,
        z: Tensor,
        s: Tensor,
        row: int,
        col: int,
        *,
        statistics: GroupStatistics | None = None,
        window: int | None = None,
    ) -> AttentionMaps:
        """Compute the attention maps of all heads for the pixel (row, col) at the iterate z (Fig. 9).

        Parameters
        ----------
        z, s : Tensor, shape (B, d, rows, cols)
            On any device; may be in half precision.
        row, col : int
            The query pixel.
        statistics : GroupStatistics, optional
            The result of `attention_statistics(z, s)`; None: computed here.
        window : int, optional
            Attention window q in pixels; None: that of the training.

        Returns
        -------
        AttentionMaps
            On the CPU.

        Raises
        ------
        ValueError
            If the pixel lies outside the picture or the network has no non-local block.
        """
        if self.non_local is None:
            raise ValueError("This network has no attention maps, because it was built without the non-local block.")
        rows, cols = z.shape[2:]
        if not (0 <= row < rows and 0 <= col < cols):
            raise ValueError(f"Pixel ({row}, {col}) lies outside the picture of {rows} x {cols} pixels.")
        if statistics is None:
            statistics = self.attention_statistics(z, s)
        first, last = window_offsets(window or self.window)
        top, left = max(row + first, 0), max(col + first, 0)
        # Cut before adding and moving, so that a click does not process the whole picture.
        cut = (..., slice(top, row + last + 1), slice(left, col + last + 1))
        device = self.non_local.norm.weight.device
        around = z[cut].to(device, torch.float32) + s[cut].to(device, torch.float32)
        weights = self.non_local.attention_maps(around, row - top, col - left, statistics.to(device))
        return AttentionMaps(weights.cpu(), top, left, row, col)

    def fold(self) -> "NERD":
        """Fold the weight norm into plain weights, in place. Evaluation needs no weight norm.

        Returns
        -------
        NERD
            This network.

        Examples
        --------
        >>> net = NERD(NerdConfig(features=8, window=5))
        >>> net.folded, net.fold().folded
        (False, True)
        """
        for module in self.modules():
            if parametrize.is_parametrized(module, "weight"):
                parametrize.remove_parametrizations(module, "weight")
        return self

    @property
    def folded(self) -> bool:
        """Whether no weight norm is left."""
        return not any(parametrize.is_parametrized(module) for module in self.modules())

    def folded_state(self) -> dict[str, Tensor]:
        """The state dict of the folded network; the network itself is not changed."""
        state = {name: value for name, value in self.state_dict().items() if ".parametrizations." not in name}
        for name, module in self.named_modules():
            if parametrize.is_parametrized(module, "weight"):
                state[f"{name}.weight"] = module.weight
        return state
