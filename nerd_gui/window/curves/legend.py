"""The legend above a plot: a sample of each line with its name and its value at the cursor."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QLineF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QWidget
from superqt import QFlowLayout

from nerd_gui.window.style.tokens import CAPTION_PIXELS, SMALL, TIGHT, sized

_SAMPLE = (16, 10)
_CHECK = 16  # pixels, the side of a box without text
NO_VALUE = "–"


class LegendRow(QWidget):
    """Entries side by side, in as many lines as needed; the height always fits all lines."""

    def __init__(self) -> None:
        super().__init__()
        self._flow = QFlowLayout(self)
        self._flow.setContentsMargins(8, 0, 0, 0)
        self._flow.setHorizontalSpacing(SMALL)
        self._flow.setVerticalSpacing(2)

    def add(self, entry: LegendEntry) -> None:
        """Append an entry; beside one with a check box all are as high as it, so that their words form one line."""
        self._flow.addWidget(entry)
        entries = self.findChildren(LegendEntry)
        if any(each.check is not None for each in entries):
            for each in entries:
                each.setMinimumHeight(_CHECK)

    def hasHeightForWidth(self) -> bool:
        """No, because a layout that asks for heights by width would forget the plots' least heights."""
        return False

    def event(self, event: QEvent) -> bool:
        """Fix the height to that of all lines when the width or an entry has changed."""
        handled = super().event(event)
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self.setFixedHeight(self._flow.heightForWidth(self.width()))
        return handled


class LegendEntry(QWidget):
    """A curve's line sample, name and value, with a check box if the curve can be hidden.

    Parameters
    ----------
    name : str
        The name written before the value.
    widest : str
        A value as wide as any, for which there is always room, so that the legend stays as it is during a run.
    check : QCheckBox, optional
        The check box that shows and hides the curve.
    """

    def __init__(self, object_name: str, name: str, tip: str, widest: str = "", check: QCheckBox | None = None) -> None:
        super().__init__()
        self.name = name
        self.check = check
        self._value, self._widest = NO_VALUE, widest
        self._sample = QLabel()
        self._drawn: tuple[float, QPen, QPainterPath | None] | None = None
        self._text = QLabel()
        self._text.setObjectName(object_name)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setFont(sized(self.font(), CAPTION_PIXELS))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(TIGHT)
        if check is not None:
            row.addWidget(check)
            check.setFixedWidth(_CHECK)
            check.toggled.connect(self._show)
        row.addWidget(self._sample)
        row.addWidget(self._text)
        for widget in self.findChildren(QWidget):
            widget.setToolTip(tip)
        self._show()

    @property
    def text(self) -> str:
        """The name and the value; the name alone if the curve is hidden."""
        return self._text.text()

    def set_value(self, value: str) -> None:
        """Show the curve's value at the cursor."""
        self._value = value
        self._show()

    def _show(self) -> None:
        drawn = self.check is None or self.check.isChecked()
        self._sample.setVisible(drawn)
        self._text.setText(f"{self.name} {self._value}" if drawn else self.name)
        room = self._text.fontMetrics().horizontalAdvance(f"{self.name} {self._widest}")
        self._text.setMinimumWidth(room if drawn and self._widest else 0)

    def set_pen(self, pen: QPen, symbol: QPainterPath | None = None) -> None:
        """Draw the line sample with a pen."""
        drawn = self.devicePixelRatioF(), QPen(pen), symbol
        if drawn != self._drawn:
            self._drawn = drawn
            self._sample.setPixmap(line_sample(drawn[0], pen.color(), pen.widthF(), pen.style(), symbol))


def line_sample(
    ratio: float,
    colour: QColor,
    width: float,
    style: Qt.PenStyle = Qt.PenStyle.SolidLine,
    symbol: QPainterPath | None = None,
) -> QPixmap:
    """Return a picture of a short piece of a curve, for a screen with `ratio` device pixels per logical pixel."""
    wide, tall = _SAMPLE
    pixmap = QPixmap(round(wide * ratio), round(tall * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, width, style))
    painter.drawLine(QLineF(0, tall / 2, wide, tall / 2))
    if symbol is not None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.translate(wide / 2, tall / 2)
        painter.scale(6, 6)
        painter.drawPath(symbol)
    painter.end()
    return pixmap
