"""Machine code for the processor at hand, made while the program runs by llvmlite, the compiler of numba.

`attention_kernel` and `history_kernel` are what the rooms below call, `status` says whether they can; README.md tells
how their code is written.
"""

from nerd_gui.compiled.availability import SLOWER, Status, Unavailable, available, plain_path, status

status()  # loads llvmlite's 40 MB now, so that they do not count for the memory of the first run

__all__ = ["SLOWER", "Status", "Unavailable", "available", "plain_path", "status"]
