"""`nerd-gui --install-desktop`: the program in the menu of a Linux desktop, and `.nerd` sessions as its files."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from nerd_gui.cli.arguments import UsageError
from nerd_gui.files import write_file
from nerd_gui.places import data_folder

#: Stands in each file that is written; a file without it is somebody else's, and is neither replaced nor removed.
MARK = "Written by NERD GUI (option install-desktop); its option uninstall-desktop removes this file."
_ENTRY, _TYPE, _ICON = "desktop/nerd-gui.desktop", "desktop/nerd-gui-mime.xml", "icons/nerd-gui.svg"
#: Where each file goes, below the folder that the desktop reads.
_PLACES = {_ENTRY: "applications", _TYPE: "mime/packages", _ICON: "icons/hicolor/scalable/apps"}
#: The databases that desktops keep of these files: a program, and the folder that it is told.
_UPDATES = (("update-mime-database", "mime"), ("update-desktop-database", "applications"))


def install_desktop(*, dry_run: bool = False) -> None:
    """Write menu entry, icon and file type where the desktop of this user finds them, and say what was written.

    The folder is ``$XDG_DATA_HOME``, or ``~/.local/share``.

    Parameters
    ----------
    dry_run : bool
        Say what would be written, and write nothing.

    Raises
    ------
    UsageError
        If this is no Linux system, or a file of that name is there that this command did not write.
    OSError
        If a file cannot be written.
    """
    wanted = {target: _content(source) for source, target in _targets().items()}
    for target in wanted:
        _check_ours(target)
    for target, content in wanted.items():
        if not dry_run:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_file(target, content)
        print(f"{'would write' if dry_run else 'wrote'} {target}")
    _update(dry_run)


def uninstall_desktop(*, dry_run: bool = False) -> None:
    """Remove what `install_desktop` wrote, and say which files those were.

    Raises
    ------
    UsageError
        As `install_desktop`.
    OSError
        If a file cannot be removed.
    """
    found = [target for target in _targets().values() if target.exists()]
    for target in found:
        _check_ours(target)
    for target in found:
        if not dry_run:
            target.unlink()
        print(f"{'would remove' if dry_run else 'removed'} {target}")
    if found:
        _update(dry_run)
    else:
        print("There is nothing to remove.")


def _targets() -> dict[str, Path]:
    """Each of our files, and where it belongs."""
    if not sys.platform.startswith("linux"):
        raise UsageError(
            "A menu entry of this kind is for Linux desktops. On Windows and macOS start the program with “nerd-gui”, "
            "and keep it in the task bar or the Dock if you like."
        )
    named = os.environ.get("XDG_DATA_HOME", "")
    data = Path(named) if os.path.isabs(named) else Path.home() / ".local" / "share"  # a relative one is to be ignored
    return {source: data / folder / Path(source).name for source, folder in _PLACES.items()}


def _content(source: str) -> bytes:
    """What is written for one of our files: it says who wrote it, and the menu entry how this program is started."""
    text = (data_folder("resources") / source).read_text(encoding="utf-8")
    if source != _ENTRY:
        return f"{text.rstrip()}\n<!-- {MARK} -->\n".encode()
    return f"# {MARK}\n{text.replace('Exec=nerd-gui ', f'Exec={_program()} ')}".encode()


def _program() -> str:
    """How this program is started, as a menu entry has to say it: its folder may be on no path of the desktop."""
    started = shutil.which(sys.argv[0]) if Path(sys.argv[0]).name == "nerd-gui" else None
    parts = [os.path.abspath(started)] if started else [sys.executable, "-m", "nerd_gui"]
    return " ".join(_quoted(part) for part in parts)


def _quoted(part: str) -> str:
    """An argument in the key Exec: in double quotes if need be; a percent sign would begin a field of its own."""
    if all(character.isalnum() or character in "/._-+" for character in part):
        return part
    for character in '\\"`$':
        part = part.replace(character, f"\\{character}")
    return '"' + part.replace("\\", "\\\\").replace("%", "%%") + '"'


def _check_ours(target: Path) -> None:
    if target.exists() and MARK not in target.read_text(encoding="utf-8", errors="replace"):
        raise UsageError(f"“{target}” was not written by this command, so it is left as it is; move it away first.")


def _update(dry_run: bool) -> None:
    """Let the desktop take notice; where it has no such program it looks by itself when somebody logs in."""
    data = _targets()[_ENTRY].parents[1]
    for program, folder in _UPDATES:
        found = shutil.which(program)
        if found and not dry_run and (data / folder).is_dir():
            with suppress(OSError):
                subprocess.run([found, data / folder], check=False, capture_output=True)
