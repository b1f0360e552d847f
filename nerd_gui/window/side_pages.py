"""Two pages beside the picture that share one place: curves and heads, or the analyses."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from nerd_gui.denoising.session_file.fields import Fields
from nerd_gui.window.shortcuts import Shortcut
from nerd_gui.window.style.tokens import SMALL, TIGHT
from nerd_gui.window.tool_bar import Switch


class SidePages(QWidget):
    """The two pages, with a switch between them; `add` puts them in, the curves first.

    Attributes
    ----------
    curves, analysis : QAction
        Mutually exclusive checkable actions for a menu.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QActionGroup(self)
        self._stack = QStackedWidget()
        self.curves = self._page(
            0, "curvesPageAction", "&Curves and heads", "The curves of the run, and where the heads look"
        )
        self.analysis = self._page(1, "analysisPageAction", "Anal&ysis", "Analyses of the shown run's equilibrium")
        self.curves.setChecked(True)
        turn = QAction("Curves or analysis", self)
        turn.setObjectName("otherPageAction")
        turn.setShortcut(Shortcut.PAGE.sequence)
        turn.setToolTip(f"Show the other page ({Shortcut.PAGE.text}).")
        turn.triggered.connect(lambda _: self.turn())
        self.addAction(turn)
        row = QHBoxLayout()
        row.setContentsMargins(SMALL, TIGHT, SMALL, TIGHT)
        row.addWidget(Switch("sidePageSwitch", "Curves or analysis", [self.curves, self.analysis]))
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self._stack, 1)

    def add(self, page: QWidget) -> None:
        """Add a page after those that are there."""
        self._stack.addWidget(page)

    def turn(self) -> None:
        """Show the other page."""
        (self.curves if self.analysis.isChecked() else self.analysis).trigger()

    def state(self) -> dict[str, Any]:
        """Return the shown page as a JSON-ready value, for `restore`."""
        return {"analysis": self.analysis.isChecked()}

    def restore(self, state: Fields) -> None:
        """Show the page of a session.

        Raises
        ------
        ValueError
            If the value is not valid.
        """
        (self.analysis if state.flag("analysis") else self.curves).setChecked(True)

    def _page(self, index: int, name: str, text: str, tip: str) -> QAction:
        action = QAction(text, self)
        action.setObjectName(name)
        action.setCheckable(True)
        action.setToolTip(f"{tip} ({Shortcut.PAGE.text}).")
        action.setStatusTip(f"{tip} ({Shortcut.PAGE.text}).")
        action.toggled.connect(lambda on: self._stack.setCurrentIndex(index) if on else None)
        self._group.addAction(action)
        return action
