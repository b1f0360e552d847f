"""How the C library hands out memory for tensors: reused, which is fast, or returned at once, which is small.

By itself glibc gives every block above 32 MB back to the system and zeroes a new one page by page: a third of the time
of f at 256x256. Everything here is for Linux with glibc and has no effect elsewhere.
"""

import ctypes
import re
import sys
from typing import Any

_LARGEST_FAST, _TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = 1, -1, -3, -8  # glibc's malloc.h
_LARGEST = (1 << 31) - 1
_OLD_LIMIT = 32 << 20  # the highest threshold that older versions take
_RETURNED = 4 << 20  # bytes
_RAN_OUT = re.compile("can(no|')t allocate memory|not enough memory|out of memory|bad_alloc", re.IGNORECASE)


def _library() -> Any:
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


def share_one_arena() -> None:
    """Let all threads take memory from one place; to be called before there are threads.

    The places of their own that glibc gives them hold no block above 64 MB.
    """
    if library := _library():
        library.mallopt(_ARENA_MAX, 1)


def can_reuse() -> bool:
    """Whether freed blocks can be kept here for later ones."""
    return _library() is not None


def set_reuse(reuse: bool) -> None:
    """Keep freed blocks for later ones from now on; or return them at once, those that are free already included."""
    if reuse:
        reuse_freed()
    else:
        return_freed()
        trim()


def reuse_freed() -> None:
    """Keep freed blocks for later ones; `trim` returns them."""
    if library := _library():
        library.mallopt(_TRIM_THRESHOLD, _LARGEST)
        # Crumbs beside an aligned block are joined to it again: else the next one of its size does not fit there.
        library.mallopt(_LARGEST_FAST, 0)
        if not library.mallopt(_MMAP_THRESHOLD, 1 << 30):
            library.mallopt(_MMAP_THRESHOLD, _OLD_LIMIT)


def return_freed() -> None:
    """Return freed tensors to the system at once."""
    if library := _library():
        library.mallopt(_MMAP_THRESHOLD, _RETURNED)
        library.mallopt(_TRIM_THRESHOLD, _RETURNED)


def ran_out(error: BaseException) -> bool:
    """Whether an error says that there is no memory left, in the words of Python, PyTorch or a card's driver."""
    if isinstance(error, RuntimeError):
        return _RAN_OUT.search(str(error)) is not None
    return isinstance(error, MemoryError)


def trim() -> None:
    """Return what is free now to the system."""
    if library := _library():
        library.malloc_trim(0)
