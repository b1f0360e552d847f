"""Asks, before the window closes, what to do about unsaved work."""

from __future__ import annotations

from PySide6.QtWidgets import QMainWindow, QMessageBox

from nerd_gui.window.files.export_dialogs import ExportDialogs
from nerd_gui.window.files.saver import Saver
from nerd_gui.window.files.session_files import SessionFiles
from nerd_gui.window.messages import question_box
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session

_Role = QMessageBox.ButtonRole


class Closing:
    """Asks about a session that has changed since it was saved, and about denoised photos that were not saved.

    The question blocks nothing: the window stays open, a run continues, and only the answer closes the window.
    """

    def __init__(
        self, window: QMainWindow, session: Session, sessions: SessionFiles, exports: ExportDialogs, saver: Saver
    ) -> None:
        self._window = window
        self._session = session
        self._sessions = sessions
        self._exports = exports
        self._saver = saver
        self._answered = False

    def may_close(self) -> bool:
        """Whether the window may close: nothing would be lost, or a person has agreed. Otherwise, ask the person."""
        answered, self._answered = self._answered, False
        if answered:
            return True
        session_changed, missed = self._sessions.modified, self._session.missed
        if not session_changed and not missed:
            return True
        if self._window.findChild(QMessageBox, "closeDialog") is None:
            self._ask(missed)
        return False

    def _ask(self, missed: dict[str, list[Run]]) -> None:
        photo, path = self._session.workspace.photo, self._sessions.path
        here = missed.pop(photo.name, []) if photo is not None else []
        denoised = next((run for run in reversed(here) if run.for_the_picture and run.over), None)
        sentences = []
        if self._sessions.modified and path is not None:
            sentences.append(f"The session “{path.name}” has changed since it was saved.")
        elif here and photo is not None:
            sentences.append(_what_is_not_saved(photo.name, here))
        if missed:
            sentences.append(f"The results for {_listed(missed)} are not saved either; choose File, Go back to.")
        box = question_box("closeDialog", " ".join(sentences), self._window)
        saves = []
        if denoised is not None:
            saves.append(box.addButton("Save photo…", _Role.AcceptRole))
            saves[-1].clicked.connect(lambda: self._save_photo(denoised))
        if self._sessions.modified or any(run.trajectory for run in here):
            saves.append(box.addButton("Save session" if path is not None else "Save session…", _Role.AcceptRole))
            saves[-1].clicked.connect(self._save_session)
        box.addButton("Close without saving", _Role.DestructiveRole).clicked.connect(self._close)
        cancel = box.addButton("Cancel", _Role.RejectRole)
        box.setEscapeButton(cancel)
        box.setDefaultButton((saves or [cancel])[0])
        box.open()

    def _save_photo(self, run: Run) -> None:
        self._session.show_run(run)
        self._exports.ask_iterate()
        self._close_when_saved()

    def _save_session(self) -> None:
        self._session.controller.stop()  # the session is then saved in its final state
        self._sessions.save()
        self._close_when_saved()

    def _close_when_saved(self) -> None:
        """Close once everything is saved; the window stays open if the person chose no file name."""
        if self._saver.busy:
            self._saver.when_idle(self._window.close)

    def _close(self) -> None:
        self._answered = True
        self._window.close()


def _what_is_not_saved(photo: str, runs: list[Run]) -> str:
    """Return a sentence about the runs of a photo that were not saved."""
    for run in reversed(runs):
        progress = run.progress
        if progress is not None and 0 < progress.done < progress.count:
            state = "was stopped" if run.over else "is not finished"
            return f"Denoising “{photo}” {state}: {progress.done} of {progress.count} tiles are done, and not saved."
        if run.for_the_picture and not run.over:
            return f"The photo “{photo}” is being denoised."
    if any(run.for_the_picture for run in runs):
        return f"The denoised photo “{photo}” is not saved."
    some = "A run" if len(runs) == 1 else f"{len(runs)} runs"
    return f"{some} of “{photo}” took long, and the results are not saved."


def _listed(names: dict[str, list[Run]]) -> str:
    quoted = [f"“{name}”" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
