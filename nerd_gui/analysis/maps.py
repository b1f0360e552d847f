"""Maps of one iterate: its residual at each pixel, its features, and how far its heads look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import log2

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nerd_gui.analysis.components import Components, principal_components
from nerd_gui.analysis.looking import Spread, followed_back, one_pixel, spread
from nerd_gui.analysis.solving import Interrupt
from nerd_gui.denoising import RunError, Trajectory
from nerd_gui.denoising.channels import from_batch
from nerd_gui.denoising.features import Features, Settling
from nerd_gui.imaging.colour import LUMA
from nerd_gui.nerd import Network

NO_FEATURES = (
    "Maps are made from the features of the iterates. A photo denoised in tiles and a run opened from a file have "
    "none. Explore a region instead."
)
NOTHING_BEFORE = "Iterate 0 is the start, so there is no change before it to show. Choose a later iterate."
NO_PIXEL = "Click a pixel of the picture to see what it has looked at, from the result back to the start."
NOT_YET = "This map begins at the result of the run. Wait until the run has ended."
AFTER_RESULT = "This map begins at the result, which is iterate {}. Choose that iterate or an earlier one."
NO_ATTENTION = "This network has no attention, because it was built without the non-local block."
NO_INJECTION = "This map cannot be made: in this model, the injection and the features have different shapes."
_SETTLED, _ALL = 1e-2, 100.0  # percent: ends of the residual's shared scale
_ENDS = (0.5, 99.8)  # percentiles of non-negative values that are drawn darkest and lightest
_LARGEST = 99.5  # percentile of the moduli of signed values that gets full contrast
_LEAST_WEIGHT = 1e-3  # percent: lower end of the rollout's shared scale
_DEVIATIONS = 2.5  # a principal component has full contrast at this many standard deviations from its mean


class MapKind(StrEnum):
    """The quantity that a map shows; the value is its name in files.

    Examples
    --------
    >>> MapKind("radius") is MapKind.RADIUS
    True
    """

    RESIDUAL = "residual"
    UPDATE = "update"
    DECODED_INJECTION = "decoded-injection"
    INJECTION = "injection"
    FEATURE = "feature"
    COMPONENTS = "components"
    RADIUS = "radius"
    ENTROPY = "entropy"
    ROLLOUT = "rollout"


class Scale(StrEnum):
    """The mapping from values to brightness: logarithmic, linear, or signed with 0 as mid-grey."""

    LOG = "log"
    LINEAR = "linear"
    SIGNED = "signed"


@dataclass(frozen=True, eq=False)
class IterateMap:
    """A map of one iterate: values at each pixel, and how to draw them.

    Attributes
    ----------
    values : float32 array (1 or 3, rows, cols)
        Three channels are drawn as red, green and blue.
    unit : str
        Unit of the values; empty if they have none.
    scale : Scale
    low, high : float
        Values that are drawn darkest and lightest; nearly all values lie between them.
    widest : (float, float) or None
        Darkest and lightest values that suit all iterates; None if the quantity has no natural limits.
    note : str
        What the three colours mean.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> from nerd_gui.denoising import RunSettings, Subject, denoise
    >>> from nerd_gui.imaging import Photo
    >>> subject = Subject.of(Photo(clean[0].numpy()), sigma=25)
    >>> trajectory = denoise(subject, RunSettings(model="nerd-lite-25", max_iter=2))
    >>> found = RunMaps(trajectory, net).make(MapKind.RESIDUAL, index=2)
    >>> found.values.shape, found.unit, float(found.brightness(found.values).max())
    ((1, 16, 16), '%', 1.0)
    """

    values: NDArray[np.float32]
    unit: str
    scale: Scale
    low: float
    high: float
    widest: tuple[float, float] | None = None
    note: str = ""

    def brightness(self, values: NDArray[np.float32], *, shared: bool = False) -> NDArray[np.float32]:
        """Map values to brightness in [0, 1].

        Parameters
        ----------
        values : float32 array
            Values of the map, or means of several.
        shared : bool
            Whether to use the limits that suit all iterates, if there are such.
        """
        low, high = self.ends(shared=shared)
        if self.scale is Scale.LOG:
            values, low, high = np.log(np.maximum(values, low)), np.log(low), np.log(high)
        result: NDArray[np.float32] = np.clip((values - low) / (high - low), 0, 1).astype(np.float32, copy=False)
        return result

    def ends(self, *, shared: bool) -> tuple[float, float]:
        """The values that are drawn darkest and lightest."""
        return self.widest if shared and self.widest is not None else (self.low, self.high)


class RunMaps:
    """Makes the maps of one run and caches intermediate results. Not thread-safe.

    Parameters
    ----------
    trajectory : Trajectory
        May still be growing.
    net : Network
        The network of the run.

    Examples
    --------
    With the network, picture and equilibrium of the examples of `nerd_gui.analysis`:

    >>> from nerd_gui.denoising import RunSettings, Subject, denoise
    >>> from nerd_gui.imaging import Photo
    >>> subject = Subject.of(Photo(clean[0].numpy()), sigma=25)
    >>> trajectory = denoise(subject, RunSettings(model="nerd-lite-25", max_iter=2))
    >>> found = RunMaps(trajectory, net).make(MapKind.RESIDUAL, index=2)
    >>> found.scale, found.values.shape
    (<Scale.LOG: 'log'>, (1, 16, 16))
    """

    def __init__(self, trajectory: Trajectory, net: Network) -> None:
        self._trajectory, self._net = trajectory, net
        self._spreads: tuple[int, dict[int, Spread]] = (-1, {})  # index of an iterate, and its spreads by head
        self._rollout: tuple[tuple[int, int], list[Tensor]] | None = None  # a pixel, and weights by iterate
        self._components: tuple[tuple[int, int | None], Components] | None = None

    def count(self, kind: MapKind) -> int:
        """The number of maps of a kind for one iterate: one for each feature, one for each head, or one."""
        if kind in (MapKind.FEATURE, MapKind.INJECTION):
            return self._net.config.features
        if kind in (MapKind.RADIUS, MapKind.ENTROPY):
            return self._net.config.heads if self._net.non_local is not None else 0
        return 1

    def make(
        self,
        kind: MapKind,
        index: int,
        *,
        number: int = 0,
        channel: int | None = None,
        pixel: tuple[int, int] | None = None,
        interrupt: Interrupt | None = None,
    ) -> IterateMap:
        """Make a map of an iterate.

        Parameters
        ----------
        kind : MapKind
        index : int
            Index of the iterate.
        number : int
            Number of the feature or the head, from 0.
        channel : int, optional
            Channel of a colour photo whose channels are solved separately; None: the luma-weighted mean of all.
        pixel : (row, col), optional
            The pixel of the denoised region whose attention is followed back.
        interrupt : callable, optional
            Called often during the work; an exception that it raises ends the work.

        Raises
        ------
        RunError
            If there is no such map; the message says why.
        """
        features = self._trajectory[index].features
        if features is None:
            raise RunError(NO_FEATURES)
        if not 0 <= number < max(1, self.count(kind)):
            raise RunError(f"There is no {kind} {number}; the numbers go from 0 to {self.count(kind) - 1}.")
        if kind in (MapKind.RADIUS, MapKind.ENTROPY, MapKind.ROLLOUT) and self._net.non_local is None:
            raise RunError(NO_ATTENTION)
        if kind in (MapKind.INJECTION, MapKind.DECODED_INJECTION) and features.s.shape != features.z.shape:
            raise RunError(NO_INJECTION)
        if kind in (MapKind.RADIUS, MapKind.ENTROPY):
            return self._of_heads(kind, index, features, number, channel, interrupt)
        if kind is MapKind.ROLLOUT:
            return self._followed_back(index, pixel, channel, interrupt)
        makers: dict[MapKind, Callable[[], IterateMap]] = {
            MapKind.RESIDUAL: lambda: _settling_map(features, lambda settling: settling.residual, channel),
            MapKind.UPDATE: lambda: _settling_map(features, lambda settling: settling.update, channel),
            MapKind.DECODED_INJECTION: lambda: self._decoded_injection(features),
            MapKind.INJECTION: lambda: _signed(_of_channel(features.s[:, number], channel)),
            MapKind.FEATURE: lambda: _signed(_of_channel(features.z[:, number], channel)),
            MapKind.COMPONENTS: lambda: self._as_colours(features, channel),
        }
        return makers[kind]()

    def _of_heads(
        self,
        kind: MapKind,
        index: int,
        features: Features,
        head: int,
        channel: int | None,
        interrupt: Interrupt | None,
    ) -> IterateMap:
        window = self._trajectory.window
        if self._spreads[0] != index:
            self._spreads = index, {}
        if head not in self._spreads[1]:
            of = self._net, features.z, features.s, [head]
            self._spreads[1][head] = spread(*of, window=window, interrupt=interrupt)
        found = self._spreads[1][head]
        if kind is MapKind.RADIUS:
            # The radius of uniform attention: the mean square offset along each axis is (q^2 - 1) / 12.
            most = max(1.0, ((window**2 - 1) / 6) ** 0.5)
            return _linear(_of_channel(found.radius[:, 0], channel), "pixels", most)
        return _linear(_of_channel(found.entropy[:, 0], channel), "bit", max(1.0, 2 * log2(window)))

    def _followed_back(
        self, index: int, pixel: tuple[int, int] | None, channel: int | None, interrupt: Interrupt | None
    ) -> IterateMap:
        """The rollout from the result back to an iterate; the maps of the iterates between are cached."""
        trajectory = self._trajectory
        if pixel is None:
            raise RunError(NO_PIXEL)
        if trajectory.stop_reason is None:
            raise RunError(NOT_YET)
        if index > trajectory.result:
            raise RunError(AFTER_RESULT.format(trajectory.result))
        if self._rollout is None or self._rollout[0] != pixel:
            self._rollout = pixel, []
        found = self._rollout[1]
        while len(found) <= trajectory.result - index:
            features = trajectory[trajectory.result - len(found)].features
            if features is None:
                raise RunError(NO_FEATURES)
            weights = found[-1] if found else one_pixel(features.z, *pixel)
            weights = followed_back(self._net, weights, features, window=trajectory.window, interrupt=interrupt)
            found.append(weights)
        values = 100 * _of_channel(found[trajectory.result - index], channel).numpy()
        high = float(values.max())
        return IterateMap(values[None], "%", Scale.LOG, 1e-4 * high, high, (_LEAST_WEIGHT, _ALL))

    @torch.no_grad()
    def _decoded_injection(self, features: Features) -> IterateMap:
        decoded = self._net.decode(features.s.to(self._net.device, torch.float32))
        return _signed(255 * torch.from_numpy(from_batch(decoded, self._trajectory.subject.channels)), "grey levels")

    def _as_colours(self, features: Features, channel: int | None) -> IterateMap:
        """The first three principal components as colours. All iterates use the directions of the result."""
        result = self._trajectory[self._trajectory.result]
        key = result.index, channel
        if self._components is None or self._components[0] != key:
            assert result.features is not None
            self._components = key, principal_components(_of_channel(result.features.z, channel))
        found = self._components[1]
        deviations = found.deviations.clamp_min(1e-9).float()[:, None, None]
        values = (found.of(_of_channel(features.z, channel)) / deviations).numpy()
        if len(values) == 1:
            return IterateMap(values, "σ", Scale.SIGNED, -_DEVIATIONS, _DEVIATIONS)
        shares = zip(("red", "green", "blue"), found.shares.tolist(), strict=False)
        note = ", ".join(f"{colour} {100 * share:.0f} %" for colour, share in shares) + " of the variance"
        values = np.pad(values, ((0, 3 - len(values)), (0, 0), (0, 0)))  # a model may have fewer than three features
        return IterateMap(values, "σ", Scale.SIGNED, -_DEVIATIONS, _DEVIATIONS, note=note)


def _of_channel(values: Tensor, channel: int | None) -> Tensor:
    """Reduce a batch (B, ...) to one picture: a channel, or the luma-weighted mean if `channel` is None; float32."""
    if len(values) == 1:
        return values[0].float()
    if channel is not None:
        return values[channel].float()
    return sum((weight * each.float() for weight, each in zip(LUMA, values, strict=True)), torch.zeros(()))


def _settling_map(features: Features, which: Callable[[Settling], Tensor | None], channel: int | None) -> IterateMap:
    """The residual or update at each pixel, in percent of the root mean square of f(z).

    The root mean square of this map over the pixels is the value of the curve in the window.
    """
    if features.settling is None:
        raise RunError(NO_FEATURES)
    norms = which(features.settling)
    if norms is None:
        raise RunError(NOTHING_BEFORE)
    size = torch.tensor(features.settling.size).clamp_min(torch.finfo(torch.float32).tiny)
    values = _of_channel(100 * norms.float() / size[:, None, None], channel).numpy()
    low, high = np.percentile(values, _ENDS)
    low = max(float(low), 1e-6)
    return IterateMap(values[None], "%", Scale.LOG, low, max(float(high), 1.01 * low), (_SETTLED, _ALL))


def _signed(values: Tensor, unit: str = "") -> IterateMap:
    array = values.numpy() if values.dim() == 3 else values[None].numpy()
    most = max(float(np.percentile(np.abs(array), _LARGEST)), 1e-6)
    return IterateMap(array, unit, Scale.SIGNED, -most, most)


def _linear(values: Tensor, unit: str, most: float) -> IterateMap:
    array = values[None].numpy()
    low, high = (float(end) for end in np.percentile(array, _ENDS))
    return IterateMap(array, unit, Scale.LINEAR, low, max(high, low + 1e-3), (0.0, most))
