"""Draws a run in the list, and lets a person edit its name there."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette, QPen
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from nerd_gui.window.runs.model import ROW, Row
from nerd_gui.window.style.tokens import CAPTION_PIXELS, SMALL, TEXT_PIXELS, colours, is_dark, series_colour, sized

_Index = QModelIndex | QPersistentModelIndex
_BOX, _PICTURE, _PADDING = 16, 40, 6
_SHOWN_TINT = 0.16  # opacity of the accent colour behind the shown run


class RunDelegate(QStyledItemDelegate):
    """Draws a check box in the run's colour, a picture of the result, and lines for state, settings and results."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Return the size of a row."""
        return QSize(200, row_height(option.font))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint a row."""
        row: Row = index.data(ROW)
        palette, rect = option.palette, option.rect
        colour = series_colour(row.number - 1, dark=is_dark(palette))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if row.shown:
            accent = QColor(colours(palette).accent)
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), accent)
            accent.setAlphaF(_SHOWN_TINT)
            painter.fillRect(rect, accent)
        _draw_box(painter, check_rect(rect), colour, row.overlaid, palette)
        picture = _picture_rect(rect)
        painter.fillRect(picture, palette.mid())
        if row.thumbnail is not None:
            painter.drawImage(picture, row.thumbnail)
        self._draw_words(painter, option, row)
        if row.progress is not None:
            bar = QRectF(rect.left(), rect.bottom() - 1, rect.width() * row.progress, 2)
            painter.fillRect(bar, colour)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(palette.highlight().color(), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.restore()

    def _draw_words(self, painter: QPainter, option: QStyleOptionViewItem, row: Row) -> None:
        scheme = colours(option.palette)
        text, second = QColor(scheme.text), QColor(scheme.second)
        small = sized(option.font, CAPTION_PIXELS)
        name_font = sized(option.font, TEXT_PIXELS, strong=row.shown)
        state = f"settings changed · {row.state}" if row.changed else row.state
        first, asked, found = _lines(option.rect, option.font)
        state_width = min(QFontMetrics(small).horizontalAdvance(state) + SMALL, first.width() * 2 // 3)
        name_width = first.width() - state_width - SMALL
        for font, colour, place, words, alignment in (
            (name_font, text, QRect(first.topLeft(), QSize(name_width, first.height())), row.name, _LEFT),
            (small, second, first.adjusted(first.width() - state_width, 0, 0, 0), state, _RIGHT),
            (small, second, asked, row.asked, _LEFT),
            (small, text, found, row.found, _LEFT),
        ):
            painter.setFont(font)
            painter.setPen(colour)
            elided = QFontMetrics(font).elidedText(words, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, alignment, elided)

    # ---- the name -----------------------------------------------------------------------------------------------

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: _Index) -> QWidget:
        """Return the field in which a name is typed."""
        editor = QLineEdit(parent)
        editor.setObjectName("runNameEdit")
        editor.setAccessibleName("Name of the run")
        editor.setToolTip("Enter keeps the new name, Esc the old one.")
        return editor

    def setEditorData(self, editor: QWidget, index: _Index) -> None:
        """Show the name, unless a person is typing a new one: the rows of a running run are updated all the time."""
        if isinstance(editor, QLineEdit) and not editor.isModified():
            editor.setText(index.data(Qt.ItemDataRole.EditRole))
            editor.selectAll()

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: _Index) -> None:
        """Put the field over the name."""
        first, *_ = _lines(option.rect, option.font)
        editor.setGeometry(first.adjusted(-3, -3, 0, 3))


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def check_rect(row: QRect) -> QRect:
    """Return the place of the check box in a row."""
    return QRect(row.left() + SMALL, row.center().y() - _BOX // 2, _BOX, _BOX)


def row_height(font: QFont) -> int:
    """Return the height of a row."""
    words = QFontMetrics(sized(font, TEXT_PIXELS)).height() + 2 * QFontMetrics(sized(font, CAPTION_PIXELS)).height()
    return max(words, _PICTURE) + 2 * _PADDING


def _picture_rect(row: QRect) -> QRect:
    return QRect(check_rect(row).right() + 1 + SMALL, row.center().y() - _PICTURE // 2, _PICTURE, _PICTURE)


def _lines(row: QRect, font: QFont) -> tuple[QRect, QRect, QRect]:
    left = _picture_rect(row).right() + 1 + SMALL
    width = row.right() - SMALL - left
    tall, small = QFontMetrics(sized(font, TEXT_PIXELS)).height(), QFontMetrics(sized(font, CAPTION_PIXELS)).height()
    top = row.top() + (row.height() - tall - 2 * small) // 2
    return (
        QRect(left, top, width, tall),
        QRect(left, top + tall, width, small),
        QRect(left, top + tall + small, width, small),
    )


def _draw_box(painter: QPainter, box: QRect, colour: QColor, checked: bool, palette: QPalette) -> None:
    painter.setPen(QPen(colour, 2))
    painter.setBrush(colour if checked else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(box).adjusted(1, 1, -1, -1), 3, 3)
    if checked:
        painter.setPen(QPen(palette.base().color(), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        left, top = box.left(), box.top()
        painter.drawPolyline([QPointF(left + x, top + y) for x, y in ((4, 8), (7, 11), (12, 5))])
