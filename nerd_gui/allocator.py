"""Tunes the C library's memory allocator: freed memory is kept for reuse, which is fast, or returned to the system.

By default glibc returns every freed block above 32 MB to the system, and gets new ones page by page, filled with zeros;
this takes a third of the time of f at 256x256. This module works on Linux with glibc and has no effect elsewhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import re
import sys
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LARGEST_FAST, _TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = 1, -1, -3, -8  # glibc's malloc.h
_LARGEST = (1 << 31) - 1
_OLD_LIMIT = 32 << 20  # the highest threshold that older versions of glibc accept
_RETURNED = 4 << 20  # bytes; larger blocks are returned to the system
_reuse = False
_free_apart: dict[int, list[mmap.mmap]] = {}  # the free blocks of `apart` by size
_RAN_OUT = re.compile("can(no|')t allocate memory|not enough memory|out of memory|bad_alloc", re.IGNORECASE)


def _library() -> Any:
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


def prepare() -> None:
    """Prepare the program's memory and threads.

    Must be called before threads are started and PyTorch allocates its first tensor, and best before NumPy is loaded.

    All threads allocate from one arena, because the separate arenas that glibc would give them cannot hold blocks above
    64 MB. PyTorch aligns large tensors to pages instead of 64 bytes, and asks for huge pages, which the system provides
    faster. The gap before a tensor that is aligned to 64 bytes is so small that glibc does not merge it with the tensor
    when that is freed, and then another tensor of the same size does not fit there.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    # By default, NumPy's threads keep the cores busy for 50 ms after each matrix product, waiting for another one.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
    if library := _library():
        library.mallopt(_ARENA_MAX, 1)


def can_reuse() -> bool:
    """Whether the allocator of this system can be tuned."""
    return _library() is not None


def set_reuse(reuse: bool) -> None:
    """Choose whether freed blocks are kept for reuse or returned, including those that are free already."""
    global _reuse
    _reuse = reuse and can_reuse()
    if reuse:
        reuse_freed()
    else:
        return_freed()
        trim()


def reuses() -> bool:
    """Whether freed blocks are kept for reuse."""
    return _reuse


def reuse_freed() -> None:
    """Keep freed blocks for reuse from now on; `trim` returns them."""
    if library := _library():
        library.mallopt(_TRIM_THRESHOLD, _LARGEST)
        # Small fragments beside an aligned block are merged with it, so that another block of its size fits there.
        library.mallopt(_LARGEST_FAST, 0)
        if not library.mallopt(_MMAP_THRESHOLD, 1 << 30):
            library.mallopt(_MMAP_THRESHOLD, _OLD_LIMIT)


def return_freed() -> None:
    """Return freed large blocks to the system at once from now on."""
    if library := _library():
        library.mallopt(_MMAP_THRESHOLD, _RETURNED)
        library.mallopt(_TRIM_THRESHOLD, _RETURNED)


def apart(size: int) -> NDArray[np.uint8] | None:
    """Allocate memory of this many bytes, outside the heap, for a tensor that lives long.

    Among the blocks that are kept for reuse it would leave gaps that other blocks rarely fit. When it is freed, it is
    kept for the next one of its size, until `trim` is called.

    Returns
    -------
    uint8 array (size,), or None
        None if it is not needed, because the block is small, or freed blocks are not kept.

    Raises
    ------
    MemoryError
        If memory runs out.
    """
    if not _reuse or size < _RETURNED:
        return None
    import numpy as np  # not before `prepare`

    try:  # rather than look first, because another thread may take the last one in between
        room = _free_apart[size].pop()
    except (KeyError, IndexError):
        room = _mapped(size)
    block = np.frombuffer(room, np.uint8)
    weakref.finalize(block, _keep, room).atexit = False
    return block


def _mapped(size: int) -> mmap.mmap:
    try:
        room = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError from error
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # raised by a system without huge pages
            room.madvise(mmap.MADV_HUGEPAGE)
    return room


def _keep(room: mmap.mmap) -> None:
    """Keep the memory of a freed block for the next one of its size."""
    if _reuse:
        _free_apart.setdefault(len(room), []).append(room)


def ran_out(error: BaseException) -> bool:
    """Whether an error of Python, PyTorch or a GPU driver says that memory ran out."""
    if isinstance(error, RuntimeError):
        return _RAN_OUT.search(str(error)) is not None
    return isinstance(error, MemoryError)


def trim() -> None:
    """Return all free memory to the system."""
    _free_apart.clear()
    if library := _library():
        library.malloc_trim(0)
