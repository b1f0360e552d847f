"""Arrays in temporary files without a name, which the system frees with the array, even after a crash."""

import mmap
import os
import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerd_gui.denoising.errors import RunError

_ZEROS = bytes(4 << 20)


def array_on_disk(shape: tuple[int, ...]) -> NDArray[np.float16]:
    """Return an array of zeros in half precision that is stored on disk instead of in memory.

    Raises
    ------
    RunError
        If the disk of the temporary folder is full.
    """
    size = 2 * int(np.prod(shape))
    try:
        with tempfile.TemporaryFile(prefix="nerd-gui-") as file:
            # The space is allocated before mapping, because a full disk raises an error here but would crash the
            # process on access to a mapped page.
            for begin in range(0, size, len(_ZEROS)):
                file.write(_ZEROS[: size - begin])
            file.flush()
            os.fsync(file.fileno())
            return np.memmap(file, dtype=np.float16, mode="r+", shape=shape)
    except OSError as error:
        raise RunError(
            f"The iterates do not fit into the temporary folder “{tempfile.gettempdir()}” ({error.strerror}); make "
            "room there, or choose a smaller region or fewer solver steps."
        ) from error


def leave_memory(array: NDArray[Any]) -> None:
    """Release the memory pages of an array that is stored in a file; its values are kept in the file."""
    if isinstance(array, np.memmap) and hasattr(mmap, "MADV_DONTNEED"):
        array._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]
