"""Finds faults in the look of a window: measures every visible widget and reads its pixels."""

from itertools import combinations

import numpy as np
from painted_text import paints_itself, wrong_text
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QScrollBar,
    QSizeGrip,
    QSplitterHandle,
    QStyle,
    QStyleOptionComboBox,
    QToolButton,
    QWidget,
)

LEAST_CONTRAST = 4.5  # contrast of text that WCAG 2.2 requires (1.4.3)
_FRAME = 3  # pixels at the border of a control, which are not text
_WORDS = (QLabel, QAbstractButton, QComboBox, QAbstractSpinBox)


def complaints(window):
    """Return all faults as sentences; the list is empty if there are none."""
    widgets = [widget for widget in window.findChildren(QWidget) if _is_there(widget, window)]
    picture = _pixels(window.grab().toImage())
    ratio = picture.shape[1] / window.width()
    return [
        *(f"{_name(widget)}: its text “{text}” does not fit" for widget in widgets if (text := too_long(widget))),
        *(f"{_name(widget)} lies outside" for widget in widgets if _is_outside(widget, window)),
        *overlaps(window, widgets),
        *(words for widget in widgets if (words := pale(widget, window, picture, ratio))),
        *(words for widget in widgets if paints_itself(widget) for words in _painted(widget, window, picture)),
    ]


def _painted(widget, window, picture):
    """What is wrong with the text that a widget paints itself."""
    if any(not viewport.rect().contains(_place(widget, viewport)) for viewport in _viewports(widget)):
        return ()  # scrolled out of sight
    place = _place(widget, window)
    patch = picture[place.top() : place.bottom() + 1, place.left() : place.right() + 1]
    return wrong_text(widget, _name(widget), patch, contrast, LEAST_CONTRAST)


def _is_there(widget, window):
    return widget.isVisible() and widget.window() is window and min(widget.width(), widget.height()) > 0


def _name(widget):
    name = widget.objectName() or type(widget).__name__
    return f"{name} in {_name(widget.parentWidget())}" if not widget.objectName() and widget.parentWidget() else name


def _text(widget):
    if isinstance(widget, QComboBox):
        return widget.currentText()
    if isinstance(widget, QToolButton) and widget.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly:
        return "" if not widget.icon().isNull() else widget.text()
    if isinstance(widget, QAbstractButton):
        return widget.text().replace("&", "")
    return widget.text() if isinstance(widget, (QLabel, QAbstractSpinBox)) else ""


def too_long(widget):
    """Return the text that does not fit into its widget; empty if it fits."""
    text = _text(widget)
    if not text or isinstance(widget.parentWidget(), (QComboBox, QAbstractSpinBox)):
        return ""
    metrics, room = widget.fontMetrics(), widget.contentsRect().size()
    if isinstance(widget, QLabel):
        if hasattr(widget, "elideMode"):  # an ellipsis shows that there is more, and the tooltip has the whole text
            return ""
        margins = 2 * widget.margin()
        wrap = Qt.TextFlag.TextWordWrap if widget.wordWrap() else Qt.TextFlag.TextShowMnemonic
        needed = metrics.boundingRect(QRect(0, 0, room.width() - margins, 10_000), wrap, text).size()
        fits = needed.width() <= room.width() - margins + 1 and needed.height() <= room.height() - margins + 1
        return "" if fits else text
    width = metrics.horizontalAdvance(text)
    if isinstance(widget, QComboBox):
        option = QStyleOptionComboBox()
        widget.initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        box = widget.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, widget)
        return "" if width <= box.width() else text
    if isinstance(widget, QAbstractSpinBox):
        return "" if width <= widget.findChild(QLineEdit).width() else text
    beside = widget.iconSize().width() if not widget.icon().isNull() else 0
    return "" if width + beside <= room.width() and metrics.height() <= room.height() else text


def _is_outside(widget, window):
    """Return whether a part of it is outside the window, or outside a parent that cannot be scrolled to it."""
    rect, parent = widget.rect(), widget.parentWidget()
    while parent is not None and widget is not window:
        place = QRect(widget.mapTo(parent, rect.topLeft()), rect.size())
        area = parent.parentWidget()
        if isinstance(area, QAbstractScrollArea) and area.viewport() is parent:
            across = area.horizontalScrollBarPolicy() != Qt.ScrollBarPolicy.ScrollBarAlwaysOff
            return not across and (place.left() < 0 or place.right() > parent.width() - 1)
        if parent is window:
            return not window.rect().contains(place)
        parent = parent.parentWidget()
    return False


def overlaps(window, widgets):
    """Return pairs of sibling widgets that overlap."""
    by_parent = {}
    for widget in widgets:
        ignored = isinstance(widget, (QSizeGrip, QScrollBar, QSplitterHandle))
        if not ignored and not isinstance(widget.parentWidget(), (QAbstractScrollArea, QComboBox, QAbstractSpinBox)):
            by_parent.setdefault(widget.parentWidget(), []).append(widget)
    return [
        f"{_name(one)} and {_name(other)} overlap"
        for siblings in by_parent.values()
        for one, other in combinations(siblings, 2)
        if one.geometry().intersects(other.geometry())
    ]


def pale(widget, window, picture, ratio):
    """Describe the low contrast of a widget's text; empty if it is readable or the widget is disabled."""
    if not _text(widget) or not isinstance(widget, _WORDS) or not widget.isEnabled():
        return ""
    if any(not viewport.rect().contains(_place(widget, viewport)) for viewport in _viewports(widget)):
        return ""  # scrolled out of view
    top_left = widget.mapTo(window, QPoint()) * ratio
    rows, cols = round(widget.height() * ratio), round(widget.width() * ratio)
    patch = picture[top_left.y() : top_left.y() + rows, top_left.x() : top_left.x() + cols]
    patch = patch[_FRAME:-_FRAME, _FRAME:-_FRAME].reshape(-1, 3)
    if not len(patch):
        return ""
    packed, counts = np.unique(patch.astype(np.uint32) @ (1 << 16, 1 << 8, 1), return_counts=True)
    colours = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1)
    best = contrast(colours[counts.argmax()], colours).max()
    return "" if best >= LEAST_CONTRAST else f"{_name(widget)}: the contrast of “{_text(widget)}” is {best:.1f}"


def _viewports(widget):
    """Return the viewports that contain it."""
    found, parent = [], widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            found.append(parent.viewport())
        parent = parent.parentWidget()
    return found


def _place(widget, ancestor):
    return QRect(widget.mapTo(ancestor, QPoint()), widget.size())


def _pixels(image):
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return flat[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()  # the image is released now


def contrast(one, other):
    """Return the contrast of colours (0–255, arrays of shape (..., 3)), from 1 to 21, as defined in WCAG 2.2."""
    one, other = _luminance(one), _luminance(other)
    return (np.maximum(one, other) + 0.05) / (np.minimum(one, other) + 0.05)


def _luminance(colours):
    values = np.asarray(colours) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)
