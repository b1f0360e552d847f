"""Files that a command writes: looked at before long work, written whole or not at all."""

import os
import tempfile
from pathlib import Path

from nerd_gui import files
from nerd_gui.cli.arguments import UsageError


class OutputError(ValueError):
    """A file that cannot be written; the message says which, why and what to do."""


def check_file(path: Path | None, *, replace: bool = True) -> None:
    """See to it that a file can be written in the end; None asks for none.

    Raises
    ------
    UsageError
        If it cannot, or is there already and may not be replaced.
    """
    if path is None:
        return
    if os.path.isdir(path):
        raise UsageError(f"“{path}” is a folder; name a file in it.")
    if os.path.exists(path) and not os.path.isfile(
        path
    ):  # a pipe or a device: nothing is replaced there, or made beside it
        return
    if not replace and os.path.lexists(path):
        raise UsageError(f"“{path}” exists already; choose another name, or ask for it to be replaced (--overwrite).")
    check_folder(path.parent)


def check_in_folder(folder: Path, name: str, *, replace: bool) -> None:
    """See to it that a file can be written in a folder, which may have to be made first.

    Raises
    ------
    UsageError
        If it cannot, or is there already and may not be replaced.
    """
    path = folder / name
    if not replace and os.path.lexists(path):
        raise UsageError(f"“{path}” exists already; choose another folder, or ask for it to be replaced (--overwrite).")
    try:
        files.check_place(path)
    except OSError as error:
        raise UsageError(f"“{path}” cannot be written: {files.why_not(error, path)}.") from error


def check_folder(folder: Path) -> None:
    """See to it that a folder can be written in.

    Raises
    ------
    UsageError
        If it is missing or may not be written in.
    """
    try:
        with tempfile.TemporaryFile(dir=folder):  # permissions alone do not tell
            pass
    except OSError as error:
        raise UsageError(f"Nothing can be written in “{folder}” ({error.strerror}); choose another folder.") from error


def write_text(path: Path, text: str, *, overwrite: bool = True) -> None:
    """Write a text file as a whole.

    Raises
    ------
    OutputError
        If it cannot be written, or is there and may not be replaced; a file that was there before is then as it was.
    """
    try:
        files.write_text(path, text, overwrite=overwrite)
    except OSError as error:
        raise OutputError(f"“{path}” was not written: {files.why_not(error, path)}.") from error
