"""The selected pin's attention over the iterates: entropy, radius, weight on itself, and a strip of one head's maps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QHideEvent, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from nerd_gui.window.attention.line_plot import HeadLegend, LinePlot, values_of
from nerd_gui.window.attention.measures import scale_maps
from nerd_gui.window.attention.pixel_history import MapsAt, PixelHistory
from nerd_gui.window.attention.rollout_history import RolloutHistory
from nerd_gui.window.colour_map import coloured
from nerd_gui.window.described import described
from nerd_gui.window.session.session import Session
from nerd_gui.window.style.tokens import CAPTION_PIXELS, SMALL, TIGHT, colours, sized

_CELL = 52  # pixels, the side of a small map
_ROLLOUT = "all heads, rollout"
_NO_PIN = "Pin a pixel to see how its attention changes from iterate to iterate."


class MapsStrip(QWidget):
    """A strip with a small map for each iterate; the shown iterate's map is framed.

    Signals
    -------
    iterateRequested(int)
        A person clicked a map, or dragged the pointer over it.
    """

    iterateRequested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._images: dict[int, tuple[QImage, MapsAt]] = {}
        self._count, self._index = 0, -1

    def set_maps(self, found: Mapping[int, MapsAt], head: int, count: int, *, log: bool, shared: bool) -> None:
        """Show a head's known maps out of `count` iterates, with one shared colour range or one for each map."""
        maps = {index: at.weights[head].astype(np.float64) for index, at in found.items()}
        ends = None
        if shared and maps:
            ends = min(float(each.min()) for each in maps.values()), max(float(each.max()) for each in maps.values())
        self._images = {}
        for index, each in maps.items():
            unit, _, _ = scale_maps(each[None], log=log, shared=shared, ends=ends)
            rgb = np.ascontiguousarray(coloured(unit[0]))
            rows, cols = rgb.shape[:2]
            image = QImage(rgb.data, cols, rows, 3 * cols, QImage.Format.Format_RGB888).copy()
            self._images[index] = image, found[index]
        self._count = count
        self.setFixedSize(self.sizeHint())
        self.update()

    def set_index(self, index: int) -> None:
        """Draw the frame around an iterate's map."""
        self._index = index
        self.update()

    def cell(self, index: int) -> QRectF:
        """Return the place at which an iterate's map is drawn."""
        return QRectF(2 + index * (_CELL + TIGHT), 2, _CELL, _CELL)

    def sizeHint(self) -> QSize:
        """Space for a map for each iterate, with its number below."""
        text = QFontMetrics(sized(self.font(), CAPTION_PIXELS)).height()
        return QSize(4 + self._count * (_CELL + TIGHT), _CELL + 6 + text)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the maps that are in view."""
        painter = QPainter(self)
        painter.setFont(sized(self.font(), CAPTION_PIXELS))
        scheme = colours(self.palette())
        for index in range(self._count):
            cell = self.cell(index)
            if not cell.adjusted(0, 0, 0, 40).intersects(QRectF(event.rect())):
                continue
            if index in self._images:
                image, at = self._images[index]
                pixel = _CELL / at.window
                place = QRectF(cell.topLeft() + QPointF(at.col, at.row) * pixel, QPointF())
                place.setSize(image.size().toSizeF() * pixel)
                painter.drawImage(place, image)
            shown = index == self._index
            painter.setPen(QPen(QColor(scheme.accent if shown else scheme.frame), 2 if shown else 1))
            painter.drawRect(cell)
            painter.setPen(QColor(scheme.text))
            under = QRectF(cell.left(), cell.bottom() + 2, cell.width(), self.height() - cell.bottom() - 2)
            painter.drawText(under, Qt.AlignmentFlag.AlignHCenter, str(index))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Request the iterate under the pointer."""
        if event.button() == Qt.MouseButton.LeftButton and self._count:
            index = int(event.position().x() - 2) // (_CELL + TIGHT)
            self.iterateRequested.emit(min(max(index, 0), self._count - 1))
        else:
            event.ignore()


