"""Protects a window while it is open as a program: keeps its session and logs errors."""

from __future__ import annotations

from pathlib import Path

from nerd_gui.window.main_window import MainWindow
from nerd_gui.window.recovery.crash import CrashReporter
from nerd_gui.window.recovery.keeper import Keeper
from nerd_gui.window.recovery.log import Log, complain
from nerd_gui.window.recovery.offer import Offer
from nerd_gui.window.recovery.places import left_sessions, log_folder, own_folder, state_folder


class Guard:
    """Keeps a window's session, offers sessions left by earlier processes, and reports and logs errors.

    Parameters
    ----------
    window : MainWindow
    state, log : Path, optional
        Folders for sessions and logs; by default the person's own.
    """

    def __init__(self, window: MainWindow, state: Path | None = None, log: Path | None = None) -> None:
        state = state or state_folder()
        self._window = window
        self.keeper = Keeper(window.sessions, window.session, window.messages, own_folder(state), window)
        self.reporter: CrashReporter | None = None
        self._log: Log | None = None
        folder = log or log_folder()
        try:
            self._log = Log(folder)
            self._log.watch_native()
        except OSError as error:
            complain(f"nerd-gui: no log can be written to “{folder}” ({error.strerror}).")
        else:
            self.reporter = CrashReporter(
                window, self._log, self.keeper.keep, self._what_is_kept, window.sessions.save_as
            )
            self.reporter.install()
        self._offer = Offer(window, window.sessions, self.keeper, left_sessions(state), folder, window)

    def offer(self) -> None:
        """Offer to recover a session that was left, if there is one."""
        self._offer.ask()

    def end(self) -> None:
        """Stop everything, because the program ends normally."""
        self.keeper.end()
        if self.reporter is not None:
            self.reporter.remove()
        if self._log is not None:
            self._log.close()

    def _what_is_kept(self) -> str:
        photo, runs, pins = self._window.session.workspace.photo, self._window.session.runs, self._window.session.pins
        if photo is None:
            return "The program continues."
        counts = [f"{len(runs)} run{'s' * (len(runs) != 1)}"] * bool(len(runs))
        counts += [f"{len(pins.all)} pin{'s' * (len(pins.all) != 1)}"] * bool(pins.all)
        if not counts:
            return f"The program continues, and the photo “{photo.name}” is still open."
        return (
            f"The program continues. The photo “{photo.name}” with {' and '.join(counts)} is still open and has been "
            "kept: if the program ends now, you can recover it at the next start."
        )
