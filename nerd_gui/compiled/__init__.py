"""Machine code for this CPU, compiled at run time by llvmlite, numba's compiler library.

Other rooms call `attention_kernel`, `decoding_kernel` and `history_kernel`; `status` says whether compiled code is
available. The file `README.md` in this folder explains how the code is written.
"""

from nerd_gui.compiled.availability import SLOWER, Status, Unavailable, available, plain_path, status

status()  # loads llvmlite's 40 MB now, so that they do not count for the memory of the first run

__all__ = ["SLOWER", "Status", "Unavailable", "available", "plain_path", "status"]
