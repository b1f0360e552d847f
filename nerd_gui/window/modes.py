"""The two modes of the window: to denoise photos, and to explore how the solver works."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup

from nerd_gui.denoising.session_file.fields import Fields
from nerd_gui.window.session.session import Session


class Mode(Enum):
    """What a person wants to do."""

    PHOTO = "photo"
    EXPLORE = "explore"


_WORDS = {
    Mode.PHOTO: ("&Photo", "Denoise photos: open, denoise, compare before and after, save."),
    Mode.EXPLORE: ("&Explore", "Watch how it works: every step of the solver, its curves, and where the heads look."),
}


class Modes(QObject):
    """Holds the current mode. Until a person chooses one, it depends on the photo: *Photo* for one from a camera.

    Pictures that are small enough to run in one piece, such as the built-in ones, open in *Explore*.

    Attributes
    ----------
    actions : dict of Mode to QAction
        Mutually exclusive checkable actions for menu and tool bar.

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
        """The current mode."""
        return self._mode

    def choose(self, mode: Mode) -> None:
        """Switch to a mode because a person chose it; it stays until another choice."""
        self.chosen = mode
        self.take(mode)
        self.chosenByHand.emit(mode)

    def take(self, mode: Mode) -> None:
        """Switch to a mode."""
        self.actions[mode].setChecked(True)
        if mode is not self._mode:
            self._mode = mode
            if mode is Mode.PHOTO:
                self._show_photo()
            self.changed.emit(mode)

    def state(self) -> dict[str, Any]:
        """Return the mode as a JSON-ready value, for `restore`."""
        return {"mode": self._mode.value}

    def restore(self, state: Fields) -> None:
        """Switch to the mode of a session, without changing what is shown.

        Raises
        ------
        ValueError
            If there is no such mode.
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
        """Show the whole photo and the result of its run, so that Save writes the picture on the screen."""
        session = self._session
        if session.shown_region is not None:
            session.show_run(session.whole_run)
        if session.run is not None and session.run.over and session.trajectory:
            session.go(session.trajectory.result)
