"""The interface that runs and analyses use of a network, and the configuration of a NERD."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from nerd_gui.nerd.attention import Precision
from nerd_gui.nerd.layers import AttentionMaps, GroupStatistics, NonLocalBlock

#: Largest accepted values, so that an absurd configuration in a file is refused before it allocates memory.
_MOST = {"channels": 64, "features": 1024, "heads": 1024, "expansion": 16, "groups": 1024, "window": 1 << 16}


@dataclass(frozen=True)
class NerdConfig:
    """The configuration of a NERD; the defaults are the paper's network (Sec. VII-A).

    Attributes
    ----------
    channels : int
        C, number of channels of the picture: 1 for grey, 3 for colour.
    features : int
        d, number of channels of the noise feature z.
    heads : int
        H, number of attention heads (Table VI).
    expansion : int
        Width of the transformation block's hidden layer, in multiples of d.
    groups : int
        Number of groups of every GroupNorm.
    window : int
        q, side of the attention window in pixels (Table VIII).
    equilibrium : {"noise", "image"}
        Whether z* decodes to the noise or to the image (Table IV).
    post_normalization : bool
        Whether f ends with a GroupNorm (Table V, Fig. 8).
    non_local, transformation : bool
        Whether f has these two sub-layers (Table VII).
    weight_norm : bool
        Whether the transformation block's convolutions use weight normalization in training.
    dropout : float
        Rate of the variational dropout in training.
    level_input : bool
        Whether the noise level is a second input (Zhang et al. 2018, FFDNet), as an additional channel of f_inject. A
        network without it must infer the level from the picture, and removes less noise where it is uncertain.

    Examples
    --------
    >>> config = NerdConfig(features=64, window=17)  # the lite networks
    >>> config.heads, config.channels
    (4, 1)
    """

    channels: int = 1
    features: int = 128
    heads: int = 4
    expansion: int = 4
    groups: int = 4
    window: int = 65
    equilibrium: Literal["noise", "image"] = "noise"
    post_normalization: bool = True
    non_local: bool = True
    transformation: bool = True
    weight_norm: bool = True
    dropout: float = 0.0
    level_input: bool = False

    def __post_init__(self) -> None:
        for name, most in _MOST.items():
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= most:
                raise ValueError(f"{name} must be a whole number from 1 to {most}, not {value!r}.")
        if self.features % self.heads or self.features % self.groups:
            raise ValueError(f"{self.features} features cannot be split into {self.heads} heads, {self.groups} groups.")
        if self.equilibrium not in ("noise", "image"):
            raise ValueError(f"The equilibrium must be 'noise' or 'image', not {self.equilibrium!r}.")
        if not (self.non_local or self.transformation):
            raise ValueError("The implicit layer needs its non-local block, its transformation block, or both.")
        if type(self.level_input) is not bool:
            raise ValueError(f"level_input must be true or false, not {self.level_input!r}.")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"The dropout rate must lie in [0, 1), not {self.dropout}.")


class Network(nn.Module):
    """The interface that runs and analyses use; `NERD` is the paper's network, `nerd.own` adapts other models.

    Attributes
    ----------
    config : NerdConfig
    non_local : NonLocalBlock or None
        The attention block of f; None if the network has none.
    weights_sha256 : str or None
        The SHA-256 of the file that the network was loaded from.
    """

    config: NerdConfig
    non_local: NonLocalBlock | None
    weights_sha256: str | None = None

    @property
    def window(self) -> int:
        """q, the side of the attention window in pixels that the network was trained with."""
        return self.config.window

    @property
    def heads(self) -> int:
        """Number of attention heads; 0 without attention."""
        return 0 if self.non_local is None else self.config.heads

    @property
    def device(self) -> torch.device:
        """The device of the network's weights."""
        one = next(itertools.chain(self.parameters(), self.buffers()), None)
        return torch.device("cpu") if one is None else one.device

    def inject(self, y: Tensor, level: float | Tensor | None = None) -> Tensor:
        """Compute the injection s of a picture: (B, C, rows, cols) in [0, 1] -> (B, d, rows, cols)."""
        raise NotImplementedError

    def implicit(
        self,
        z: Tensor,
        s: Tensor,
        *,
        window: int | None = None,
        precision: Precision | None = None,
        interrupt: Callable[[], None] | None = None,
    ) -> Tensor:
        """Evaluate f once: z (B, d, rows, cols) and s = `inject(y)` -> (B, d, rows, cols); see `NERD.implicit`."""
        raise NotImplementedError

    def decode(self, z: Tensor) -> Tensor:
        """Decode z to noise or picture: (B, d, rows, cols) -> (B, C, rows, cols); see `estimate`."""
        raise NotImplementedError

    def estimate(self, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """Decode z to the picture x_hat and the noise n_hat, where x_hat = y + n_hat (Eq. 5).

        If the image is the equilibrium (Table IV), z decodes to x_hat itself.

        Parameters
        ----------
        y : Tensor, shape (B, C, rows, cols)
            The noisy picture, white is 1.
        z : Tensor, shape (B, d, rows, cols)

        Returns
        -------
        x_hat, n_hat : Tensor, shape (B, C, rows, cols)
            In the units of y, neither clipped nor rounded.

        Examples
        --------
        >>> net = NERD(NerdConfig(features=8, window=5))
        >>> y = torch.rand(1, 1, 16, 16)
        >>> x_hat, n_hat = net.estimate(y, net.inject(y))
        >>> torch.equal(x_hat, y + n_hat)
        True
        """
        decoded = self.decode(z)
        return (decoded, decoded - y) if self.config.equilibrium == "image" else (y + decoded, decoded)

    def initial(self, s: Tensor) -> Tensor:
        """Return the start z = 0 (Sec. V-A) for an injection s, in the memory layout of s and at least float32."""
        return torch.zeros_like(s, dtype=torch.promote_types(s.dtype, torch.float32))

    def attention_statistics(self, z: Tensor, s: Tensor) -> GroupStatistics:
        """Compute the statistics of a whole iterate; `attention_maps` is fast if it gets them."""
        raise NotImplementedError

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
        """Compute the attention maps of all heads for one pixel at the iterate z; see `NERD.attention_maps`."""
        raise NotImplementedError
