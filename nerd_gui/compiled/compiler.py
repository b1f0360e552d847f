"""From LLVM's intermediate language to functions that Python calls; a fraction of a second for each."""

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
    """What this processor can do, under LLVM's names; nothing where LLVM does not know the processor."""
    try:
        return dict(llvm.get_host_cpu_features())
    except RuntimeError:  # what all of its kind have will do
        return {}


def has(feature: str) -> bool:
    """Whether this processor has what LLVM calls by this name."""
    return features().get(feature, False)


def on_arm() -> bool:
    """Whether this is a 64-bit Arm, all of which have Neon, though LLVM does not tell everywhere."""
    return bool(llvm.get_process_triple().startswith(("aarch64", "arm64")))


def lacking() -> str | None:
    """What this processor lacks of the instructions that make compiled code worth while, in words; None: nothing."""
    if on_arm() or (has("avx2") and has("fma") and has("f16c")):
        return None
    return "this processor lacks AVX2, FMA or F16C"


def registers() -> tuple[int, int]:
    """Floats that fit into one vector register of this processor, and how many such registers it has."""
    return (16, 32) if has("avx512f") else (8, 16)


def multiplies_pairs() -> bool:
    """Whether this processor multiplies pairs of bfloat16, twice as many numbers at once."""
    return has("avx512f") and has("avx512bf16")


@functools.cache
def _machine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    flags = llvm.FeatureMap(features()).flatten()
    return llvm.Target.from_default_triple().create_target_machine(cpu=llvm.get_host_cpu_name(), features=flags, opt=3)


def compile_function(name: str, assembly: str, pointers: int, numbers: int) -> Function:
    """The function of this name, called with so many pointers, then whole numbers; others may run meanwhile.

    Raises
    ------
    RuntimeError
        If LLVM cannot compile it, or it calls what is not there.
    """
    with _compiling:  # LLVM is not to be used by two threads at once
        machine, module = _machine(), llvm.parse_assembly(assembly)
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        # The loops are written as they should be.
        options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
        passes = llvm.create_pass_builder(machine, options)
        passes.getModulePassManager().run(module, passes)
        parts = llvm.JITLibraryBuilder().add_ir(module).export_symbol(name).add_current_process()
        library = parts.link(_linker(), f"{name} {next(_numbers)}")
    kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * pointers, *[ctypes.c_int64] * numbers)
    function: Any = kind(library[name])
    function.library = library  # the machine code lives as long as this
    compiled: Function = function
    return compiled


@functools.cache
def _linker() -> Any:
    return llvm.create_lljit_compiler(_machine())
