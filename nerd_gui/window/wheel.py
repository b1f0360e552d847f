"""Lets the mouse wheel change a number or a list only after it has been clicked or reached by Tab."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QSlider, QWidget

_TURNED = (QAbstractSpinBox, QComboBox, QSlider)


def turn_only_with_focus(window: QWidget) -> None:
    """Let the wheel over spin boxes, lists and sliders without focus scroll what lies below them.

    Otherwise a turn of the wheel, meant to scroll, would change a setting without the person noticing.
    """
    guard = _Guard(window)
    for kind in _TURNED:
        for widget in window.findChildren(kind):
            if widget.focusPolicy() == Qt.FocusPolicy.WheelFocus:
                widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            widget.installEventFilter(guard)


class _Guard(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False
