"""Compiles LLVM's intermediate language to functions that Python can call, in a fraction of a second each."""

import ctypes
import functools
import itertools
import threading
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm

_compiling = threading.Lock()
_numbers = itertools.count()

Function = Callable[..., None]


@functools.cache
def features() -> dict[str, bool]:
    """The features of this CPU by LLVM's names; empty if LLVM does not know the CPU."""
    try:
        return dict(llvm.get_host_cpu_features())
    except RuntimeError:  # the features that all CPUs of this architecture have are used
        return {}


def has(feature: str) -> bool:
    """Whether this CPU has the feature with this LLVM name."""
    return features().get(feature, False)


def on_arm() -> bool:
    """Whether this is a 64-bit Arm CPU. All of them have Neon, though LLVM does not report it on every system."""
    return bool(llvm.get_process_triple().startswith(("aarch64", "arm64")))


def lacking() -> str | None:
    """The instructions that compiled code needs to be fast but this CPU lacks, in words; None if it lacks none."""
    if on_arm() or (has("avx2") and has("fma") and has("f16c")):
        return None
    return "this processor lacks AVX2, FMA or F16C"


def registers() -> tuple[int, int]:
    """The number of floats in a vector register of this CPU, and the number of such registers."""
    return (16, 32) if has("avx512f") else (8, 16)


def multiplies_pairs() -> bool:
    """Whether this CPU has instructions that multiply pairs of bfloat16, which doubles the throughput."""
    return has("avx512f") and has("avx512bf16")


@functools.cache
def _machine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    flags = llvm.FeatureMap(features()).flatten()
    return llvm.Target.from_default_triple().create_target_machine(cpu=llvm.get_host_cpu_name(), features=flags, opt=3)


def compile_function(name: str, assembly: str, pointers: int, numbers: int) -> Function:
    """Compile a function that takes `pointers` pointers, then `numbers` 64-bit integers; it runs without the GIL.

    Raises
    ------
    RuntimeError
        If LLVM cannot compile it, or it calls a function that does not exist.
    """
    with _compiling:  # LLVM is not thread-safe
        machine, module = _machine(), llvm.parse_assembly(assembly)
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        # The code is vectorised and unrolled by hand.
        options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
        passes = llvm.create_pass_builder(machine, options)
        passes.getModulePassManager().run(module, passes)
        parts = llvm.JITLibraryBuilder().add_ir(module).export_symbol(name).add_current_process()
        library = parts.link(_linker(), f"{name} {next(_numbers)}")
    kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * pointers, *[ctypes.c_int64] * numbers)
    function: Any = kind(library[name])
    function.library = library  # keeps the machine code alive
    compiled: Function = function
    return compiled


@functools.cache
def _linker() -> Any:
    return llvm.create_lljit_compiler(_machine())
