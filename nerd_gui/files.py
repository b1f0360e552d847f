"""Writing a file: as a whole, or not at all; and reading JSON of anyone's."""

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

_KEPT = 40  # characters of a file's name in that of its temporary file


def write_file(path: str | os.PathLike[str], content: bytes, *, overwrite: bool = True) -> None:
    """Write a file so that a crash, a full disk or an interruption leaves the old one, or none where there was none.

    The content is written under another name in the same folder, flushed to the disk, and renamed. Permissions are
    those that `open` would give: an old file keeps its own, a new one gets what the umask leaves. The target of a
    symbolic link is replaced and not the link. What a process that was killed while it wrote the file has left is
    removed. What is no file, such as a pipe, ``/dev/null`` or a terminal's ``/dev/stdout``, is written to as it is,
    since there is nothing to keep or replace.

    Parameters
    ----------
    path : path
    content : bytes
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OSError
        If it cannot be written, with `path` as its file name; FileExistsError if it exists and may not be replaced.
    """
    with whole_file(path, overwrite=overwrite) as file:
        file.write(content)


@contextmanager
def whole_file(path: str | os.PathLike[str], *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Open a file to be written piece by piece, which is there when all of it is written: see `write_file`.

    What is raised while it is open leaves the old one.
    """
    try:
        with _opened(Path(path), overwrite) as file:
            yield file
    except OSError as error:
        error.filename, error.filename2 = os.fspath(path), None  # and not the temporary name
        raise


def write_text(path: str | os.PathLike[str], text: str, *, overwrite: bool = True) -> None:
    """Write text in UTF-8, as `write_file` does; what UTF-8 has no place for, in odd file names, is spelt out."""
    write_file(path, text.encode(errors="backslashreplace"), overwrite=overwrite)


def check_place(path: str | os.PathLike[str]) -> None:
    """See to it that a file of this name can be written, before work on its content begins; folders may be missing.

    Raises
    ------
    OSError
        If not, with `path` as its file name: the name is too long or has characters that the disk does not know, or
        nothing can be written in the folder, or in the one that missing folders would be made in.
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
    """The value that a JSON text stands for, whoever wrote it.

    Raises
    ------
    json.JSONDecodeError
        Whatever is wrong with it: Python's own parser has other errors for deep nesting, long numbers and odd bytes.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except (RecursionError, ValueError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise json.JSONDecodeError(why, "", 0) from error


def remove_leftovers(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Remove what processes that were killed while they wrote these files have left beside them.

    Only temporary files of `write_file` for exactly these names are removed, and none that a process, this one or
    another, is still writing. Where the file system cannot tell, they stay.
    """
    names: dict[Path, set[str]] = {}
    for path in paths:
        target = Path(os.path.realpath(path))
        names.setdefault(target.parent, set()).add(target.name[:_KEPT])
    for folder, kept in names.items():
        with suppress(OSError):  # there is no such folder yet, or it may not be read
            for entry in os.listdir(folder):
                found = re.fullmatch(r"\.(.+)\.[0-9a-f]{16}\.part", entry, re.DOTALL)
                if found and found[1] in kept:
                    _remove_if_left(folder / entry)


def why_not(error: OSError, path: str | os.PathLike[str]) -> str:
    """Why a file could not be written and what to do, as the second half of a sentence without its full stop."""
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
    if mode is not None and not os.access(path, os.W_OK):  # a rename would not ask
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    target = Path(os.path.realpath(path))
    remove_leftovers([target])
    permissions = 0o666 if mode is None else stat.S_IMODE(mode)
    with _temporary(target, permissions) as (file, temporary):
        yield file
        file.flush()
        os.fsync(file.fileno())
        file.close()  # Windows renames no file that is open
        if mode is not None:
            os.chmod(temporary, permissions)  # with the bits that the umask took away
        if overwrite:
            os.replace(temporary, target)
        else:
            _rename_to_new(temporary, target)


@contextmanager
def _temporary(target: Path, permissions: int) -> Iterator[tuple[BinaryIO, Path]]:
    """A new file beside the target, marked as being written until the end, when it is removed if it is still there."""
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
    """Mark a temporary file as being written, until the descriptor is closed or its process ends, however it does.

    Windows needs no mark: a file that is open cannot be removed there.
    """
    if sys.platform == "win32":
        return None
    with suppress(OSError):  # a file system without locks, where nothing is taken for left over either
        fcntl.flock(file, fcntl.LOCK_EX)
    return os.dup(file.fileno())  # the file is closed before it is renamed


def _remove_if_left(temporary: Path) -> None:
    """Remove a temporary file that no process is writing any more."""
    with suppress(OSError):
        if sys.platform == "win32":
            temporary.unlink()
            return
        with open(temporary, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while another holds it
            temporary.unlink()


def _mode_of(path: Path) -> int | None:
    """Type and permissions of what a path leads to; None if there is nothing yet."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _rename_to_new(temporary: Path, target: Path) -> None:
    """Give a file a name that nothing has, even if another program takes it meanwhile."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links, such as a memory card's
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        os.rename(temporary, target)
