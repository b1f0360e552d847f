"""The menu “Edit”: what can be taken back, and the pins; and the full screen."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QMenu

from nerd_gui.window.session.session import Session
from nerd_gui.window.shortcuts import Shortcut


class EditActions:
    """Makes the actions, puts them into the menu bar, and lets them be used when they can be."""

    def __init__(self, window: QMainWindow, session: Session) -> None:
        self._window = window
        self._session = session
        history = session.history
        self.undo = history.createUndoAction(window, "&Undo")
        self.redo = history.createRedoAction(window, "&Redo")
        self.next_pin, self.remove_pin, self.full_screen = (
            QAction(text, window) for text in ("Select &next pin", "Remo&ve pin", "&Full screen")
        )
        _name(self.undo, "undoAction", "Take back what was changed last", Shortcut.UNDO)
        _name(self.redo, "redoAction", "Change it again", Shortcut.REDO)
        _name(self.next_pin, "nextPinAction", "Show the maps of another pin", Shortcut.NEXT_PIN)
        _name(self.remove_pin, "removePinAction", "Remove the selected pin")
        _name(self.full_screen, "fullScreenAction", "Fill the screen, or leave it again", Shortcut.FULL_SCREEN)
        self.next_pin.triggered.connect(lambda _: self._select_next())
        self.remove_pin.triggered.connect(lambda _: self._remove_selected())
        self.full_screen.triggered.connect(lambda _: self._fill_screen())
        session.pins.changed.connect(self._update)
        self._build_menus()
        self._update()

    def _build_menus(self) -> None:
        """Put “Edit” after “File”, and the full screen into “View”."""
        bar = self._window.menuBar()
        _, view = bar.actions()[:2]
        edit = QMenu("&Edit", self._window)
        edit.setObjectName("editMenu")
        bar.insertMenu(view, edit)
        edit.addActions([self.undo, self.redo])
        edit.addSeparator()
        edit.addActions([self.next_pin, self.remove_pin])
        shown = view.menu()
        assert isinstance(shown, QMenu)
        shown.addSeparator()
        shown.addAction(self.full_screen)

    def _update(self) -> None:
        pins = self._session.pins
        self.next_pin.setEnabled(len(pins.all) > 1)
        self.remove_pin.setEnabled(pins.selected is not None)

    def _select_next(self) -> None:
        pins = sorted(self._session.pins.all, key=lambda pin: pin.number)
        selected = self._session.pins.selected
        if pins and selected is not None:
            self._session.pins.select(pins[(pins.index(selected) + 1) % len(pins)])

    def _remove_selected(self) -> None:
        if self._session.pins.selected is not None:
            self._session.pins.remove(self._session.pins.selected)

    def _fill_screen(self) -> None:
        self._window.setWindowState(self._window.windowState() ^ Qt.WindowState.WindowFullScreen)


def _name(action: QAction, name: str, tip: str, shortcut: Shortcut | None = None) -> None:
    action.setObjectName(name)
    if shortcut is not None:
        action.setShortcut(shortcut.sequence)
        tip = f"{tip} ({shortcut.text})"
    action.setToolTip(f"{tip}.")
    action.setStatusTip(f"{tip}.")
