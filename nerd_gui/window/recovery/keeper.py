"""Writes the session to disk while the window is open, so that it can be recovered after a crash."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QThread, QTimer, Signal

from nerd_gui.denoising import PhotoProgress
from nerd_gui.denoising.session_file import SavedRun, SavedSession, SessionFolder
from nerd_gui.files import why_not
from nerd_gui.imaging import Photo
from nerd_gui.window.files.session_files import SessionFiles
from nerd_gui.window.messages import Messages
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session
from nerd_gui.window.threads import release

#: A photo that is being solved is written after this many seconds, or this many times as long as the last write took.
TILES_PATIENCE, TILES_TIMES = 300.0, 20
PATIENCE = 60_000  # milliseconds after a change within which it is written
_MOST = 8 << 30  # most bytes of noise estimates that are written
_SHARE = 0.5  # and the most in relation to the free disk space


class Keeper(QObject):
    """Writes the session to a folder: after each run, and within a minute of any other change.

    Photos that were left for others stay there with their runs. Only what has changed is written, on a thread. While a
    whole photo is being solved, every tile changes all of its data: it is written when the run ends, stops or pauses,
    and in between every few minutes, together with everything else that has changed.

    Parameters
    ----------
    folder : Path
        A folder of this process alone; `end` removes it.

    Signals
    -------
    written
        Everything that has changed is on disk.
    """

    written = Signal()

    def __init__(
        self,
        sessions: SessionFiles,
        session: Session,
        messages: Messages,
        folder: Path,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._sessions = sessions
        self._session = session
        self._messages = messages
        self._folder = folder
        self._kept: list[tuple[Photo, SessionFolder]] = []  # the open photo, and those that were left
        self._count = 0
        self._in_place: set[int] = set()  # numbers of runs whose noise estimates have changed in place
        self._writing: _Writing | None = None
        self._solving: Run | None = None  # the run that was written while it was being solved
        self._began = self._took = 0.0  # the last write: when it began, and how long it took
        self._again = self._complained = self._ended = False
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE)
        self._patience.timeout.connect(self.keep)
        sessions.touched.connect(self._on_change)
        session.indexChanged.connect(self._on_change)
        session.controller.progressed.connect(self._on_progressed)
        session.controller.ended.connect(lambda *_: self._soon())
        session.controller.failed.connect(lambda *_: self._soon())
        session.controller.pausedChanged.connect(lambda paused: self._soon() if paused else None)

    @property
    def busy(self) -> bool:
        """Whether a session is being written."""
        return self._writing is not None

    def keep(self, *, under_way: bool = False) -> None:
        """Write what has changed now; `under_way` includes a whole photo that is being solved."""
        self._patience.stop()
        if self._ended:
            return
        if self._writing is not None:
            self._again = True
            return
        controller = self._session.controller
        solving = controller.run if controller.running and not controller.paused else None
        if not under_way and solving is not None and solving is self._solving:
            return  # writing without this run would remove the run's data from the folder
        self._solving = solving if under_way else None
        kept = self._sessions.saved(under_way=under_way)
        if kept is None:
            return
        known = next((folder for photo, folder in self._kept if photo is kept.photo), None)
        if known is None and not (kept.runs or kept.pins):
            return  # it has no runs yet, so opening the photo again restores everything
        folder = known if known is not None else self._new_folder()
        left = self._session.left_photos
        self._kept = [(photo, one) for photo, one in self._kept if any(photo is other for other in left)]
        self._kept.append((kept.photo, folder))
        path = self._sessions.path
        view = kept.view | {"file": {"path": None if path is None else str(path)}}
        stay = frozenset(one.path for _, one in self._kept)
        self._writing = writing = _Writing(folder, replace(kept, view=view), frozenset(self._in_place), stay, self)
        self._in_place.clear()
        self._began = time.monotonic()
        writing.finished.connect(self._on_written)
        writing.start(QThread.Priority.LowPriority)

    def end(self) -> None:
        """Remove the folder and stop writing, because the program ends normally."""
        self._ended = True
        self._patience.stop()
        if self._writing is not None:
            self._writing.ended.set()
            self._writing.wait()
            self._writing = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _new_folder(self) -> SessionFolder:
        self._count += 1
        return SessionFolder(self._folder / str(self._count))

    def _on_change(self) -> None:
        if not self._patience.isActive() and not self._ended:
            self._patience.start(PATIENCE)

    def _soon(self) -> None:
        """Write once the current events have been handled, since other views also react to the run's end."""
        if not self._ended:
            self._patience.start(0)

    def _on_progressed(self, run: Run, progress: PhotoProgress) -> None:
        self._in_place.add(run.number)
        if progress.phase == "sample":
            self._began = time.monotonic()
        elif time.monotonic() - self._began > max(TILES_PATIENCE, TILES_TIMES * self._took):
            self.keep(under_way=True)

    def _on_written(self) -> None:
        writing, self._writing = self._writing, None
        if writing is None:  # `end` has waited for this thread
            return
        release(writing)
        self._took = time.monotonic() - self._began
        if writing.error is not None:
            self._in_place |= writing.in_place
            self._complain(writing.error)
        if self._again:
            self._again = False
            self.keep()
        elif writing.error is None:
            self.written.emit()

    def _complain(self, error: OSError) -> None:
        """Show once that the session cannot be kept."""
        if not self._complained:
            self._complained = True
            why = why_not(error, error.filename or self._folder)
            sentence = f"The session cannot be kept for recovery after a crash: {why}."
            self._messages.keep("recovery", sentence, button="Save session…", do=self._sessions.save, warns=True)


class _Writing(QThread):
    """Writes a session to its folder, and removes all other folders except those in `stay`."""

    def __init__(
        self,
        folder: SessionFolder,
        session: SavedSession,
        in_place: frozenset[int],
        stay: frozenset[Path],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._stay = stay
        self.error: OSError | None = None
        self.ended = threading.Event()
        self.in_place = in_place
        self._target = folder
        self._kept = session

    def run(self) -> None:
        """Write the session; Qt calls this on the thread itself."""
        try:
            self._target.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._target.write(_bounded(self._kept, self._target.path), self.in_place, self._count)
            for other in self._target.path.parent.iterdir():
                if other not in self._stay:
                    shutil.rmtree(other, ignore_errors=True)
        except OSError as error:
            self.error = error
        except _Ended:
            return

    def _count(self, _: int) -> None:
        if self.ended.is_set():
            raise _Ended


class _Ended(Exception):
    """Raised to abandon writing, because the program ends."""


def _bounded(session: SavedSession, folder: Path) -> SavedSession:
    """Return the session with as many of its newest runs as fit into the allowed disk space."""
    room = min(_MOST, int(_SHARE * shutil.disk_usage(folder).free))
    kept: list[SavedRun] = []
    for run in reversed(session.runs):
        size = sum(iterate.n_hat.nbytes for iterate in run.trajectory.iterates)
        if size <= room:
            room -= size
            kept.insert(0, run)
    if len(kept) == len(session.runs):
        return session
    numbers = {run.number for run in kept}
    compared = session.compared if session.compared is not None and session.compared[0] in numbers else None
    return replace(
        session, runs=tuple(kept), shown=session.shown if session.shown in numbers else None, compared=compared
    )
