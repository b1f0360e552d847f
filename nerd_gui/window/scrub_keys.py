"""Lets the scrubber's keys act wherever the focus is in the window, and Return press the focused button."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QMenu,
    QMenuBar,
    QPlainTextEdit,
    QSpinBox,
    QTextEdit,
    QWidget,
)

_RETURN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class ScrubKeys(QObject):
    """Offers the keys of a window to the scrubber before the focused widget acts on them.

    The focused widget keeps all keys while text is being typed, Space if it presses a button or checks a box, and all
    keys in menus. Dialogs are windows of their own and keep their keys.

    Parameters
    ----------
    window : QWidget
        The window; its pop-up panels are included.
    handle : callable
        Acts on one of the scrubber's keys, and returns whether the key was one of them.
    """

    def __init__(self, window: QWidget, handle: Callable[[QKeyEvent], bool]) -> None:
        super().__init__(window)
        self._window = window
        self._handle = handle
        window.installEventFilter(self)  # for keys that no child widget has taken
        application = QGuiApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._watch)

    def _watch(self, before: QWidget | None, now: QWidget | None) -> None:
        """Install the event filter on widgets once they get the focus, so that other events cost nothing."""
        if now is not None and self._is_ours(now):
            now.installEventFilter(self)

    def _is_ours(self, widget: QWidget) -> bool:
        window = widget.window()
        while window.windowType() == Qt.WindowType.Popup:  # a panel that popped up from a button
            owner = window.parentWidget()
            if owner is None or isinstance(owner, QComboBox):  # the open list of a combo box
                return False
            window = owner.window()
        return window is self._window

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Give the scrubber its keys before the focused widget gets them."""
        if not isinstance(event, QKeyEvent) or event.type() == QEvent.Type.KeyRelease:
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            return _leaves_undo(watched, event)
        if event.key() in _RETURN and isinstance(watched, QAbstractButton):
            return _press(watched, event)
        return not _keeps(watched, event.key()) and self._handle(event)


def _press(button: QAbstractButton, event: QKeyEvent) -> bool:
    """Let Return do what Space does, including opening the menu of a button."""
    if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier or event.isAutoRepeat():
        return False
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QApplication.sendEvent(button, QKeyEvent(kind, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier))
    return True


def _leaves_undo(widget: QObject, event: QKeyEvent) -> bool:
    """Give undo and redo to the window when a number field has no typing to undo."""
    if not isinstance(widget, QAbstractSpinBox | QComboBox) or _keeps(widget, event.key()):
        return False
    if not (event.matches(QKeySequence.StandardKey.Undo) or event.matches(QKeySequence.StandardKey.Redo)):
        return False
    event.ignore()
    return True


def _keeps(widget: QObject, key: int) -> bool:
    """Whether a key belongs to the focused widget rather than to the scrubber."""
    if isinstance(widget, QMenu | QMenuBar):
        return True
    if isinstance(widget, QLineEdit | QTextEdit | QPlainTextEdit):
        return not widget.isReadOnly()
    if isinstance(widget, QAbstractSpinBox) or (isinstance(widget, QComboBox) and widget.isEditable()):
        return _is_typed_in(widget)
    return key == Qt.Key.Key_Space and (isinstance(widget, QAbstractButton) or _is_checkable(widget))


def _is_typed_in(widget: QAbstractSpinBox | QComboBox) -> bool:
    """Whether text is being edited; text that is selected as a whole, as after Tab or Return, is not."""
    line = widget.lineEdit()
    if line is None or line.isReadOnly():
        return False
    whole = {line.text()}
    if isinstance(widget, QSpinBox | QDoubleSpinBox):
        whole.add(widget.cleanText())  # the number without its unit
    return line.selectedText() not in whole


def _is_checkable(widget: QObject) -> bool:
    """Whether Space checks or unchecks the current line of a list."""
    if not isinstance(widget, QAbstractItemView):
        return False
    return bool(widget.currentIndex().flags() & Qt.ItemFlag.ItemIsUserCheckable)
