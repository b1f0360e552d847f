"""Reading and writing arrays of a session file in NumPy's NPY format, in small pieces."""

import tempfile
from collections.abc import Callable
from shutil import disk_usage
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nerd_gui.denoising.errors import RunError
from nerd_gui.denoising.kept_memory import IN_MEMORY, HalfArrays
from nerd_gui.denoising.on_disk import leave_memory
from nerd_gui.denoising.session_file.errors import SessionFileError
from nerd_gui.denoising.session_file.fields import Damaged

_PIECE = 4 << 20  # bytes that are written or read at a time
_MOST_HEADER = 10_000  # bytes; those that this program writes take 128

#: Called with numbers of bytes that have been written or read; an exception that it raises ends the work.
Count = Callable[[int], object]


def write_array(file: BinaryIO, array: NDArray[Any], count: Count) -> None:
    """Write an array (C, rows, cols) or (rows, cols), in pieces, so that an array on disk is not loaded as a whole."""
    header = {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(file, header)
    for plane in array.reshape(-1, *array.shape[-2:]):
        step = max(1, _PIECE // (plane.shape[1] * plane.itemsize))
        for row in range(0, len(plane), step):
            piece = np.ascontiguousarray(plane[row : row + step])
            file.write(piece.tobytes())
            count(piece.nbytes)
        leave_memory(array)


def read_array(file: BinaryIO, into: NDArray[Any], count: Count) -> NDArray[Any]:
    """Read an array into an existing one, whose shape and type it must have.

    Raises
    ------
    Damaged
        If the data are not an array of this shape and type.
    """
    try:
        if np.lib.format.read_magic(file) != (1, 0):
            raise Damaged("an array has an unknown version")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=_MOST_HEADER)
    except Exception as error:  # NumPy parses the header as a Python expression, which may raise many kinds of errors
        raise Damaged("an array has an invalid header") from error
    if shape != into.shape or fortran or dtype != into.dtype:
        raise Damaged(f"an array has the form {dtype} {shape} instead of {into.dtype} {into.shape}")
    for plane in into.reshape(-1, *into.shape[-2:]):
        step = max(1, _PIECE // (plane.shape[1] * plane.itemsize))
        for row in range(0, len(plane), step):
            view = memoryview(plane[row : row + step]).cast("B")
            _fill(file, view)
            count(len(view))
        leave_memory(into)
    if file.read(1):  # reading to the end also verifies the member's checksum
        raise Damaged("an array is longer than its header says")
    return into


def _fill(file: BinaryIO, view: memoryview) -> None:
    done = 0
    while done < len(view):
        piece = file.read(len(view) - done)
        if not piece:
            raise Damaged("an array is cut off")
        view[done : done + len(piece)] = piece
        done += len(piece)


class Room:
    """Allocates arrays for the iterates of a session: in the memory that all runs share, and beyond it on disk.

    Parameters
    ----------
    needed : int
        Number of bytes of all arrays together.

    Raises
    ------
    SessionFileError
        If the disk is too full.
    """

    def __init__(self, needed: int) -> None:
        self._halves = HalfArrays(IN_MEMORY)
        folder = tempfile.gettempdir()
        beyond = needed - IN_MEMORY
        if beyond > 0 and beyond > disk_usage(folder).free:
            raise SessionFileError(
                f"The session needs {needed / 1e9:.1f} GB, more than is free in the temporary folder “{folder}”; make "
                "room there first."
            )

    def array(self, shape: tuple[int, ...], dtype: DTypeLike = np.float16) -> NDArray[Any]:
        """Return an uninitialised array; an array in half precision may be on disk.

        Raises
        ------
        SessionFileError
            If the disk is full.
        """
        if np.dtype(dtype) != np.float16:
            return np.empty(shape, dtype)
        try:
            return self._halves.new(shape)
        except RunError as error:
            raise SessionFileError(str(error)) from error
