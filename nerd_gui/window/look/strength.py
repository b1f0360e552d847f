"""The slider for the strength, which is the noise level that the network gets as an input."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from nerd_gui.window.look.percent import Percent
from nerd_gui.window.session.session import Session

_LEAST, _MOST = 20, 300  # percent
#: The strength is chosen when the slider has not moved for so long (milliseconds), since each choice costs a run.
_SETTLED = 400


class Strength(QWidget):
    """Shows and changes the strength of the shown run; hidden if the run's network does not take the noise level.

    100 % is the level that a network is told of this photo if nobody says otherwise.

    Signals
    -------
    chosen : float
        A person has chosen another noise level (0-255 scale).
    """

    chosen = Signal(float)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._percent = Percent(
            "lookStrength",
            "Strength",
            "The noise level that the network gets; 100 % is the level chosen for this photo. Raise it to remove noise "
            "that was left, lower it to keep detail that was lost. A small photo or a region is run again at once, "
            "beginning at the last result; a large photo when you press Run again.",
            _MOST,
            _LEAST,
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._percent)
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(_SETTLED)
        self._settling.timeout.connect(self._choose)
        self._percent.changed.connect(self._settling.start)
        session.trajectoryChanged.connect(self._show)
        self._show()

    def _show(self) -> None:
        told, usual = self._told(), self._usual()
        self.setVisible(told is not None)
        self._settling.stop()
        if told is not None and usual:
            self._percent.show_share(told / usual)

    def _choose(self) -> None:
        if self._percent.held:
            self._settling.start()
        elif usual := self._usual():
            level = round(usual * self._percent.share, 1)  # rounded as in the settings
            self.chosen.emit(min(max(level, 0.1), 255.0))

    def _told(self) -> float | None:
        """The noise level that the shown run's network got; None if it takes none, or if it is not known yet."""
        run = self._session.run
        if run is None:
            return None
        return (run.trajectory if run.trajectory is not None else run).settings.strength

    def _usual(self) -> float | None:
        """The level of a run of this photo for which nobody chose a level; if there is none, that of the shown run."""
        shown = self._session.trajectory
        if shown is None:
            return None
        levels = (
            run.trajectory.settings.strength
            for run in reversed(self._session.runs)
            if run.trajectory is not None and run.settings.strength is None and run.subject.sigma == shown.subject.sigma
        )
        return next((level for level in levels if level), None) or self._told()
