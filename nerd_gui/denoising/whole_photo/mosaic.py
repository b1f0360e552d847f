"""The noise estimates of a whole photo, one for each iterate, put together as tiles are finished."""

import mmap
import os
import tempfile
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nerd_gui.denoising.errors import RunError
from nerd_gui.denoising.whole_photo.grid import Tile

_ZEROS = bytes(4 << 20)
_BAND = 512  # rows that are copied at a time


class Mosaic:
    """n_hat of each iterate, half precision (C, rows, cols); 0 where no tile is finished.

    A tile that ended earlier than others stays at its last iterate in all that follow. What does not fit into the
    given memory lies in temporary files without a name, which the system frees with the arrays, also after a crash.

    Parameters
    ----------
    shape : (C, rows, cols)
    room : int
        Bytes of memory that the arrays may take.

    Attributes
    ----------
    n_hats : list of float16 array
        Grows with the longest tile so far. They are written to in place.
    """

    def __init__(self, shape: tuple[int, int, int], room: int) -> None:
        self._shape = shape
        self._room = room
        self.n_hats: list[NDArray[np.float16]] = []

    def add(self, tile: Tile, n_hats: Sequence[NDArray]) -> None:
        """Put a finished tile in, whose iterates are (C, rows, cols) of what was solved for it.

        Raises
        ------
        RunError
            If the temporary folder has no room.
        """
        while len(self.n_hats) < len(n_hats):
            self.n_hats.append(self._new(self.n_hats[-1] if self.n_hats else None))
        row, col, rows, cols = tile.shown
        part = np.s_[:, row : row + rows, col : col + cols]
        for index, n_hat in enumerate(self.n_hats):
            n_hat[part] += tile.contribution(n_hats[min(index, len(n_hats) - 1)]).astype(np.float16)
            _leave(n_hat)

    def _new(self, like: NDArray[np.float16] | None) -> NDArray[np.float16]:
        size = 2 * int(np.prod(self._shape))
        if size <= self._room:
            self._room -= size
            return np.zeros(self._shape, np.float16) if like is None else like.copy()
        array = _on_disk(self._shape, size)
        for row in range(0, self._shape[1] if like is not None else 0, _BAND):
            assert like is not None
            array[:, row : row + _BAND] = like[:, row : row + _BAND]
            _leave(like)
            _leave(array)
        return array


def _leave(array: NDArray[np.float16]) -> None:
    """Take the pages of an array that lies in a file out of the process's memory; what they hold is kept."""
    if isinstance(array, np.memmap) and hasattr(mmap, "MADV_DONTNEED"):
        array._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]


def _on_disk(shape: tuple[int, int, int], size: int) -> NDArray[np.float16]:
    try:
        with tempfile.TemporaryFile(prefix="nerd-gui-") as file:
            # Its room is taken before it is mapped: a full disk is an error here, and a crash in a mapped page.
            for begin in range(0, size, len(_ZEROS)):
                file.write(_ZEROS[: size - begin])
            file.flush()
            os.fsync(file.fileno())
            return np.memmap(file, dtype=np.float16, mode="r+", shape=shape)
    except OSError as error:
        raise RunError(
            f"The iterates do not fit in the temporary folder “{tempfile.gettempdir()}” ({error.strerror}); make room "
            "there, or allow fewer solver steps."
        ) from error
