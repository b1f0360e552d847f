"""Writes files whole or not at all, and reads untrusted JSON."""

import errno
import json
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

if sys.platform != "win32":
    import fcntl

_KEPT = 40  # characters of a file's name that its temporary file's name contains


def write_file(path: str | os.PathLike[str], content: bytes, *, overwrite: bool = True) -> None:
    """Write a file so that a crash, a full disk or an interruption leaves the old file, or no file, but never a part.

    The content is written under another name in the same folder, flushed to the disk, and renamed. Permissions are the
    same as with `open`: an existing file keeps its own, a new one gets those of the umask. If the path is a symbolic
    link, its target is replaced and not the link. Temporary files of processes that were killed while writing this
    file are removed. If the path is not a regular file but a pipe, ``/dev/null`` or a terminal's ``/dev/stdout``, the
    content is written to it directly.

    Parameters
    ----------
    path : path
    content : bytes
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OSError
        If it cannot be written; its `filename` is `path`. FileExistsError if it exists and may not be replaced.
    """
    with whole_file(path, overwrite=overwrite) as file:
        file.write(content)


@contextmanager
def whole_file(path: str | os.PathLike[str], *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Open a file to write it piece by piece; it replaces the old one when the context ends, see `write_file`.

    If an exception is raised within the context, the old file is kept.
    """
    try:
        with _opened(Path(path), overwrite) as file:
            yield file
    except OSError as error:
        error.filename, error.filename2 = os.fspath(path), None  # instead of the temporary name
        raise


def write_text(path: str | os.PathLike[str], text: str, *, overwrite: bool = True) -> None:
    """Write text in UTF-8 with `write_file`; characters that UTF-8 cannot encode, as in odd file names, are escaped."""
    write_file(path, text.encode(errors="backslashreplace"), overwrite=overwrite)


def check_place(path: str | os.PathLike[str]) -> None:
    """Check that a file with this name can be written, before the work on its content begins; folders may be missing.

    Raises
    ------
    OSError
        If the name is too long or has invalid characters, or nothing can be written in the folder, or in the nearest
        existing one above it. Its `filename` is `path`.
    """
    target = Path(os.path.realpath(path))
    folder, missing = target.parent, [target.name]
    while not os.path.exists(folder) and folder != folder.parent:
        folder, missing = folder.parent, [folder.name, *missing]
    try:
        for name in missing:
            with suppress(FileNotFoundError):
                (folder / name).lstat()
        if not os.path.exists(folder / missing[0]):
            with _temporary(folder / missing[0], 0o600):
                pass
    except OSError as error:
        error.filename, error.filename2 = os.fspath(path), None
        raise


def from_json(text: str | bytes) -> Any:
    """Parse a JSON text from an untrusted source.

    Raises
    ------
    json.JSONDecodeError
        For all errors; Python's own parser raises others for deep nesting, long numbers and invalid bytes.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except (RecursionError, ValueError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise json.JSONDecodeError(why, "", 0) from error


def remove_leftovers(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Remove temporary files of processes that were killed while writing these files.

    Only temporary files of `write_file` for exactly these names are removed, and none that any process is still
    writing. If the file system has no locks to find this out, they are kept.
    """
    names: dict[Path, set[str]] = {}
    for path in paths:
        target = Path(os.path.realpath(path))
        names.setdefault(target.parent, set()).add(target.name[:_KEPT])
    for folder, kept in names.items():
        with suppress(OSError):  # the folder does not exist yet, or cannot be read
            for entry in os.listdir(folder):
                found = re.fullmatch(r"\.(.+)\.[0-9a-f]{16}\.part", entry, re.DOTALL)
                if found and found[1] in kept:
                    _remove_if_left(folder / entry)


def why_not(error: OSError, path: str | os.PathLike[str]) -> str:
    """Say why a file could not be written and what to do, as the second half of a sentence without a full stop."""
    folder = Path(path).parent
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"the folder “{folder}” does not exist; choose another one"
    if isinstance(error, IsADirectoryError):
        return "it is a folder; choose a file name in it"
    if isinstance(error, FileExistsError):
        return "it exists already; choose another name"
    if isinstance(error, PermissionError) and os.path.exists(path) and not os.access(path, os.W_OK):
        return "it is write-protected; choose another name"
    if isinstance(error, PermissionError):
        return f"writing in the folder “{folder}” is not permitted; choose another one"
    if error.errno == errno.ENAMETOOLONG:
        return "its name is too long; choose a shorter one"
    if error.errno == errno.EROFS:
        return f"the disk with the folder “{folder}” is read-only; choose another one"
    if error.errno == errno.ENOSPC:
        return "the disk is full; make room on it or choose another one"
    return f"{error.strerror or error}; try another folder or name"


@contextmanager
def _opened(path: Path, overwrite: bool) -> Iterator[BinaryIO]:
    mode = _mode_of(path)
    if mode is not None and not stat.S_ISREG(mode):
        with open(path, "wb") as file:
            yield file
        return
    if not overwrite and os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    if mode is not None and not os.access(path, os.W_OK):  # renaming ignores the file's permissions
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    target = Path(os.path.realpath(path))
    remove_leftovers([target])
    permissions = 0o666 if mode is None else stat.S_IMODE(mode)
    with _temporary(target, permissions) as (file, temporary):
        yield file
        file.flush()
        os.fsync(file.fileno())
        file.close()  # Windows cannot rename an open file
        if mode is not None:
            os.chmod(temporary, permissions)  # including the bits that the umask has removed
        if overwrite:
            os.replace(temporary, target)
        else:
            _rename_to_new(temporary, target)


@contextmanager
def _temporary(target: Path, permissions: int) -> Iterator[tuple[BinaryIO, Path]]:
    """Create a temporary file beside the target; it is locked until the end, and then removed if it still exists."""
    while True:
        temporary = target.with_name(f".{target.name[:_KEPT]}.{secrets.token_hex(8)}.part")
        lock = None
        try:
            with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, permissions)) as file:
                lock = _lock(file)
                if lock is None or os.fstat(lock).st_nlink:  # else `remove_leftovers` was faster than the lock
                    yield file, temporary
                    return
        finally:
            temporary.unlink(missing_ok=True)
            if lock is not None:
                os.close(lock)


def _lock(file: BinaryIO) -> int | None:
    """Lock a temporary file until the returned descriptor is closed or the process ends.

    Windows needs no lock, because open files cannot be removed there.
    """
    if sys.platform == "win32":
        return None
    with suppress(OSError):  # without locks, `remove_leftovers` removes nothing either
        fcntl.flock(file, fcntl.LOCK_EX)
    return os.dup(file.fileno())  # the file is closed before it is renamed


def _remove_if_left(temporary: Path) -> None:
    """Remove a temporary file unless a process is still writing it."""
    with suppress(OSError):
        if sys.platform == "win32":
            temporary.unlink()
            return
        with open(temporary, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while another holds it
            temporary.unlink()


def _mode_of(path: Path) -> int | None:
    """File type and permissions of a path; None if it does not exist."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _rename_to_new(temporary: Path, target: Path) -> None:
    """Rename a file to a new name, and fail if the name is taken, even if that happens at the same moment."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links, such as a memory card's
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        os.rename(temporary, target)
