"""An answer as a figure, and as files: PNG, SVG, and its numbers as NPZ or JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QGuiApplication, QImage, QImageWriter, QPainter
from PySide6.QtSvg import QSvgGenerator

from nerd_gui.analysis.catalogue import Analysis, Shown
from nerd_gui.analysis.folder import save_arrays, save_numbers
from nerd_gui.denoising.analysed import Analysed
from nerd_gui.files import why_not, write_file
from nerd_gui.window.analyses.drawing import Ink, PlotDrawing
from nerd_gui.window.analyses.value_picture import draw_values, image_of, range_words
from nerd_gui.window.style.tokens import series_colour

_WIDTH, _MARGIN, _GAP, _LINE = 720.0, 20.0, 14.0, 18.0  # logical pixels
_SIDE, _PLOT, _SCALE = 216.0, 300.0, 2  # side of a picture, height of a plot, PNG pixels per logical pixel
_PAPER = Ink(QColor("#1d2125"), QColor("#5c646c"), QColor("#d9dde1"), lambda slot: series_colour(slot, dark=False))


@dataclass(frozen=True, eq=False)
class AnalysisFigure:
    """The answer of one analysis of a run, ready to be saved.

    Attributes
    ----------
    run : str
        The run's label.
    analysis : Analysis
    found : Analysed
    shown : Shown
        The answer's table, pictures and plots.
    """

    run: str
    analysis: Analysis
    found: Analysed
    shown: Shown

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write a figure (.png, .svg), the arrays (.npz) or the numbers (.json), depending on the suffix.

        Raises
        ------
        ValueError
            If the suffix is none of these, if the file cannot be written, or if it exists and may not be replaced.
        """
        suffix = path.suffix.lower()
        try:
            if suffix == ".npz":
                save_arrays(path, self.analysis.name, self.found, overwrite=overwrite)
            elif suffix == ".json":
                save_numbers(path, {self.analysis.name: self.found.numbers}, overwrite=overwrite)
            elif suffix in (".png", ".svg"):
                write_file(path, self._png() if suffix == ".png" else self._svg(), overwrite=overwrite)
            else:
                raise ValueError(f"Analyses cannot be saved as “{path.name}”; use .png, .svg, .npz or .json.")
        except OSError as error:
            raise ValueError(f"“{path}” was not saved: {why_not(error, path)}.") from error

    @property
    def size(self) -> QSize:
        """Width and height in logical pixels."""
        return QSize(round(_WIDTH), round(self._draw(None)))

    def image(self) -> QImage:
        """Draw the figure, at twice its logical size."""
        image = QImage(self.size * _SCALE, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.white)
        painter = QPainter(image)
        painter.scale(_SCALE, _SCALE)
        self._draw(painter)
        painter.end()
        return image

    # ---- inside -------------------------------------------------------------------------------------------------

    def _png(self) -> bytes:
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        QImageWriter(buffer, QByteArray(b"PNG")).write(self.image())
        return bytes(buffer.data().data())

    def _svg(self) -> bytes:
        buffer, size = QBuffer(), self.size
        generator = QSvgGenerator()
        generator.setOutputDevice(buffer)
        generator.setSize(size)
        generator.setViewBox(QRect(0, 0, size.width(), size.height()))
        generator.setTitle(f"{self.analysis.title} {self.run}")
        painter = QPainter(generator)
        painter.fillRect(QRect(0, 0, size.width(), size.height()), Qt.GlobalColor.white)
        self._draw(painter)
        painter.end()
        return bytes(buffer.data().data())

    def _draw(self, painter: QPainter | None) -> float:
        """Draw the figure from top to bottom, or only measure it if `painter` is None; return its height."""
        if painter is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = _MARGIN
        top = _write(painter, self.analysis.title, top, strong=True)
        top = _write(painter, self.run, top, colour=_PAPER.second)
        top = _write(painter, self.shown.says, top + 4) + _GAP / 2
        top = self._draw_table(painter, top) + _GAP
        top = self._draw_pictures(painter, top)
        for plot in self.shown.plots:
            place = QRectF(_MARGIN, top, _WIDTH - 2 * _MARGIN, _PLOT)
            if painter is not None:
                painter.setFont(_font())
                PlotDrawing(plot, place, QFontMetrics(_font()).height()).draw(painter, _PAPER)
            top += _PLOT + _GAP
        return top + _MARGIN - _GAP

    def _draw_table(self, painter: QPainter | None, top: float) -> float:
        table = self.shown.table
        cells = [table.columns, *table.rows] if table.columns else list(table.rows)
        metrics = QFontMetrics(_font())
        count = max((len(row) for row in cells), default=0)
        widths = [max(metrics.horizontalAdvance(row[col]) for row in cells) + 24.0 for col in range(count)]
        for number, row in enumerate(cells):
            left = _MARGIN
            for col, words in enumerate(row):
                head = bool(table.columns) and number == 0
                side = Qt.AlignmentFlag.AlignLeft if col == 0 else Qt.AlignmentFlag.AlignRight
                if painter is not None:
                    painter.setFont(_font())
                    painter.setPen(_PAPER.second if head or col == 0 else _PAPER.text)
                    place = QRectF(left, top, widths[col] - (0 if col else 24), _LINE)
                    painter.drawText(place, side | Qt.AlignmentFlag.AlignVCenter, words)
                left += widths[col]
            top += _LINE
        return top

    def _draw_pictures(self, painter: QPainter | None, top: float) -> float:
        pictures = self.shown.pictures
        across = int((_WIDTH - 2 * _MARGIN + _GAP) // (_SIDE + _GAP))
        for number, picture in enumerate(pictures):
            row, col = divmod(number, across)
            left, y = _MARGIN + col * (_SIDE + _GAP), top + row * (_SIDE + 2 * _LINE + _GAP)
            if painter is None:
                continue
            painter.setFont(_font())
            for words, line, colour in (
                (picture.title, y, _PAPER.text),
                (range_words(picture), y + _LINE + _SIDE, _PAPER.second),
            ):
                painter.setPen(colour)
                painter.drawText(QRectF(left, line, _SIDE, _LINE), Qt.AlignmentFlag.AlignHCenter, words)
            rows, cols = picture.values.shape
            scale = _SIDE / max(rows, cols)
            area = QRectF(left, y + _LINE, cols * scale, rows * scale)
            image = image_of(picture, 4096)
            times = max(1, round(_SCALE * scale))  # enlarged, because SVG viewers would smooth small pictures
            large = image.scaled(image.size() * times) if times > 1 else image
            draw_values(painter, area, large, picture, _PAPER.grid)
        return top + -(-len(pictures) // across) * (_SIDE + 2 * _LINE + _GAP)


def _font(*, strong: bool = False) -> QFont:
    font = QFont(QGuiApplication.font())
    font.setPixelSize(15 if strong else 12)
    font.setBold(strong)
    return font


def _write(
    painter: QPainter | None, words: str, top: float, *, strong: bool = False, colour: QColor = _PAPER.text
) -> float:
    """Write a paragraph, and return the y at which it ends."""
    font = _font(strong=strong)
    wrap = Qt.TextFlag.TextWordWrap
    box = QFontMetrics(font).boundingRect(QRect(0, 0, round(_WIDTH - 2 * _MARGIN), 1000), wrap, words)
    if painter is not None:
        painter.setFont(font)
        painter.setPen(colour)
        painter.drawText(QRectF(_MARGIN, top, _WIDTH - 2 * _MARGIN, box.height() + 2), wrap, words)
    return top + box.height() + 3
