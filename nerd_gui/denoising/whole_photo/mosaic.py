"""The noise estimates of a whole photo, one for each iterate, assembled from finished tiles."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nerd_gui.denoising.kept_memory import HalfArrays
from nerd_gui.denoising.on_disk import leave_memory
from nerd_gui.denoising.whole_photo.grid import Tile

_BAND = 512  # rows that are copied at a time


class Mosaic:
    """n_hat of each iterate in half precision, (C, rows, cols); 0 where no tile is finished.

    If a tile ended earlier than others, its last iterate is used in all later ones. Arrays that do not fit into the
    given memory are in temporary files.

    Parameters
    ----------
    shape : (C, rows, cols)
    room : int
        Number of bytes of the memory shared by all runs that the arrays may take.
    n_hats : sequence of float16 array, optional
        The arrays of a run that is continued.

    Attributes
    ----------
    n_hats : list of float16 array
        One array for each iterate of the longest tile so far. They are changed in place.
    """

    def __init__(self, shape: tuple[int, int, int], room: int, n_hats: Sequence[NDArray[np.float16]] = ()) -> None:
        self._shape = shape
        self._arrays = HalfArrays(room)
        self.n_hats = list(n_hats)

    def add(self, tile: Tile, n_hats: Sequence[NDArray[Any]]) -> None:
        """Add a finished tile; its iterates are (C, rows, cols) for all pixels solved for it.

        Raises
        ------
        RunError
            If the disk of the temporary folder is full.
        """
        while len(self.n_hats) < len(n_hats):
            self.n_hats.append(self._new(self.n_hats[-1] if self.n_hats else None))
        row, col, rows, cols = tile.shown
        part = np.s_[:, row : row + rows, col : col + cols]
        for index, n_hat in enumerate(self.n_hats):
            added = torch.from_numpy(tile.contribution(n_hats[min(index, len(n_hats) - 1)]))
            torch.from_numpy(n_hat[part]).add_(added)  # NumPy takes 20 times as long in half precision
            leave_memory(n_hat)

    def _new(self, like: NDArray[np.float16] | None) -> NDArray[np.float16]:
        array = self._arrays.new(self._shape)
        for row in range(0, self._shape[1], _BAND):
            band = np.s_[:, row : row + _BAND]
            array[band] = 0 if like is None else like[band]
            for used in (array, like):
                if used is not None:
                    leave_memory(used)
        return array
