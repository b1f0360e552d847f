"""Code compiled for the processor at hand while the program runs, by llvmlite, the compiler of numba."""

from nerd_gui.compiled.compiler import (
    Function,
    compile_function,
    converts_halves,
    in_threads,
    missing,
    multiplies_pairs,
    registers,
)

__all__ = [
    "Function",
    "compile_function",
    "converts_halves",
    "in_threads",
    "missing",
    "multiplies_pairs",
    "registers",
]
