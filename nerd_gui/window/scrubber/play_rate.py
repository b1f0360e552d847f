"""The rate at which the iterates are played, and whether they repeat."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from nerd_gui.window.described import described

RATES = (1, 2, 4, 8, 15)  # iterates per second
_USUAL = 4


class PlayRate(QToolButton):
    """A small button that shows the rate, with a menu to choose another one.

    Signals
    -------
    rateChanged
    """

    rateChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(self, "playRate", "", "How fast the iterates are played, and whether they repeat")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setAutoRaise(True)
        self._rates = QActionGroup(self)
        menu = QMenu(self)
        menu.setObjectName("playRateMenu")
        for rate in RATES:
            action = QAction(f"{rate} iterate{'s' if rate > 1 else ''} a second", self._rates)
            action.setObjectName(f"playRate{rate}Action")
            action.setCheckable(True)
            action.setChecked(rate == _USUAL)
            action.setData(rate)
            action.toggled.connect(self._tell)
            menu.addAction(action)
        menu.addSeparator()
        self._loop = menu.addAction("Repeat forever")
        self._loop.setObjectName("playLoopAction")
        self._loop.setCheckable(True)
        self._loop.toggled.connect(self._tell)
        self.setMenu(menu)
        self._tell()

    @property
    def rate(self) -> int:
        """The number of iterates played per second."""
        chosen = self._rates.checkedAction()
        return _USUAL if chosen is None else int(chosen.data())

    @property
    def loops(self) -> bool:
        """Whether playing starts again after the newest iterate."""
        return self._loop.isChecked()

    def _tell(self) -> None:
        again = ", repeating forever" if self.loops else ""
        self.setText(f"{self.rate}/s" + (" ↻" if self.loops else ""))
        self.setAccessibleName(f"Playback rate: {self.rate} a second{again}")
        self.rateChanged.emit()
