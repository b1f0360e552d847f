"""Writes a map to a file: a figure with its legend (PNG), or its numbers (NPZ)."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QImageWriter, QPainter
from PySide6.QtWidgets import QApplication

from nerd_gui.analysis.maps import IterateMap, MapKind
from nerd_gui.files import why_not, write_file
from nerd_gui.imaging.psnr_ssim import to_8_bit
from nerd_gui.window.picture.map_source import MapSource
from nerd_gui.window.style.tokens import TEXT_PIXELS, sized

_SMALL = 512  # pixels; a map whose longest side is below this is drawn enlarged
_MARGIN, _GAP, _BAR, _THICK = 16, 8, 240, 12
_TEXT, _PAPER = QColor("#1d2125"), QColor("#ffffff")


@dataclass(frozen=True, eq=False)
class MapFigure:
    """A map of one iterate, ready to be saved.

    Attributes
    ----------
    kind : MapKind
    shown : IterateMap
    title : str
        The heading of the figure.
    run : str
        The name of the run.
    iterate, number : int
        `number` is the index of the feature or head, counted from 0.
    corner : (row, col)
        The pixel of the photo at which the map begins.
    shared : bool
        Whether the map uses the same colour range for all iterates.
    """

    kind: MapKind
    shown: IterateMap
    title: str
    run: str
    iterate: int
    number: int
    corner: tuple[int, int]
    shared: bool

    def image(self) -> QImage:
        """Draw the map with title and legend on a white ground."""
        source = MapSource(self.shown)
        rows, cols = self.shown.values.shape[1:]
        levels = to_8_bit(source.displayed(self.shared).read((0, 0, rows, cols)))
        rgb = np.ascontiguousarray(np.moveaxis(np.broadcast_to(levels, (3, rows, cols)), 0, -1))
        times = max(1, _SMALL // max(rows, cols))
        map_image = QImage(rgb.data, cols, rows, 3 * cols, QImage.Format.Format_RGB888)
        font, legend = sized(QApplication.font(), TEXT_PIXELS), source.legend(self.shared)
        metrics = QFontMetrics(font)
        below = legend.note or f"{legend.low}{' ' * 2}{legend.high}"
        bar = 0 if legend.note else _BAR
        words = max(metrics.horizontalAdvance(self.title), metrics.horizontalAdvance(below) + bar + 2 * _GAP)
        width = 2 * _MARGIN + max(times * cols, words)
        line = metrics.height() + _GAP
        image = QImage(width, 2 * _MARGIN + times * rows + 2 * line, QImage.Format.Format_RGB32)
        image.fill(_PAPER)
        painter = QPainter(image)
        painter.setFont(font)
        painter.setPen(_TEXT)
        painter.drawText(_MARGIN, _MARGIN + metrics.ascent(), self.title)
        painter.drawImage(QRectF(_MARGIN, _MARGIN + line, times * cols, times * rows), map_image)
        top = _MARGIN + line + times * rows + _GAP
        place = QRectF(_MARGIN, top, width, metrics.height())
        if legend.colours is None:
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, legend.note)
        else:
            left = _MARGIN + metrics.horizontalAdvance(legend.low) + _GAP
            colours = np.ascontiguousarray(legend.colours)
            strip = QImage(colours.data, len(colours), 1, colours.nbytes, QImage.Format.Format_RGB888)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, legend.low)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRectF(left, place.center().y() - _THICK / 2, _BAR, _THICK), strip)
            place.setLeft(left + _BAR + _GAP)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, legend.high)
        painter.end()
        return image

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that the NPZ file holds.

        Returns
        -------
        values : float32 (1 or 3, rows, cols)
            The map's values, in `unit`; the first one belongs to the photo's pixel `corner`.
        kind, unit, run : str
        iterate, number : int
        corner : int (2,)
            Row and column.
        """
        return {
            "values": self.shown.values,
            "kind": np.array(str(self.kind)),
            "unit": np.array(self.shown.unit),
            "run": np.array(self.run),
            "iterate": np.array(self.iterate),
            "number": np.array(self.number),
            "corner": np.array(self.corner),
        }

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write a figure (.png) or the numbers (.npz), depending on the suffix.

        Raises
        ------
        ValueError
            If the suffix is neither, if the file cannot be written, or if it exists and may not be replaced.
        """
        makers = {".png": self._png, ".npz": self._npz}
        if path.suffix.lower() not in makers:
            raise ValueError(f"A map cannot be saved as “{path.name}”; let the name end in .png or .npz.")
        try:
            write_file(path, makers[path.suffix.lower()](), overwrite=overwrite)
        except OSError as error:
            raise ValueError(f"The map “{path}” was not saved: {why_not(error, path)}.") from error

    def _png(self) -> bytes:
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        QImageWriter(buffer, QByteArray(b"PNG")).write(self.image())
        return bytes(buffer.data().data())

    def _npz(self) -> bytes:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **self.arrays())  # type: ignore[arg-type]  # numpy's stub names one keyword of its own
        return buffer.getvalue()
