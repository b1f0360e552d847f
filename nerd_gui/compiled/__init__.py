"""Code compiled for the processor at hand while the program runs, by llvmlite, the compiler of numba.

`attention_kernel` and `history_kernel` are what the rooms below call; see README.md for how their code is written.
"""

from nerd_gui.compiled.compiler import missing, multiplies_pairs

__all__ = ["missing", "multiplies_pairs"]
