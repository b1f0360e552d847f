"""Logs errors: what happened, where in the program, on which machine. Of a person's files it holds names only."""

import faulthandler
import logging
import platform
import re
import sys
import traceback
from importlib.metadata import PackageNotFoundError, version
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import TextIO

import PySide6

from nerd_gui import __version__
from nerd_gui.window.recovery.places import log_folder

_MOST, _OLDER = 500_000, 3  # most bytes of a log, and number of older logs that are kept
_QUOTED = re.compile(r"(?P<quote>['\"“‘])(?P<folder>(?:~|/|[A-Za-z]:[\\/])[^'\"”’\n]*[\\/])(?P<name>[^'\"”’\\/\n]+)")
_PACKAGES = re.compile(r".*[\\/](?:site-packages|lib[\\/]python[\d.]+)[\\/]")


class Log:
    """The log file, and a second one into which Python writes when native code crashes.

    Parameters
    ----------
    folder : Path
        The folder of both files; it is made if it does not exist.

    Raises
    ------
    OSError
        If the folder or the log cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "nerd-gui.log"
        self._handler = RotatingFileHandler(
            self.path, maxBytes=_MOST, backupCount=_OLDER, encoding="utf-8", errors="backslashreplace", delay=True
        )
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        self._native_path = folder / "nerd-gui-native.log"
        self._native: TextIO | None = None

    def watch_native(self) -> None:
        """Let Python write its stack to a file when native code crashes, which ends the program."""
        if self._native_path.exists() and self._native_path.stat().st_size > _MOST:
            self._native_path.unlink()
        self._native = self._native_path.open("a", encoding="utf-8")
        faulthandler.enable(self._native)

    def write(self, text: str) -> None:
        """Add an entry."""
        self._handler.handle(logging.makeLogRecord({"msg": f"{text}\n", "levelno": logging.ERROR}))

    def close(self) -> None:
        """Close both files."""
        if self._native is not None:
            faulthandler.disable()
            self._native.close()
            self._native = None
        self._handler.close()


def about_machine() -> str:
    """Return the relevant versions in one line."""
    parts = f"NERD GUI {__version__}", f"Python {platform.python_version()}", f"PySide {PySide6.__version__}"
    return ", ".join((*parts, f"torch {_torch_version()}", platform.platform()))


def _torch_version() -> str:
    try:  # without importing torch, since that may be what fails
        return version("torch")
    except PackageNotFoundError:
        return "missing"


def described(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> str:
    """Return an error with its traceback, without the person's folders."""
    lines = traceback.TracebackException(kind, error, where, capture_locals=False)
    for frame in lines.stack:
        frame.filename = _short(frame.filename)
    cause = lines.__cause__ or lines.__context__
    while cause is not None:
        for frame in cause.stack:
            frame.filename = _short(frame.filename)
        cause = cause.__cause__ or cause.__context__
    return without_folders("".join(lines.format()))


def without_folders(text: str) -> str:
    """Return a text with quoted paths reduced to file names, and the home folder replaced by "~" elsewhere."""
    text = text.replace(str(Path.home()), "~")
    return _QUOTED.sub(lambda found: found["quote"] + found["name"], text)


def _short(filename: str) -> str:
    """Return the path of a source file, starting at its package."""
    package = Path(__file__).parents[3]
    if Path(filename).is_relative_to(package):
        return Path(filename).relative_to(package).as_posix()
    return _PACKAGES.sub("", filename)


def log_failed_start(error: Exception) -> tuple[str, str]:
    """Log why the program could not start; return the details, and a sentence that says where the log is."""
    details = f"{about_machine()}\n{described(type(error), error, error.__traceback__)}"
    complain(details)
    try:
        log = Log(log_folder())
        log.write(details)
        log.close()
    except OSError as refused:
        return details, f"No log could be written ({refused.strerror})."
    return details, f"The details are in the log file “{log.path}”."


def is_wanted(kind: type[BaseException]) -> bool:
    """Whether an exception only asks the program to end, which is not an error."""
    return issubclass(kind, KeyboardInterrupt | SystemExit)


def complain(text: str) -> None:
    """Print a message on the terminal, if there is one."""
    if sys.stderr is not None:
        print(text, file=sys.stderr, flush=True)
