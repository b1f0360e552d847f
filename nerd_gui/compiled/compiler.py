"""From LLVM's intermediate language to functions that Python calls; a fraction of a second for each."""

import ctypes
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch

try:
    import llvmlite.binding as llvm
except ImportError as error:
    if not (error.name or "").startswith("llvmlite"):
        raise
    llvm = None

_compiling = threading.Lock()

Function = Callable[..., None]


def missing() -> str | None:
    """Why nothing can be compiled here; None if it can."""
    return "llvmlite is not installed" if llvm is None else None


def has(feature: str) -> bool:
    """Whether this processor has what LLVM calls by this name."""
    return bool(_features().get(feature))


def registers() -> tuple[int, int]:
    """Floats that fit into one vector register of this processor, and how many such registers it has."""
    return (16, 32) if has("avx512f") else (8, 16)


def multiplies_pairs() -> bool:
    """Whether this processor multiplies pairs of bfloat16, twice as many numbers at once."""
    return has("avx512bf16")


def converts_halves() -> bool:
    """Whether this processor itself makes floats of float16."""
    return has("f16c") or has("neon")


@functools.cache
def _features() -> Any:
    try:
        return llvm.get_host_cpu_features()
    except RuntimeError:  # LLVM does not tell for this processor: what all of its kind have will do
        return llvm.FeatureMap()


def compile_function(name: str, assembly: str, pointers: int, numbers: int) -> Function:
    """The function of this name, called with so many pointers, then whole numbers; others may run meanwhile.

    Raises
    ------
    RuntimeError
        If LLVM cannot compile it.
    """
    with _compiling:  # LLVM is not to be used by two threads at once
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=_features().flatten(), opt=3
        )
        module = llvm.parse_assembly(assembly)
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        # The loops are written as they should be.
        options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
        passes = llvm.create_pass_builder(machine, options)
        passes.getModulePassManager().run(module, passes)
        engine = llvm.create_mcjit_compiler(module, machine)
        engine.finalize_object()
    kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * pointers, *[ctypes.c_int64] * numbers)
    function: Any = kind(engine.get_function_address(name))
    function.engine = engine  # the machine code lives as long as this
    return function


def in_threads(work: Callable[[], None]) -> None:
    """Let as many threads as PyTorch uses do the `work`, which shares its tasks out; return when all have ended."""
    others = torch.get_num_threads() - 1
    if not others:
        work()
        return
    with ThreadPoolExecutor(others, "compiled") as pool:
        helpers = [pool.submit(work) for _ in range(others)]
        work()
        for helper in helpers:
            helper.result()
