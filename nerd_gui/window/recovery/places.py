"""Where sessions are kept while their windows are open: a folder for each process."""

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
    """Where sessions are kept in case the program ends in the middle of them."""
    return platformdirs.user_state_path(_APP, appauthor=False) / "sessions"


def log_folder() -> Path:
    """Where it is written down what went wrong."""
    return platformdirs.user_log_path(_APP, appauthor=False)


def own_folder(root: Path) -> Path:
    """The folder of this process, which is not made yet."""
    process = psutil.Process()
    return root / f"{_host()}-{process.pid}-{process.create_time():.2f}"


@dataclass(frozen=True)
class Left:
    """A session whose process is gone.

    Attributes
    ----------
    folder : Path
        Of the process.
    session : Path
        In it, what `read_session` reads.
    name : str
        Of the photo.
    when : datetime
        When it was kept last.
    """

    folder: Path
    session: Path
    name: str
    when: datetime

    def discard(self) -> None:
        """Remove it, and the folder of its process when it was the last one there."""
        shutil.rmtree(self.session, ignore_errors=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()


def left_sessions(root: Path) -> list[Left]:
    """The sessions that processes of this computer have left, the newest first; what holds none is removed."""
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
    """Whether a process is there still, and is not another one of the same number."""
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
