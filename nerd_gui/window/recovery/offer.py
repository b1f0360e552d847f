"""Offers to recover a session whose process ended unexpectedly."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMessageBox, QWidget

from nerd_gui.window.files.session_files import SessionFiles
from nerd_gui.window.messages import question_box
from nerd_gui.window.recovery.keeper import Keeper
from nerd_gui.window.recovery.places import Left


class Offer(QObject):
    """Asks about each session that was left, the newest first, whether to recover it.

    A recovered session is removed once this process has written it again; a session that is neither recovered nor
    discarded is offered again at the next start.

    Parameters
    ----------
    window : QWidget
    log : Path
        The log folder, which may say why the program ended.
    """

    def __init__(
        self,
        window: QWidget,
        sessions: SessionFiles,
        keeper: Keeper,
        left: Iterable[Left],
        log: Path,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._sessions = sessions
        self._keeper = keeper
        self._left = list(left)
        self._log = log
        self._recovered: list[Left] = []
        self._open: Path | None = None
        sessions.recovered.connect(self._on_recovered)
        keeper.written.connect(self._remove_recovered)

    def ask(self) -> None:
        """Ask about the next session, if there is one."""
        if not self._left:
            return
        left = self._left.pop(0)
        today = left.when.date() == datetime.now().date()
        when = f"{left.when:%H:%M}" if today else f"{left.when:%d %B %Y, %H:%M}"
        box = question_box("recoverDialog", f"Recover the session of “{left.name}”, {when}?", self._window)
        box.setInformativeText(
            "The program ended unexpectedly; photo, runs, pins and view were kept. "
            f"The reason may be in the log folder “{self._log}”."
        )
        recover = box.addButton("Recover", QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton("Discard", QMessageBox.ButtonRole.DestructiveRole)
        later = box.addButton("Ask again later", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(recover)
        box.setEscapeButton(later)
        recover.clicked.connect(lambda: self._recover(left))
        discard.clicked.connect(lambda: self._discard(left))
        later.clicked.connect(self.ask)
        box.open()

    def _recover(self, left: Left) -> None:
        self._recovered.append(left)
        self._sessions.recover(left.session, f"the session of {left.name}")

    def _discard(self, left: Left) -> None:
        left.discard()
        self.ask()

    def _on_recovered(self, session: Path) -> None:
        self._open = session
        self._keeper.keep()

    def _remove_recovered(self) -> None:
        """Remove a recovered session, once this process has opened it and written it again."""
        for left in [left for left in self._recovered if left.session == self._open]:
            left.discard()
            self._recovered.remove(left)
            self.ask()
