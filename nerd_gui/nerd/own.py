"""Models of one's own: any fixed point of tensors, in runs, analyses and the window as the paper's network is."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from nerd_gui.nerd.attention import Precision
from nerd_gui.nerd.layers import AttentionMaps, GroupStatistics
from nerd_gui.nerd.network import NerdConfig, Network

_ROWS, _COLS = 16, 12  # of the picture that a model is tried on
_own: dict[str, OwnNetwork] = {}


class OwnModelError(ValueError):
    """A model that cannot be taken; the message says which, why and what to do."""


class FixedPointModel(Protocol):
    """What a model of one's own has: three functions of tensors, of pictures y (B, C, rows, cols) in [0, 1].

    An `nn.Module` may have them, or any other object. They are made of operations that autograd knows, or else what
    takes products with Jacobians (influence, spectrum, risk) fails. Samples of a batch do not see each other.

    What it may have besides:

    - ``channels = 3`` for a model of colour pictures. 1 is what it is taken for without: the channels of a colour photo
      then come as a batch.
    - ``decodes = "noise"`` if `decode` gives the noise ``n_hat = x_hat - y`` and not the picture ``x_hat``.
    - ``start(x)``, z at the start; zeros, shaped as x, without it.
    - ``heads``, a number, and ``attention_maps(z, x, row, col)``, where each of them looks from a pixel: weights
      (B, heads, rows, cols) over the whole picture.
    """

    def inject(self, y: Tensor) -> Tensor:
        """x, which f needs of the picture, of any shape (B, …)."""

    def f(self, z: Tensor, x: Tensor) -> Tensor:
        """The map whose fixed point is sought: z (B, d, rows, cols) -> (B, d, rows, cols)."""

    def decode(self, z: Tensor) -> Tensor:
        """(B, d, rows, cols) -> (B, C, rows, cols): the picture that z stands for, or the noise, see `decodes`."""


class OwnNetwork(Network):
    """A model of one's own as a `Network`; the attention window q and a noise level mean nothing to it.

    Raises
    ------
    OwnModelError
        If it lacks a function, or one of them does not give what it should for a small picture.
    """

    def __init__(self, model: FixedPointModel, name: str) -> None:
        super().__init__()
        self._name = name
        missing = [part for part in ("inject", "f", "decode") if not callable(getattr(model, part, None))]
        if missing:
            raise OwnModelError(f"The model “{name}” has no {' and no '.join(missing)}; see nerd_gui.nerd.own.")
        self.model = model
        if isinstance(model, nn.Module):
            model.eval().requires_grad_(False)
        self.non_local = None
        self._start: Callable[[Tensor], Tensor] = getattr(model, "start", torch.zeros_like)
        channels = int(getattr(model, "channels", 1))
        equilibrium: Literal["noise", "image"] = "noise" if getattr(model, "decodes", "") == "noise" else "image"
        self.config = NerdConfig(channels, self._tried(channels), 1, 1, 1, 1, equilibrium, non_local=False)

    def _tried(self, channels: int) -> int:
        """The features d of z, after one evaluation."""
        y = torch.full((1, channels, _ROWS, _COLS), 0.5, device=self.device)
        with torch.no_grad():
            s = self.model.inject(y)
            z = self._start(s)
            if z.dim() != 4 or z.shape[2:] != y.shape[2:]:
                raise OwnModelError(
                    f"The features z of “{self._name}” must be (B, d, rows, cols) with the rows and columns of the "
                    f"picture, not {tuple(z.shape)} for {_ROWS} x {_COLS} pixels; give it a start(x) that is."
                )
            self._check("f", self.model.f(z, s), z)
            self._check("decode", self.model.decode(z), y)
        return z.shape[1]

    def _check(self, part: str, found: Tensor, wanted: Tensor) -> None:
        if found.shape != wanted.shape:
            raise OwnModelError(
                f"{part} of “{self._name}” gives {tuple(found.shape)} where {tuple(wanted.shape)} is wanted."
            )

    @property
    def heads(self) -> int:
        """The heads of the model's attention, 0 if it names none."""
        return int(getattr(self.model, "heads", 0))

    def inject(self, y: Tensor, level: float | Tensor | None = None) -> Tensor:
        """Return x of the picture y (B, C, rows, cols); a noise level is refused."""
        if level is not None:
            raise ValueError(f"The model “{self._name}” takes no noise level.")
        return self.model.inject(y)

    def implicit(
        self,
        z: Tensor,
        s: Tensor,
        *,
        window: int | None = None,
        precision: Precision | None = None,
        interrupt: Callable[[], None] | None = None,
    ) -> Tensor:
        """Return f(z), with as many features as z; see `NERD.implicit`."""
        if interrupt is not None:
            interrupt()
        with torch.autocast(z.device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            return self.model.f(z, s).to(z.dtype)

    def decode(self, z: Tensor) -> Tensor:
        """Return what the model decodes from z (B, d, rows, cols): (B, C, rows, cols)."""
        return self.model.decode(z)

    def initial(self, s: Tensor) -> Tensor:
        """Return z at the start, (B, d, rows, cols)."""
        return self._start(s)

    def attention_statistics(self, z: Tensor, s: Tensor) -> GroupStatistics:
        """Return statistics without content: such a model has no group normalisation to share."""
        nothing = z.new_zeros(len(z), 1)
        return GroupStatistics(nothing, nothing)

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
        """Return where each head looks from a pixel; see `NERD.attention_maps`."""
        if not self.heads:
            raise ValueError(f"The model “{self._name}” has no attention maps.")
        z, s = z.to(self.device, torch.float32), s.to(self.device, torch.float32)
        weights = self.model.attention_maps(z, s, row, col)  # type: ignore[attr-defined]  # one that has heads
        return AttentionMaps(weights.float().cpu(), 0, 0, row, col)


def register(name: str, model: FixedPointModel) -> Network:
    """Take a model of one's own under a name, which `load_model`, every command and the window then know.

    Raises
    ------
    OwnModelError
        See `OwnNetwork`.
    """
    _own[name] = OwnNetwork(model, name)
    return _own[name]


def register_object(where: str) -> str:
    """Take the object that ``module:object`` or ``file.py:object`` names, which runs that module, and return its name.

    A class is called without arguments. Only who starts the program calls this: what a session or a report names is
    never imported.

    Raises
    ------
    OwnModelError
        If there is no such module or object, or it is no model.
    """
    module_name, _, attribute = where.rpartition(":")
    try:
        if module_name.endswith(".py"):
            spec = importlib.util.spec_from_file_location(Path(module_name).stem, module_name)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        else:
            module = importlib.import_module(module_name)
        model = getattr(module, attribute)
    except (ImportError, FileNotFoundError, AttributeError, ValueError) as error:
        raise OwnModelError(
            f"There is no model “{where}” ({error}); name one as module:object or file.py:object."
        ) from error
    register(where, model() if isinstance(model, type) else model)
    return where


def own(name: str) -> OwnNetwork | None:
    """The model of one's own of this name; None if there is none."""
    return _own.get(name)


def own_names() -> list[str]:
    """Names of all models of one's own."""
    return list(_own)
