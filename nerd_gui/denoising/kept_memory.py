"""The memory that iterates are kept in: one amount for all runs that are there, however many."""

import threading
from weakref import ref

import numpy as np
from numpy.typing import NDArray

IN_MEMORY = 2 << 30  # bytes that all runs together keep in memory; what comes after that is kept in files


class KeptMemory:
    """Arrays in half precision, up to a limit; the room of one that nobody holds any more is there for the next.

    Parameters
    ----------
    limit : int
        Bytes.
    """

    def __init__(self, limit: int = IN_MEMORY) -> None:
        self._limit = limit
        self._held: list[ref[NDArray[np.float16]]] = []
        self._lock = threading.Lock()

    def new(self, shape: tuple[int, ...]) -> NDArray[np.float16] | None:
        """Return an array with any values in it, or None where there is no room for it. Any thread may ask."""
        with self._lock:
            self._held = [held for held in self._held if held() is not None]
            used = sum(array.nbytes for held in self._held if (array := held()) is not None)
            if used + 2 * int(np.prod(shape)) > self._limit:
                return None
            try:
                array = np.empty(shape, np.float16)
            except MemoryError:  # others have it
                return None
            self._held.append(ref(array))
            return array


#: Of this process.
KEPT = KeptMemory()
