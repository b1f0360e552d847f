"""`nerd-gui --install-desktop`: adds the program to the menu of a Linux desktop, with the file type `.nerd`."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from nerd_gui.cli.arguments import UsageError
from nerd_gui.files import write_file
from nerd_gui.places import data_folder

#: A mark in each file that is written. Files without it belong to others and are neither replaced nor removed.
MARK = "Written by NERD GUI (option install-desktop); its option uninstall-desktop removes this file."
_ENTRY, _TYPE, _ICON = "desktop/nerd-gui.desktop", "desktop/nerd-gui-mime.xml", "icons/nerd-gui.svg"
#: The place of each file, relative to the desktop's data folder.
_PLACES = {_ENTRY: "applications", _TYPE: "mime/packages", _ICON: "icons/hicolor/scalable/apps"}
#: The programs that update the desktop's databases of these files, each with its folder argument.
_UPDATES = (("update-mime-database", "mime"), ("update-desktop-database", "applications"))


def install_desktop(*, dry_run: bool = False) -> None:
    """Install menu entry, icon and file type for this user's desktop, and print the files.

    The folder is ``$XDG_DATA_HOME``, or ``~/.local/share``.

    Parameters
    ----------
    dry_run : bool
        Print the files, but do not write them.

    Raises
    ------
    UsageError
        If this is not Linux, or one of the files exists but was not written by this command.
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
    """Remove the files that `install_desktop` wrote, and print their names.

    Raises
    ------
    UsageError
        See `install_desktop`.
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
    """The place of each file."""
    if not sys.platform.startswith("linux"):
        raise UsageError(
            "--install-desktop works on Linux only. On Windows and macOS, start the program with “nerd-gui”, and pin "
            "it to the task bar or the Dock if you like."
        )
    named = os.environ.get("XDG_DATA_HOME", "")
    data = Path(named) if os.path.isabs(named) else Path.home() / ".local" / "share"  # XDG says: ignore relative paths
    return {source: data / folder / Path(source).name for source, folder in _PLACES.items()}


def _content(source: str) -> bytes:
    """The content of a file, with the mark; the menu entry gets the command that starts this program."""
    text = (data_folder("resources") / source).read_text(encoding="utf-8")
    if source != _ENTRY:
        return f"{text.rstrip()}\n<!-- {MARK} -->\n".encode()
    return f"# {MARK}\n{text.replace('Exec=nerd-gui ', f'Exec={_program()} ')}".encode()


def _program() -> str:
    """The command that starts this program, with full path, since its folder may not be in the desktop's PATH."""
    started = shutil.which(sys.argv[0]) if Path(sys.argv[0]).name == "nerd-gui" else None
    parts = [os.path.abspath(started)] if started else [sys.executable, "-m", "nerd_gui"]
    return " ".join(_quoted(part) for part in parts)


def _quoted(part: str) -> str:
    """Quote an argument for the key Exec if needed, and escape percent signs, which have a special meaning there."""
    if all(character.isalnum() or character in "/._-+" for character in part):
        return part
    for character in '\\"`$':
        part = part.replace(character, f"\\{character}")
    return '"' + part.replace("\\", "\\\\").replace("%", "%%") + '"'


def _check_ours(target: Path) -> None:
    if target.exists() and MARK not in target.read_text(encoding="utf-8", errors="replace"):
        raise UsageError(f"“{target}” was not written by this command, so it is left as it is; move it away first.")


def _update(dry_run: bool) -> None:
    """Update the desktop's databases; if a program for that is missing, the desktop finds them at the next login."""
    data = _targets()[_ENTRY].parents[1]
    for program, folder in _UPDATES:
        found = shutil.which(program)
        if found and not dry_run and (data / folder).is_dir():
            with suppress(OSError):
                subprocess.run([found, data / folder], check=False, capture_output=True)
