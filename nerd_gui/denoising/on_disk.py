"""Arrays in temporary files without a name, which the system frees with the array, even after a crash."""

import mmap
import os
import tempfile
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nerd_gui.denoising.errors import RunError

_ZEROS = bytes(4 << 20)


def array_on_disk(
    shape: tuple[int, ...],
    dtype: DTypeLike = np.float16,
    *,
    what: str = "The iterates",
    instead: str = "choose a smaller region or fewer solver steps",
) -> NDArray[Any]:
    """Return an array of zeros that is stored on disk instead of in memory.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype
        By default, half precision.
    what, instead : str
        For the message of an error: what the array holds, and what else a person may do.

    Raises
    ------
    RunError
        If the disk of the temporary folder is full.
    """
    size = np.dtype(dtype).itemsize * int(np.prod(shape))
    try:
        with tempfile.TemporaryFile(prefix="nerd-gui-") as file:
            # The space is allocated before mapping, because a full disk raises an error here but would crash the
            # process on access to a mapped page.
            for begin in range(0, size, len(_ZEROS)):
                file.write(_ZEROS[: size - begin])
            file.flush()
            os.fsync(file.fileno())
            return np.memmap(file, dtype=dtype, mode="r+", shape=shape)
    except OSError as error:
        raise RunError(
            f"{what} do not fit into the temporary folder “{tempfile.gettempdir()}” ({error.strerror}); make room "
            f"there, or {instead}."
        ) from error


def leave_memory(array: NDArray[Any]) -> None:
    """Release the memory pages of an array that is stored in a file; its values are kept in the file."""
    if isinstance(array, np.memmap) and hasattr(mmap, "MADV_DONTNEED"):
        array._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]
