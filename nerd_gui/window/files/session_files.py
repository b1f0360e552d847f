"""Opens and saves sessions, and keeps track of their names and of unsaved changes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMessageBox

from nerd_gui.denoising.session_file import SUFFIX, SavedSession, write_session
from nerd_gui.denoising.session_file.fields import Fields
from nerd_gui.imaging import Photo, PhotoNoise, free_name
from nerd_gui.window.files.open_dialogs import OpenDialogs, ask_photos
from nerd_gui.window.files.opener import PhotoOpener
from nerd_gui.window.files.save_dialog import ask_target
from nerd_gui.window.files.saver import Saver, SavingCancelled, Tell
from nerd_gui.window.messages import Messages, question_box
from nerd_gui.window.session.saved import saved, take_up
from nerd_gui.window.session.session import Session

_KIND = "NERD GUI session"


class View(Protocol):
    """A view with a state of its own that a session has to restore."""

    def state(self) -> dict[str, Any]:
        """Return the state as JSON-ready values."""

    def restore(self, state: Fields) -> None:
        """Restore a state; raise ValueError or KeyError if it is not valid."""


class SessionFiles(QObject):
    """Opens and saves the window's sessions.

    Parameters
    ----------
    views : mapping of str to View
        The views whose states are saved with a session.

    Attributes
    ----------
    changes : int
        A count of the changes to what a session holds; see `touched`.

    Signals
    -------
    changed
        `path` or `modified` has changed.
    touched
        Something that a session holds has changed.
    recovered : Path
        The session that was kept in this folder has been opened.
    """

    changed = Signal()
    touched = Signal()
    recovered = Signal(object)
    _written = Signal(object, object, int)  # session, path, changes; sent by the saving thread

    def __init__(
        self,
        window: QMainWindow,
        session: Session,
        views: Mapping[str, View],
        open_dialogs: OpenDialogs,
        opener: PhotoOpener,
        saver: Saver,
        messages: Messages,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._views = views
        self._dialogs = open_dialogs
        self._saver = saver
        self._messages = messages
        self._named: tuple[Photo, Path] | None = None  # a session's photo, and its file
        self._opening: tuple[Path, str, bool] | None = None
        self.changes = self._kept = 0
        opener.photoWanted.connect(self._ask_where)
        self._written.connect(self._on_written)
        workspace = session.workspace
        changing = (workspace.subjectChanged, workspace.regionChanged, session.runs.changed, session.pins.changed)
        for signal in (*changing, session.comparedChanged, session.lookChanged):
            signal.connect(self._touch)
        session.photoChanged.connect(self._on_photo)

    # ---- what is open -------------------------------------------------------------------------------------------

    @property
    def path(self) -> Path | None:
        """The session's file; None if what is open was neither opened from a session file nor saved as one."""
        named = self._named
        return named[1] if named is not None and named[0] is self._session.workspace.photo else None

    @property
    def modified(self) -> bool:
        """Whether the session has a file and has changed since: runs, pins, noise, region or look."""
        return self.path is not None and self.changes != self._kept

    def saved(self, *, under_way: bool = True) -> SavedSession | None:
        """Return what a file has to hold now, see `saved.saved`."""
        return saved(self._session, {name: view.state() for name, view in self._views.items()}, under_way=under_way)

    def _touch(self) -> None:
        self.changes += 1
        self.touched.emit()
        self.changed.emit()

    def _on_photo(self) -> None:
        if self.path is None:
            self._kept = self.changes
        self.changed.emit()

    # ---- opening ------------------------------------------------------------------------------------------------

    def ask_open(self) -> None:
        """Ask for a session and open it."""
        folder = str(self.path.parent if self.path is not None else self._folder())
        name, _ = QFileDialog.getOpenFileName(self._window, "Open session", folder, f"{_KIND} (*{SUFFIX})")
        if name:
            self.open(Path(name))

    def open(self, path: Path, photo: Path | None = None) -> None:
        """Open a session file; `photo` is where its photo is now, if that has changed."""
        self._open(path.absolute(), path.name, photo, named=True)

    def recover(self, folder: Path, name: str, photo: Path | None = None) -> None:
        """Open a session that was kept in a folder after a crash; `name` is its display name."""
        self._open(folder, name, photo, named=False)

    def _open(self, path: Path, name: str, photo: Path | None, *, named: bool) -> None:
        def take(kept: SavedSession, noise: PhotoNoise) -> None:
            take_up(self._session, kept, noise)
            sentence = " ".join(filter(None, (kept.notice, self._restore_views(kept.view))))
            if named:
                self._mark_saved(kept)
                self._named, self._kept = (kept.photo, path), self.changes
                self._dialogs.remember(path)
            else:
                self._take_name(kept)
                self.recovered.emit(path)
            self.changed.emit()
            self._messages.say(f"Opened {name}.")
            if sentence:
                self._messages.keep("session", sentence, warns=True)
            else:
                self._messages.drop("session")

        self._opening = path, name, named
        self._dialogs.open_session(path, name, take, photo)

    def _take_name(self, kept: SavedSession) -> None:
        """Give a recovered session the name of its file, and mark it as modified."""
        file = kept.view.get("file")
        path = file.get("path") if isinstance(file, dict) else None
        if isinstance(path, str):
            self._named, self._kept = (kept.photo, Path(path)), -1

    def _restore_views(self, states: dict[str, Any]) -> str:
        """Restore the states of the views; return a sentence to show if that is not possible."""
        try:
            for name, view in self._views.items():
                if name in states:
                    view.restore(Fields(states[name]))
        except (ValueError, KeyError):
            return "The session is open, but zoom, layers and other settings of its view could not be restored."
        return ""

    def _ask_where(self, sentence: str) -> None:
        """Say that a session's photo is not where it was, and let the person find it."""
        assert self._opening is not None
        box = question_box("photoWantedDialog", f"{sentence} Do you know where it is?", self._window)
        box.setWindowTitle("Open session")
        find = box.addButton("Find the photo…", QMessageBox.ButtonRole.AcceptRole)
        box.addButton("Do not open", QMessageBox.ButtonRole.RejectRole)
        find.clicked.connect(self._find_photo)
        box.open()

    def _find_photo(self) -> None:
        assert self._opening is not None
        path, name, named = self._opening
        if photos := ask_photos(self._window, "Where is the photo of this session?", path.parent):
            self._open(path, name, photos[0], named=named)

    # ---- saving -------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Save the session to its file, or ask for a file."""
        if self.path is not None:
            self._save(self.path, overwrite=True)
        else:
            self.save_as()

    def save_as(self) -> None:
        """Ask for a file and save the session to it."""
        photo = self._session.workspace.photo
        if photo is None:
            return
        suggested = self.path or free_name(self._folder(), photo.name, SUFFIX)
        target = ask_target(self._window, "Save session", suggested, {_KIND: f"*{SUFFIX}"}, photo.path)
        if target is not None:
            path = target.path if target.path.suffix else target.path.with_suffix(SUFFIX)
            self._save(path, overwrite=target.overwrite)

    def _save(self, path: Path, *, overwrite: bool) -> None:
        kept, changes = self.saved(), self.changes
        if kept is None:
            return
        session = kept

        def work(tell: Tell) -> str:
            try:
                write_session(path, session, overwrite=overwrite, tell=tell)
            except SavingCancelled:
                raise SavingCancelled(f"The session was not saved as “{path}”.") from None
            self._written.emit(session, path, changes)
            return ""

        self._saver.save(f"“{path.name}”", f"Saved the session as “{path}”.", work, steps=True)

    def _on_written(self, kept: SavedSession, path: Path, changes: int) -> None:
        if kept.photo is self._session.workspace.photo:
            self._mark_saved(kept)
            self._named, self._kept = (kept.photo, path), changes
            self._dialogs.remember(path)
            self.changed.emit()

    def _mark_saved(self, kept: SavedSession) -> None:
        """Mark the runs that a file holds as saved."""
        numbers = {run.number for run in kept.runs}
        for run in self._session.runs:
            run.saved = run.saved or run.number in numbers

    def _folder(self) -> Path:
        photo = self._session.workspace.photo
        return photo.path.parent if photo is not None and photo.path is not None else Path.home()
