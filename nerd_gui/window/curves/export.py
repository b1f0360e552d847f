"""Writes curves to files: their numbers (CSV), or their picture (PNG, SVG)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QLineF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QImage, QImageWriter, QPainter, QPen
from PySide6.QtSvg import QSvgGenerator

from nerd_gui.denoising import Trajectory
from nerd_gui.files import why_not, write_file
from nerd_gui.window.curves.plot import CurvePlot
from nerd_gui.window.curves.theme import PAPER

#: The names of lines, with the pens that draw them.
Legend = Sequence[tuple[str, QPen]]
#: A plot with the names of its lines.
Figure = tuple[CurvePlot, Legend]
_LEGEND_HEIGHT, _MARGIN, _LETTER, _SAMPLE, _SPACE = 22, 8, 11, 22, 20  # pixels
_PNG_SCALE = 3


def save_csv(path: Path, runs: Sequence[tuple[str, Trajectory]], *, overwrite: bool = False) -> None:
    """Write a line for each iterate of each run: the run's name, the numbers of the report, and 1 at the result.

    Undefined numbers are left empty.

    Raises
    ------
    ValueError
        If there is no iterate yet, if the file cannot be written, or if it exists and may not be replaced.
    """
    rows = [
        {
            "run": name,
            **iterate.as_record(),
            "restarted": int(iterate.restarted),
            "evaluations": iterate.evaluations,
            "result": int(iterate.index == trajectory.result),
        }
        for name, trajectory in runs
        for iterate in trajectory.iterates
    ]
    if not rows:
        raise ValueError("There are no curves to save yet; run the denoiser first.")
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    _write(path, text.getvalue().encode(), overwrite)


def save_picture(path: Path, runs: Legend, figures: Sequence[Figure], *, overwrite: bool = False) -> None:
    """Write plots below each other with their legends, dark on white, as PNG or SVG depending on the suffix of `path`.

    The runs are named at the top, one in each line.

    Raises
    ------
    ValueError
        If the suffix is neither, if the file cannot be written, or if it exists and may not be replaced.
    """
    makers = {".png": _png, ".svg": _svg}
    if path.suffix.lower() not in makers:
        raise ValueError(f"Curves cannot be saved as “{path.name}”; let the name end in .png or .svg.")
    named = [*figures, *((figures[0][0], [run]) for run in runs)]
    width = max(max(plot.width(), _legend_width(plot, legend)) for plot, legend in named) + 2 * _MARGIN
    height = sum(plot.height() + _LEGEND_HEIGHT for plot, _ in figures) + len(runs) * _LEGEND_HEIGHT + 2 * _MARGIN
    _write(path, makers[path.suffix.lower()](runs, figures, QSize(width, height)), overwrite)


def _write(path: Path, data: bytes, overwrite: bool) -> None:
    try:
        write_file(path, data, overwrite=overwrite)
    except OSError as error:
        raise ValueError(f"“{path}” was not saved: {why_not(error, path)}.") from error


def _png(runs: Legend, figures: Sequence[Figure], size: QSize) -> bytes:
    image = QImage(size * _PNG_SCALE, QImage.Format.Format_RGB32)
    image.fill(PAPER.background)
    painter = QPainter(image)
    painter.scale(_PNG_SCALE, _PNG_SCALE)
    _draw(painter, runs, figures)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"PNG")).write(image)
    return bytes(buffer.data().data())


def _svg(runs: Legend, figures: Sequence[Figure], size: QSize) -> bytes:
    # Not pyqtgraph's own SVG exporter, which fails on closed paths. Its purpose, clipping, is not needed here, because
    # the plots show their curves completely.
    buffer = QBuffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(figures[0][0].logicalDpiX())  # otherwise the axes, which Qt stores as drawings, are scaled
    generator.setSize(size)
    generator.setViewBox(QRect(0, 0, size.width(), size.height()))
    generator.setTitle("Curves of NERD runs")
    painter = QPainter(generator)
    painter.fillRect(QRect(0, 0, size.width(), size.height()), PAPER.background)
    _draw(painter, runs, figures)
    painter.end()
    return bytes(buffer.data().data())


def _draw(painter: QPainter, runs: Legend, figures: Sequence[Figure]) -> None:
    """Draw legends and plots below each other."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    top = _MARGIN
    for run in runs:
        _draw_legend(painter, figures[0][0], [run], top)
        top += _LEGEND_HEIGHT
    for plot, legend in figures:
        _draw_legend(painter, plot, legend, top)
        top += _LEGEND_HEIGHT
        with plot.as_figure():
            place = QRectF(_MARGIN, top, plot.width(), plot.height())
            plot.scene().render(painter, place, QRectF(plot.mapToScene(plot.rect()).boundingRect()))
        top += plot.height()


def _legend_font(plot: CurvePlot) -> QFont:
    font = QFont(plot.font())
    font.setPixelSize(_LETTER)
    return font


def _legend_width(plot: CurvePlot, legend: Legend) -> int:
    metrics = QFontMetrics(_legend_font(plot))
    return sum(_SAMPLE + metrics.horizontalAdvance(word) + _SPACE for word, _ in legend)


def _draw_legend(painter: QPainter, plot: CurvePlot, legend: Legend, top: int) -> None:
    painter.setFont(_legend_font(plot))
    left, middle = 2 * _MARGIN, top + _LEGEND_HEIGHT / 2
    for word, pen in legend:
        painter.setPen(pen)
        painter.drawLine(QLineF(left, middle, left + _SAMPLE, middle))
        painter.setPen(PAPER.text)
        width = painter.fontMetrics().horizontalAdvance(word) + _SPACE
        place = QRectF(left + _SAMPLE + 5, top, width, _LEGEND_HEIGHT)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, word)
        left += _SAMPLE + width
