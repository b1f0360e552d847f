"""What a network is to those who run it, and the settings that distinguish one NERD from another."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from nerd_gui.nerd.attention import Precision
from nerd_gui.nerd.layers import AttentionMaps, GroupStatistics, NonLocalBlock

#: A file's absurd configuration is refused before it takes the memory it asks for.
_MOST = {"channels": 64, "features": 1024, "heads": 1024, "expansion": 16, "groups": 1024, "window": 1 << 16}


@dataclass(frozen=True)
class NerdConfig:
    """What distinguishes one NERD from another; the defaults are the paper's network (Sec. VII-A).

    Attributes
    ----------
    channels : int
        C, channels of the picture: 1 grey, 3 colour.
    features : int
        d, width of the noise feature z.
    heads : int
        H, attention heads (Table VI).
    expansion : int
        Widening of the transformation block's hidden layer.
    groups : int
        Groups of every GroupNorm.
    window : int
        q, side of the attended neighbourhood in pixels (Table VIII).
    equilibrium : {"noise", "image"}
        What z* decodes to (Table IV).
    post_normalization : bool
        GroupNorm at the end of f (Table V, Fig. 8).
    non_local, transformation : bool
        The two sub-layers of f (Table VII).
    weight_norm : bool
        Weight normalization of the transformation block's convolutions while training.
    dropout : float
        Rate of the variational dropout while training.
    level_input : bool
        Whether the network is told the noise level beside the picture (Zhang et al. 2018, FFDNet), as one more channel
        of f_inject. A blind network must find it out for itself, and removes less where it is in doubt.

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
    """What runs and analyses ask of a network: NERD's answers are the paper's, `nerd.own` has those of other models.

    Attributes
    ----------
    config : NerdConfig
    non_local : NonLocalBlock or None
        What the paper's attention is made from; None where there is none.
    weights_sha256 : str or None
        The SHA-256 of the file that it was loaded from.
    """

    config: NerdConfig
    non_local: NonLocalBlock | None
    weights_sha256: str | None = None

    @property
    def window(self) -> int:
        """q, side of the neighbourhood in pixels that the network was trained with."""
        return self.config.window

    @property
    def heads(self) -> int:
        """How many attention maps a pixel has; 0 without attention."""
        return 0 if self.non_local is None else self.config.heads

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        one = next(itertools.chain(self.parameters(), self.buffers()), None)
        return torch.device("cpu") if one is None else one.device

    def inject(self, y: Tensor, level: float | Tensor | None = None) -> Tensor:
        """What f needs of the picture: (B, C, rows, cols) in [0, 1] -> (B, d, rows, cols)."""
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
        """f(z), one evaluation: z (B, d, rows, cols) and s = `inject(y)` -> (B, d, rows, cols); see `NERD.implicit`."""
        raise NotImplementedError

    def decode(self, z: Tensor) -> Tensor:
        """What z stands for: (B, d, rows, cols) -> (B, C, rows, cols); see `estimate`."""
        raise NotImplementedError

    def estimate(self, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the picture and the noise that z stands for; x_hat = y + n_hat (Eq. 5).

        With the image as the equilibrium (Table IV) z decodes to x_hat itself.

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
        """The start z = 0 (Sec. V-A) for an injection s, laid out as s, float32 like the solver's algebra."""
        return torch.zeros_like(s, dtype=torch.promote_types(s.dtype, torch.float32))

    def attention_statistics(self, z: Tensor, s: Tensor) -> GroupStatistics:
        """What `attention_maps` takes from the whole of an iterate, kept so that a click need not see it again."""
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
        """Where each head looks from the pixel (row, col) at the iterate z; see `NERD.attention_maps`."""
        raise NotImplementedError
