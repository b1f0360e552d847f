"""The memory for stored iterates, with one limit for all runs together."""

import threading
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from nerd_gui.denoising.on_disk import array_on_disk

IN_MEMORY = 2 << 30  # bytes that all runs together keep in memory; further iterates are kept in files


class KeptMemory:
    """Allocates arrays in half precision up to a limit; arrays without references no longer count.

    Parameters
    ----------
    limit : int
        In bytes.
    """

    def __init__(self, limit: int = IN_MEMORY) -> None:
        self._limit = limit
        self._held: list[ref[NDArray[np.float16]]] = []
        self._lock = threading.Lock()

    def new(self, shape: tuple[int, ...]) -> NDArray[np.float16] | None:
        """Return an uninitialised array, or None if it would exceed the limit. This method is thread-safe."""
        with self._lock:
            self._held = [held for held in self._held if held() is not None]
            used = sum(array.nbytes for held in self._held if (array := held()) is not None)
            if used + 2 * int(np.prod(shape)) > self._limit:
                return None
            try:
                array = np.empty(shape, np.float16)
            except MemoryError:  # other programs use the memory
                return None
            self._held.append(ref(array))
            return array


#: The memory of this process.
KEPT = KeptMemory()


class HalfArrays:
    """Allocates arrays in half precision: in the memory that all runs share, and beyond a limit on disk.

    Those on disk are in temporary files without a name, which the system frees with the array, even after a crash.

    Parameters
    ----------
    limit : int
        Largest number of bytes in memory.
    shared : KeptMemory, optional
        The memory that all runs share.
    """

    def __init__(self, limit: int, shared: KeptMemory = KEPT) -> None:
        self._left = limit
        self._shared = shared

    def new(self, shape: tuple[int, ...]) -> NDArray[np.float16]:
        """Return an array whose values are not defined.

        Raises
        ------
        RunError
            If the disk of the temporary folder is full.
        """
        size = 2 * int(np.prod(shape))
        kept = self._shared.new(shape) if size <= self._left else None
        if kept is None:
            return array_on_disk(shape)
        self._left -= size
        return kept
