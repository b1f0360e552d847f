"""The menu “Edit” with undo, clipboard and pins; and the full screen."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QMainWindow, QMenu, QWidget

from nerd_gui.window.actions import Actions
from nerd_gui.window.clipboard import Clipboard, offer
from nerd_gui.window.session.session import Session
from nerd_gui.window.shortcuts import Shortcut


class EditActions:
    """Makes the actions, puts them into the menu bar, and enables those that are possible at the moment."""

    def __init__(self, window: QMainWindow, session: Session, clipboard: Clipboard) -> None:
        self._window = window
        self._session = session
        history = session.history
        self.undo = history.createUndoAction(window, "&Undo")
        self.redo = history.createRedoAction(window, "&Redo")
        self.clipboard = clipboard
        self.next_pin, self.remove_pin, self.save_maps, self.full_screen = (
            QAction(text, window)
            for text in ("Select &next pin", "Remo&ve pin\tDel", "Save a&ttention maps…", "&Full screen")
        )
        _name(self.save_maps, "saveMapsAction", "Save the maps of all pins as PNG, SVG or numbers")
        _name(self.undo, "undoAction", "Undo the last change", Shortcut.UNDO)
        _name(self.redo, "redoAction", "Redo the change that was undone last", Shortcut.REDO)
        _name(self.next_pin, "nextPinAction", "Show the maps of the next pin", Shortcut.NEXT_PIN)
        _name(self.remove_pin, "removePinAction", "Remove the selected pin")
        _name(self.full_screen, "fullScreenAction", "Enter or leave the full screen", Shortcut.FULL_SCREEN)
        self.next_pin.triggered.connect(lambda _: self._select_next())
        self.remove_pin.triggered.connect(lambda _: self._remove_selected())
        self.full_screen.triggered.connect(lambda _: self._fill_screen())
        for number, key in enumerate(Shortcut.PIN_OF_NUMBER.value[0], 1):
            QShortcut(QKeySequence(key), window, lambda number=number: self._select(number))
        session.pins.changed.connect(self._update)
        self._build_menus()
        self._update()

    def _build_menus(self) -> None:
        """Insert “Edit” after “File”, and add the full screen to “View”."""
        bar = self._window.menuBar()
        first, view = bar.actions()[:2]
        file = first.menu()
        assert isinstance(file, QMenu)
        report = next(action for action in file.actions() if action.objectName() == "exportReportAction")
        file.insertAction(report, self.save_maps)
        edit = QMenu("&Edit", self._window)
        edit.setObjectName("editMenu")
        bar.insertMenu(view, edit)
        edit.addActions([self.undo, self.redo])
        edit.addSeparator()
        edit.addActions(self.clipboard.actions)
        edit.addSeparator()
        edit.addActions([self.next_pin, self.remove_pin])
        shown = view.menu()
        assert isinstance(shown, QMenu)
        shown.addSeparator()
        shown.addAction(self.full_screen)

    def offer_menus(self, do: Actions, picture: QWidget, curves: QWidget, maps: QWidget) -> None:
        """Give picture, curves and maps their context menus."""
        clipboard = self.clipboard
        pins = [self.next_pin, self.remove_pin, do.clear_pins]
        offer(
            picture,
            [clipboard.copy_picture, clipboard.paste, None, do.export, do.export_map, do.hold, do.region, None, *pins],
        )
        offer(curves, [clipboard.copy_curves])
        offer(maps, [clipboard.copy_maps, self.save_maps, None, *pins])

    def _update(self) -> None:
        pins = self._session.pins
        self.next_pin.setEnabled(len(pins.all) > 1)
        self.remove_pin.setEnabled(pins.selected is not None)

    def _select(self, number: int) -> None:
        pin = next((pin for pin in self._session.pins.all if pin.number == number), None)
        if pin is not None:
            self._session.pins.select(pin)

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
