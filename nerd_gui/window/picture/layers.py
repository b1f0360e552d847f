"""The pictures of one photo that the window can show."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerd_gui.analysis.maps import MapKind
from nerd_gui.imaging.psnr_ssim import to_8_bit
from nerd_gui.window.picture.map_source import Legend, MapSource
from nerd_gui.window.picture.sources import AroundGrey, ArraySource, Difference, Source
from nerd_gui.window.picture.tiles import Tiles


class Layer(StrEnum):
    """A picture of the photo; the value is the name a person reads."""

    NOISY = "noisy"
    ITERATE = "iterate"
    COMPARED = "kept iterate"
    CLEAN = "clean"
    NOISE = "noise estimate"
    RESULT = "result"
    RESIDUAL = "residual map"
    UPDATE = "change map"
    DECODED_INJECTION = "photo, decoded"
    INJECTION = "photo feature"
    FEATURE = "iterate feature"
    COMPONENTS = "feature colours"
    RADIUS = "attention radius"
    ENTROPY = "attention entropy"
    ROLLOUT = "attention rollout"


#: The layers that are maps of an iterate rather than pictures, each with the kind of map.
MAPS = {layer: kind for layer in Layer for kind in MapKind if layer.name == kind.name}


class Compare(StrEnum):
    """How two layers are shown together; the value is the name a person reads."""

    SINGLE = "one picture"
    WIPE = "wipe"
    SIDE_BY_SIDE = "side by side"
    DIFFERENCE = "difference"


class PictureLayers:
    """The layers of one photo, all of the same rows x cols.

    Attributes
    ----------
    gain : float
        The factor applied to differences and to the noise estimate.
    shared : bool
        Whether maps use the same colour range for all iterates.
    tiles : Tiles
        The tiles of the displayed pictures.
    """

    def __init__(self) -> None:
        self.gain = 1.0
        self.shared = False
        self.tiles = Tiles()
        self._sources: dict[Layer, Source] = {}

    @property
    def shape(self) -> tuple[int, int] | None:
        """(rows, cols) of every layer, None while there is no picture."""
        return next((_shape(source) for source in self._sources.values()), None)

    def __contains__(self, layer: object) -> bool:
        return layer in self._sources

    def available(self) -> list[Layer]:
        """Return the layers that have a picture, in the order of `Layer`."""
        return [layer for layer in Layer if layer in self._sources]

    def set(self, layer: Layer, pixels: NDArray[Any] | Source | None) -> None:
        """Replace a layer, or remove it with None. A picture of another size removes all other layers.

        Parameters
        ----------
        layer : Layer
        pixels : array (rows, cols) or (C, rows, cols) with C 1 or 3, Source, or None
            Floating point in [0, 1] (`Layer.NOISE`: n_hat, around 0) or uint8. The array is not copied, and it is
            read when it is shown, so it must not be changed afterwards.

        Raises
        ------
        ValueError
            If the array does not have such a shape or type.
        """
        before = self._sources.get(layer)
        if isinstance(before, ArraySource) and before.pixels is pixels:
            return
        if pixels is None:
            self._sources.pop(layer, None)
        else:
            source = _checked(layer, pixels) if isinstance(pixels, np.ndarray) else pixels
            if self.shape is not None and _shape(source) != self.shape:
                self._sources.clear()
                self.tiles.clear()
            self._sources[layer] = source
        if before is not None:
            left = before.families.difference(*(source.families for source in self._sources.values()))
            self.tiles.forget(left)

    def displayed(self, layer: Layer) -> Source:
        """Return a layer as displayed: the noise estimate as ``0.5 + gain * n_hat``, maps in their colours."""
        source = self._sources[layer]
        if isinstance(source, MapSource):
            return source.displayed(self.shared)
        return AroundGrey(source, self.gain) if layer is Layer.NOISE else source

    def difference(self, left: Layer, right: Layer) -> Source:
        """Return ``0.5 + gain * (right - left)``; a grey layer counts for all three channels of a coloured one."""
        return AroundGrey(Difference(self._sources[left], self._sources[right]), self.gain)

    def whole(self, layer: Layer) -> NDArray[np.uint8]:
        """Return all pixels of a layer as they are displayed at 100 %, (rows, cols) or (rows, cols, 3).

        The pixels are computed on each call, which takes long for a large picture: do not call it while a person waits.
        """
        source = self.displayed(layer)
        levels = to_8_bit(source.read((0, 0, *_shape(source))))
        return levels[0] if len(levels) == 1 else np.moveaxis(levels, 0, -1)

    def legend(self, layer: Layer) -> Legend | None:
        """Return what the colours of a map mean; None for a picture."""
        source = self._sources[layer]
        return source.legend(self.shared) if isinstance(source, MapSource) else None

    def value(self, layer: Layer, row: int, col: int) -> str:
        """Return the unclipped values of a pixel, one for each channel: in 0-255 units, or in a map's own unit."""
        source = self._sources[layer]
        if isinstance(source, MapSource):
            return source.words(row, col)
        return " ".join(f"{255 * value:.1f}" for value in source.read((row, col, 1, 1))[:, 0, 0].tolist())


def _shape(source: Source) -> tuple[int, int]:
    return source.terms[0].pyramid.shape(0)


def _checked(layer: Layer, pixels: NDArray[Any]) -> ArraySource:
    picture = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[0] in (1, 3))
    if not picture or 0 in pixels.shape:
        raise ValueError(
            f"The {layer} picture has the shape {pixels.shape}: give (rows, cols), (1, rows, cols) or (3, rows, cols)."
        )
    if pixels.dtype != np.uint8 and not np.issubdtype(pixels.dtype, np.floating):
        raise ValueError(f"The {layer} picture has the type {pixels.dtype}: give floating point in [0, 1] or uint8.")
    return ArraySource(pixels)