class OverIterates(QWidget):
    """Three plots with a line for each head, above a strip of one head's maps; it reads maps only while visible."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("overIterates")
        self.setAccessibleName("Attention over the iterates")
        self._session = session
        self.log, self.shared = False, False
        self.history, self.rollout = PixelHistory(session, self), RolloutHistory(session, self)
        self._build()
        self.history.changed.connect(self._show)
        self.rollout.changed.connect(self._show)
        session.indexChanged.connect(self._show_index)

    def _build(self) -> None:
        self._plots = {
            "entropy": described(
                LinePlot("entropy (bit)", "{:.1f}"),
                "entropyPlot",
                "Entropy of each head over the iterates",
                "Over how many pixels each head spreads, as a logarithm to base 2. Click to see an iterate",
            ),
            "radius": described(
                LinePlot("radius (px)", "{:.1f}"),
                "radiusPlot",
                "Effective radius of each head over the iterates",
                "How far each head looks: the root of the weighted mean squared distance. Click to see an iterate",
            ),
            "itself": described(
                LinePlot("weight on itself", "{:.3f}"),
                "itselfPlot",
                "Weight of the pixel on itself, of each head over the iterates",
                "How much of its own value the pixel keeps. Click to see an iterate",
            ),
        }
        plots = QHBoxLayout()
        plots.setSpacing(SMALL)
        for plot in self._plots.values():
            plot.iterateRequested.connect(self._session.go)
            plots.addWidget(plot, 1)
        self._legend = HeadLegend()
        self.head = described(
            QComboBox(),
            "overIteratesHeadCombo",
            "Head of the maps in the strip",
            "The head whose map is shown for every iterate. Rollout: which pixels the pinned pixel depends on through "
            "all steps up to the result: its row in A_N A_N₋₁ … A_i with A = (I + mean of the heads) / 2, on a "
            "logarithmic scale",
        )
        self.head.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.head.currentIndexChanged.connect(self._choose)
        row = QHBoxLayout()
        row.addWidget(self._legend, 1)
        row.addWidget(self.head)
        self.strip = described(
            MapsStrip(), "mapsStrip", "Maps of one head over the iterates", "A map for every iterate. Click to go there"
        )
        self.strip.iterateRequested.connect(self._session.go)
        self._area = QScrollArea()
        self._area.setObjectName("mapsStripArea")
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._area.setWidget(self.strip)
        for ground in (self._area.viewport(), self.strip):  # transparent, so that the panel's colour shows
            ground.setAutoFillBackground(False)
        self._words = QLabel(_NO_PIN)
        self._words.setObjectName("overIteratesWords")
        self._words.setProperty("quiet", True)
        self._words.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(TIGHT)
        column.addWidget(self._words)
        column.addLayout(plots, 1)
        column.addLayout(row)
        column.addWidget(self._area)

    def scale(self, *, log: bool, shared: bool) -> None:
        """Change the colour scaling of the strip's maps."""
        self.log, self.shared = log, shared
        self._show()

    # ---- inside -------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        found, newest = self.history.found, self._session.newest
        heads = len(next(iter(found.values())).entropy) if found else 0
        self._legend.set_heads(heads)
        if heads and self.head.count() != heads + 1:
            with QSignalBlocker(self.head):
                self.head.clear()
                self.head.addItems([*(f"head {head + 1}" for head in range(heads)), _ROLLOUT])
        if self.followed_back:
            maps = self.rollout.found
            self.strip.set_maps(maps, 0, newest + 1 if maps else 0, log=True, shared=False)
        else:
            chosen = max(self.head.currentIndex(), 0)
            self.strip.set_maps(found, chosen, newest + 1 if found else 0, log=self.log, shared=self.shared)
        why = _NO_PIN if self._session.pins.selected is None else self.rollout.why_none if self.followed_back else ""
        self._words.setText(why)
        self._words.setVisible(bool(why))
        self._area.setFixedHeight(self.strip.sizeHint().height() + self._area.horizontalScrollBar().sizeHint().height())
        self._show_index()

    @property
    def followed_back(self) -> bool:
        """Whether the rollout is chosen for the strip."""
        return self.head.currentText() == _ROLLOUT

    def _choose(self) -> None:
        self.rollout.want(self.followed_back and self.isVisible())
        self._show()

    def _show_index(self) -> None:
        index = self._session.index
        if not self.isVisible():
            return
        for name, plot in self._plots.items():
            values = values_of([(i, getattr(at, name)) for i, at in self.history.found.items()])
            plot.set_points(values, self._session.newest, index)
        self.strip.set_index(index)
        cell = self.strip.cell(max(index, 0)).center().toPoint()
        self._area.ensureVisible(cell.x(), cell.y(), _CELL, 0)

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to read the maps."""
        super().showEvent(event)
        self.history.want(True)
        self._choose()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop reading the maps."""
        super().hideEvent(event)
        self.history.want(False)
        self.rollout.want(False)

    def changeEvent(self, event: QEvent) -> None:
        """Repaint in the window's new colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
