"""The folders in which sessions are kept while their windows are open: one for each process."""

import platform
import re
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import platformdirs
import psutil

from nerd_gui.files import from_json

_APP = "nerd-gui"


def state_folder() -> Path:
    """Return the folder in which sessions are kept for recovery."""
    return platformdirs.user_state_path(_APP, appauthor=False) / "sessions"


def log_folder() -> Path:
    """Return the folder of the logs."""
    return platformdirs.user_log_path(_APP, appauthor=False)


def own_folder(root: Path) -> Path:
    """Return the path of this process's folder, which may not exist yet."""
    process = psutil.Process()
    return root / f"{_host()}-{process.pid}-{process.create_time():.2f}"


@dataclass(frozen=True)
class Left:
    """A session whose process has ended.

    Attributes
    ----------
    folder : Path
        The folder of the process.
    session : Path
        A folder in `folder` that `read_session` can read.
    name : str
        The name of the photo.
    when : datetime
        When the session was written last.
    """

    folder: Path
    session: Path
    name: str
    when: datetime

    def discard(self) -> None:
        """Remove the session, and its process's folder if that is empty then."""
        shutil.rmtree(self.session, ignore_errors=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()


def left_sessions(root: Path) -> list[Left]:
    """Return the sessions that ended processes of this computer have left, newest first; remove empty folders."""
    found = []
    for folder in root.iterdir() if root.is_dir() else ():
        owner = re.fullmatch(rf"{re.escape(_host())}-(\d+)-([\d.]+)", folder.name)
        if owner is None or _lives(int(owner[1]), float(owner[2])):
            continue
        left = [one for path in folder.glob("*/session.json") if (one := _left(folder, path)) is not None]
        found += left
        if not left:
            shutil.rmtree(folder, ignore_errors=True)
    return sorted(found, key=lambda one: one.when, reverse=True)


def _host() -> str:
    return re.sub(r"\W", "_", platform.node())


def _lives(pid: int, created: float) -> bool:
    """Whether a process still runs, and is not a later one with the same number."""
    try:
        return bool(abs(psutil.Process(pid).create_time() - created) < 1)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _left(folder: Path, path: Path) -> Left | None:
    try:
        name = from_json(path.read_bytes())["photo"]["name"]
        return Left(folder, path.parent, str(name), datetime.fromtimestamp(path.stat().st_mtime))
    except (OSError, ValueError, LookupError, TypeError):
        return None
