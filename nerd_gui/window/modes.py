"""The two ways to use the window: for a photo, and to watch the solver."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup

from nerd_gui.denoising.session_file.fields import Fields
from nerd_gui.window.session.session import Session


class Mode(Enum):
    """What a person is here for."""

    PHOTO = "photo"
    EXPLORE = "explore"


_WORDS = {
    Mode.PHOTO: ("&Photo", "Denoise photos: open, denoise, compare before and after, save."),
    Mode.EXPLORE: ("&Explore", "Watch how it works: every step of the solver, its curves, and where attention looks."),
}


class Modes(QObject):
    """Which mode is on. Until a person chooses one, it follows what is opened: *Photo* for a camera's photo.

    Pictures that can be run in one piece, such as the built-in ones, are mostly there to be explored.

    Attributes
    ----------
    actions : dict of Mode to QAction
        Exclusive and checkable, for menu and tool bar.

    Signals
    -------
    changed : Mode
    chosenByHand : Mode
    """

    changed = Signal(object)
    chosenByHand = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._mode = Mode.EXPLORE
        self.chosen: Mode | None = None
        group = QActionGroup(self)
        self.actions: dict[Mode, QAction] = {}
        for mode, (text, tip) in _WORDS.items():
            action = QAction(text, parent)
            action.setObjectName(f"{mode.value}ModeAction")
            action.setCheckable(True)
            action.setToolTip(tip)
            action.setStatusTip(tip)
            action.triggered.connect(self._by_hand(mode))
            group.addAction(action)
            self.actions[mode] = action
        self.actions[self._mode].setChecked(True)
        session.photoChanged.connect(self._suit)

    @property
    def mode(self) -> Mode:
        """The one that is on."""
        return self._mode

    def choose(self, mode: Mode) -> None:
        """Take a mode because a person wants it: it is kept from now on."""
        self.chosen = mode
        self.take(mode)
        self.chosenByHand.emit(mode)

    def take(self, mode: Mode) -> None:
        """Turn to a mode."""
        self.actions[mode].setChecked(True)
        if mode is not self._mode:
            self._mode = mode
            if mode is Mode.PHOTO:
                self._show_photo()
            self.changed.emit(mode)

    def state(self) -> dict[str, Any]:
        """What a session keeps of it, for `restore`."""
        return {"mode": self._mode.value}

    def restore(self, state: Fields) -> None:
        """Turn to the mode of a session; what it shows stays as it is.

        Raises
        ------
        ValueError
            If it is none.
        """
        mode = Mode(state.text("mode"))
        self.actions[mode].setChecked(True)
        if mode is not self._mode:
            self._mode = mode
            self.changed.emit(mode)

    def _by_hand(self, mode: Mode) -> Callable[[], None]:
        return lambda: self.choose(mode)

    def _suit(self) -> None:
        if self.chosen is None:
            self.take(Mode.PHOTO if self._session.workspace.needs_region else Mode.EXPLORE)

    def _show_photo(self) -> None:
        """Show the whole photo, and the result of its run: what is saved in this mode is what is seen."""
        session = self._session
        if session.shown_region is not None:
            session.show_run(session.whole_run)
        if session.run is not None and session.run.over and session.trajectory:
            session.go(session.trajectory.result)
