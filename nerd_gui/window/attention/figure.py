"""The attention maps as a figure, and as files: PNG, SVG, and their numbers as NPZ."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QImageWriter, QPainter, QPen
from PySide6.QtSvg import QSvgGenerator

from nerd_gui.files import why_not, write_file
from nerd_gui.window.attention.head_map import draw_cross
from nerd_gui.window.attention.measures import effective_radius, entropy_bits, place_in_window, scale_maps
from nerd_gui.window.attention.pixel_maps import PixelMaps
from nerd_gui.window.colour_map import coloured
from nerd_gui.window.style.tokens import series_colour
from nerd_gui.window.wording import scientific

# Pixels: a map, the gap between maps, the margin, the text beside a row, a line of text.
_CELL, _GAP, _MARGIN, _HEAD, _LINE = 150, 12, 16, 104, 16
_SCALE = 2
_TEXT, _FAINT, _PAPER = QColor("#1d2125"), QColor("#8b939b"), QColor("#ffffff")


@dataclass(frozen=True, eq=False)
class MappedPixel:
    """A pixel with its maps; `row` and `col` count in the photo, `number` is that of its pin, or 0 without a pin."""

    number: int
    row: int
    col: int
    found: PixelMaps


@dataclass(frozen=True, eq=False)
class MapsFigure:
    """The maps of several pixels at one iterate.

    Attributes
    ----------
    run : str
        The name of the run.
    iterate : int
    pixels : tuple of MappedPixel, at least one
        All pixels belong to one run, so they have the same number of heads and the same window.
    log, shared : bool
        How the colours are scaled, see `scale_maps`.
    """

    run: str
    iterate: int
    pixels: tuple[MappedPixel, ...]
    log: bool
    shared: bool

    @property
    def heads(self) -> int:
        """The number of heads, H."""
        return self.pixels[0].found.maps.weights.shape[1]

    @property
    def size(self) -> QSize:
        """Width and height in logical pixels."""
        width = 2 * _MARGIN + _HEAD + (1 + self.heads) * (_CELL + _GAP) - _GAP
        return QSize(width, 2 * _MARGIN + 3 * _LINE + len(self.pixels) * self._step() + _LINE)

    def image(self) -> QImage:
        """Draw the figure, at twice its logical size."""
        image = QImage(self.size * _SCALE, QImage.Format.Format_RGB32)
        image.fill(_PAPER)
        painter = QPainter(image)
        painter.scale(_SCALE, _SCALE)
        self._draw(painter)
        painter.end()
        return image

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that the NPZ file holds.

        Returns
        -------
        weights : float32 (pixels, heads, q, q)
            Weight i, j belongs to the photo's pixel (top + i, left + j); it is NaN outside the part that was run.
        pin, row, col, top, left : int (pixels,)
            The pin's number (0 without a pin), the query pixel in the photo, and its window's first row and column.
        window, iterate : int
        run : str
        """
        q = self.pixels[0].found.window
        weights = np.full((len(self.pixels), self.heads, q, q), np.nan, np.float32)
        corners = []
        for place, pixel in enumerate(self.pixels):
            maps, each = pixel.found.maps, pixel.found.weights
            down, across = place_in_window(maps, q)
            weights[place, :, down : down + each.shape[1], across : across + each.shape[2]] = each
            corners.append((pixel.row - maps.row + maps.top - down, pixel.col - maps.col + maps.left - across))
        return {
            "weights": weights,
            "pin": np.array([pixel.number for pixel in self.pixels]),
            "row": np.array([pixel.row for pixel in self.pixels]),
            "col": np.array([pixel.col for pixel in self.pixels]),
            "top": np.array([top for top, _ in corners]),
            "left": np.array([left for _, left in corners]),
            "window": np.array(q),
            "iterate": np.array(self.iterate),
            "run": np.array(self.run),
        }

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write a picture (.png, .svg) or the numbers (.npz), depending on the suffix.

        Raises
        ------
        ValueError
            If the suffix is none of these, if the file cannot be written, or if it exists and may not be replaced.
        """
        makers = {".png": self._png, ".svg": self._svg, ".npz": self._npz}
        if path.suffix.lower() not in makers:
            raise ValueError(f"Maps cannot be saved as “{path.name}”; let the name end in .png, .svg or .npz.")
        try:
            write_file(path, makers[path.suffix.lower()](), overwrite=overwrite)
        except OSError as error:
            raise ValueError(f"“{path}” was not saved: {why_not(error, path)}.") from error

    # ---- inside -------------------------------------------------------------------------------------------------

    def _step(self) -> int:
        return _CELL + 3 * _LINE + _GAP

    def _png(self) -> bytes:
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        QImageWriter(buffer, QByteArray(b"PNG")).write(self.image())
        return bytes(buffer.data().data())

    def _svg(self) -> bytes:
        buffer = QBuffer()
        generator = QSvgGenerator()
        generator.setOutputDevice(buffer)
        generator.setSize(self.size)
        generator.setViewBox(QRect(0, 0, self.size.width(), self.size.height()))
        generator.setTitle("Attention maps of a NERD run")
        painter = QPainter(generator)
        painter.fillRect(QRect(0, 0, self.size.width(), self.size.height()), _PAPER)
        self._draw(painter)
        painter.end()
        return bytes(buffer.data().data())

    def _npz(self) -> bytes:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **self.arrays())  # type: ignore[arg-type]  # numpy's stubs take the names for flags
        return buffer.getvalue()

    def _draw(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _write(painter, QRectF(_MARGIN, _MARGIN, 900, _LINE), f"{self.run} · iterate {self.iterate}", strong=True)
        for column, title in enumerate(("around the pixel", *(f"head {head + 1}" for head in range(self.heads)))):
            place = QRectF(self._left(column), _MARGIN + 2 * _LINE - 2, _CELL, _LINE)
            _write(painter, place, title, middle=True)
        weights = [pixel.found.weights for pixel in self.pixels]
        ends = None
        if self.shared:
            ends = min(float(each.min()) for each in weights), max(float(each.max()) for each in weights)
        for line, (pixel, each) in enumerate(zip(self.pixels, weights, strict=True)):
            unit, _, _ = scale_maps(each, log=self.log, shared=self.shared, ends=ends)
            self._draw_row(painter, _MARGIN + 3 * _LINE + line * self._step(), pixel, each, unit)
        bottom = _MARGIN + 3 * _LINE + len(self.pixels) * self._step()
        low = "0" if not self.log else "least" if ends is None else scientific(ends[0])
        high = "largest weight of each map" if ends is None else scientific(ends[1])
        bar = QRectF(self._left(1), bottom + 3, _CELL, 10)
        painter.drawImage(bar, _as_image(coloured(np.linspace(0, 1, 256)[None])))
        scale = "logarithmic" if self.log else "linear"
        _write(
            painter, QRectF(_MARGIN, bottom, self._left(1) - _MARGIN - 6, _LINE), f"softmax weight   {low}", end=True
        )
        _write(painter, QRectF(bar.right() + 6, bottom, 400, _LINE), f"{high} ({scale})")

    def _left(self, column: int) -> int:
        return _MARGIN + _HEAD + column * (_CELL + _GAP)

    def _draw_row(self, painter: QPainter, top: int, pixel: MappedPixel, weights: np.ndarray, unit: np.ndarray) -> None:
        if pixel.number:
            disc = QRectF(_MARGIN, top, 18, 18)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(series_colour(pixel.number - 1, dark=False))
            painter.drawEllipse(disc)
            _write(painter, disc, str(pixel.number), middle=True, strong=True, colour=_PAPER)
        for line, words in enumerate((f"row {pixel.row}", f"column {pixel.col}")):
            _write(painter, QRectF(_MARGIN, top + 22 + line * _LINE, _HEAD, _LINE), words)
        self._draw_map(painter, QRectF(self._left(0), top, _CELL, _CELL), pixel.found, pixel.found.rgb)
        row, col = pixel.found.maps.row - pixel.found.maps.top, pixel.found.maps.col - pixel.found.maps.left
        for head, (each, shares) in enumerate(zip(weights, unit, strict=True)):
            left = self._left(head + 1)
            self._draw_map(painter, QRectF(left, top, _CELL, _CELL), pixel.found, coloured(shares))
            for line, words in enumerate(
                (
                    f"entropy {entropy_bits(each):.1f} bit",
                    f"radius {effective_radius(each, row, col):.1f} px",
                    f"max {scientific(float(each.max()))}",
                )
            ):
                _write(painter, QRectF(left, top + _CELL + 2 + line * _LINE, _CELL, _LINE), words, middle=True)

    def _draw_map(self, painter: QPainter, square: QRectF, found: PixelMaps, rgb: np.ndarray) -> None:
        down, across = place_in_window(found.maps, found.window)
        cell = _CELL / found.window
        rows, cols = rgb.shape[:2]
        place = QRectF(square.left() + across * cell, square.top() + down * cell, cols * cell, rows * cell)
        times = max(1, round(_SCALE * cell))  # enlarged here, because viewers of SVG files would smooth small pictures
        painter.drawImage(place, _as_image(np.repeat(np.repeat(rgb, times, 0), times, 1)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(_FAINT, 1))
        painter.drawRect(square)
        at = found.maps.row - found.maps.top + down + 0.5, found.maps.col - found.maps.left + across + 0.5
        draw_cross(painter, QPointF(square.left() + at[1] * cell, square.top() + at[0] * cell), cell, square)


def _as_image(rgb: np.ndarray) -> QImage:
    pixels = np.ascontiguousarray(rgb)
    rows, cols = pixels.shape[:2]
    return QImage(pixels.data, cols, rows, 3 * cols, QImage.Format.Format_RGB888).copy()


def _write(
    painter: QPainter,
    place: QRectF,
    words: str,
    *,
    middle: bool = False,
    end: bool = False,
    strong: bool = False,
    colour: QColor = _TEXT,
) -> None:
    font = QFont(painter.font())
    font.setPixelSize(13 if strong else 12)
    font.setBold(strong)
    painter.setFont(font)
    painter.setPen(colour)
    side = (
        Qt.AlignmentFlag.AlignHCenter if middle else Qt.AlignmentFlag.AlignRight if end else Qt.AlignmentFlag.AlignLeft
    )
    painter.drawText(place, side | Qt.AlignmentFlag.AlignVCenter, words)
