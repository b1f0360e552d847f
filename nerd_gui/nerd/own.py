"""A user's own models: any fixed-point model of tensors, for runs, analyses and the window like the paper's network."""

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

_ROWS, _COLS = 16, 12  # size of the test picture for a new model
_own: dict[str, OwnNetwork] = {}


class OwnModelError(ValueError):
    """A user's model cannot be used; the message says which, why and what to do."""


class FixedPointModel(Protocol):
    """The interface of a user's model: three functions of tensors, for pictures y (B, C, rows, cols) in [0, 1].

    The model may be an `nn.Module` or any other object. The samples of a batch must be independent. The functions must
    consist of operations that autograd can differentiate; otherwise the analyses that use Jacobians (influence,
    spectrum, risk) fail.

    Optional attributes:

    - ``channels = 3`` for a model of colour pictures. The default is 1: the channels of a colour photo then form a
      batch.
    - ``decodes = "noise"`` if `decode` returns the noise ``n_hat = x_hat - y`` instead of the picture ``x_hat``.
    - ``start(x)``, which returns z at the start; the default is zeros with the shape of x.
    - ``heads``, the number of attention heads, and ``attention_maps(z, x, row, col)``, which returns their weights
      (B, heads, rows, cols) for one query pixel over the whole picture.
    """

    def inject(self, y: Tensor) -> Tensor:
        """Compute the input x of f from the picture; it may have any shape (B, …)."""

    def f(self, z: Tensor, x: Tensor) -> Tensor:
        """Evaluate the map whose fixed point is sought: z (B, d, rows, cols) -> (B, d, rows, cols)."""

    def decode(self, z: Tensor) -> Tensor:
        """Decode z (B, d, rows, cols) to the picture, or the noise, (B, C, rows, cols); see ``decodes``."""


class OwnNetwork(Network):
    """Adapts a user's model to the interface of `Network`; the attention window q and the noise level have no effect.

    Raises
    ------
    OwnModelError
        If the model lacks a function, or a function returns a wrong shape for a small test picture.
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
        """Evaluate the model on a test picture, check the shapes, and return the number of features d of z."""
        y = torch.full((1, channels, _ROWS, _COLS), 0.5, device=self.device)
        with torch.no_grad():
            s = self.model.inject(y)
            z = self._start(s)
            if z.dim() != 4 or z.shape[2:] != y.shape[2:]:
                raise OwnModelError(
                    f"The features z of “{self._name}” must be (B, d, rows, cols) with the rows and columns of the "
                    f"picture, not {tuple(z.shape)} for {_ROWS} x {_COLS} pixels; add a start(x) of that shape."
                )
            self._check("f", self.model.f(z, s), z)
            self._check("decode", self.model.decode(z), y)
        return z.shape[1]

    def _check(self, part: str, found: Tensor, wanted: Tensor) -> None:
        if found.shape != wanted.shape:
            raise OwnModelError(
                f"{part} of “{self._name}” returns shape {tuple(found.shape)}; it must return {tuple(wanted.shape)}."
            )

    @property
    def heads(self) -> int:
        """Number of attention heads; 0 if the model has no such attribute."""
        return int(getattr(self.model, "heads", 0))

    def inject(self, y: Tensor, level: float | Tensor | None = None) -> Tensor:
        """Return the input x of f for the picture y (B, C, rows, cols); raise ValueError if there is a level."""
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
        """Return f(z), shaped as z; see `NERD.implicit`."""
        if interrupt is not None:
            interrupt()
        with torch.autocast(z.device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            return self.model.f(z, s).to(z.dtype)

    def decode(self, z: Tensor) -> Tensor:
        """Return the decoded z (B, d, rows, cols): (B, C, rows, cols)."""
        return self.model.decode(z)

    def initial(self, s: Tensor) -> Tensor:
        """Return z at the start, (B, d, rows, cols)."""
        return self._start(s)

    def attention_statistics(self, z: Tensor, s: Tensor) -> GroupStatistics:
        """Return dummy statistics, which `attention_maps` ignores."""
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
        """Return the model's attention maps for one pixel; see `NERD.attention_maps`."""
        if not self.heads:
            raise ValueError(f"The model “{self._name}” has no attention maps.")
        z, s = z.to(self.device, torch.float32), s.to(self.device, torch.float32)
        weights = self.model.attention_maps(z, s, row, col)  # type: ignore[attr-defined]  # one that has heads
        return AttentionMaps(weights.float().cpu(), 0, 0, row, col)


def register(name: str, model: FixedPointModel) -> Network:
    """Register a user's model under a name, by which `load_model`, all commands and the window then find it.

    Raises
    ------
    OwnModelError
        See `OwnNetwork`.
    """
    _own[name] = OwnNetwork(model, name)
    return _own[name]


def register_object(where: str) -> str:
    """Import and register the model named by ``module:object`` or ``file.py:object``, and return this name.

    If the object is a class, it is called without arguments. For safety, only names from the command line are imported,
    never names from a session or a report.

    Raises
    ------
    OwnModelError
        If the module or object does not exist, or is not a model.
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
    """Return the user's model of this name; None if there is none."""
    return _own.get(name)


def own_names() -> list[str]:
    """Names of all registered user's models."""
    return list(_own)
