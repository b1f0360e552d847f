"""Output files of commands: checked before long work, and written whole or not at all."""

import os
import tempfile
from pathlib import Path

from nerd_gui import files
from nerd_gui.cli.arguments import UsageError


class OutputError(ValueError):
    """A file cannot be written; the message says which, why and what to do."""


def check_file(path: Path | None, *, replace: bool = True) -> None:
    """Check before long work that a file can be written at the end; None: there is no file.

    Raises
    ------
    UsageError
        If it cannot, or if it exists and may not be replaced.
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
        raise UsageError(f"“{path}” exists already; choose another name, or replace it with --overwrite.")
    check_folder(path.parent)


def check_in_folder(folder: Path, name: str, *, replace: bool) -> None:
    """Check that a file can be written in a folder, which may not exist yet.

    Raises
    ------
    UsageError
        If it cannot, or is there already and may not be replaced.
    """
    path = folder / name
    if not replace and os.path.lexists(path):
        raise UsageError(f"“{path}” exists already; choose another folder, or replace it with --overwrite.")
    try:
        files.check_place(path)
    except OSError as error:
        raise UsageError(f"“{path}” cannot be written: {files.why_not(error, path)}.") from error


def check_folder(folder: Path) -> None:
    """Check that files can be written in a folder.

    Raises
    ------
    UsageError
        If the folder is missing or not writable.
    """
    try:
        with tempfile.TemporaryFile(dir=folder):  # a real attempt, because permissions are not conclusive
            pass
    except OSError as error:
        raise UsageError(f"Nothing can be written in “{folder}” ({error.strerror}); choose another folder.") from error


def write_text(path: Path, text: str, *, overwrite: bool = True) -> None:
    """Write a text file whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written, or exists and may not be replaced; an existing file is then unchanged.
    """
    try:
        files.write_text(path, text, overwrite=overwrite)
    except OSError as error:
        raise OutputError(f"“{path}” was not written: {files.why_not(error, path)}.") from error
