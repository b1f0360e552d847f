"""Describes the machine, and measures its convolutions and matrix products with the sizes of those in f."""

import os
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import torch
import torch.nn.functional as F

from nerd_gui import __version__
from nerd_gui.benchmarks.baselines import installed_version
from nerd_gui.benchmarks.flops import conv_flops

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_LOOK = 0.5  # seconds for measuring the load of other programs
_MOST_ROWS = 1 << 14  # largest number of rows of the matrix product; more do not change its rate


def describe(device: str) -> dict[str, str | int | None]:
    """Describe what timings depend on: the device, the CPU, the number of threads, and the versions of libraries.

    "busy" is the fraction of the CPU, 0 to 1, that other programs use at the moment.
    """
    cuda = device.startswith("cuda")
    return {
        "program": __version__,
        "device": device,
        "device_name": torch.cuda.get_device_name(device) if cuda else processor_name(),
        "processor": processor_name(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "busy": psutil.cpu_percent(_LOOK) / 100,
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchdeq": installed_version("torchdeq"),
        "scikit-image": installed_version("scikit-image"),
    }


def processor_name() -> str:
    """The CPU's model name as the system reports it."""
    names: list[str] = []
    if platform.system() == "Linux":
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    elif platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        names = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return (names or [platform.processor() or platform.machine()])[0]


def convolutions(
    features: int, hidden: int, size: int, precision: str, device: str
) -> tuple[Callable[[], object], int]:
    """Make a function that runs conv2d features -> hidden -> features on a square picture, and count its operations."""
    shapes = (1, features, size, size), (hidden, features, 3, 3), (features, hidden, 3, 3)
    x, widen, narrow = (
        torch.randn(shape, dtype=DTYPES[precision], device=device).contiguous(memory_format=torch.channels_last)
        for shape in shapes
    )

    def run() -> object:
        return F.conv2d(F.conv2d(x, widen, padding=1), narrow, padding=1)

    return run, 2 * conv_flops(features, hidden, size * size)


def matrix_product(
    features: int, hidden: int, size: int, precision: str, device: str
) -> tuple[Callable[[], object], int]:
    """Make the matrix product equivalent to the first convolution: (pixels, 9 features) x (9 features, hidden).

    For a large picture, only a part of the pixels is used.
    """
    rows, inner = min(size * size, _MOST_ROWS), 9 * features
    left, right = (
        torch.randn(shape, dtype=DTYPES[precision], device=device) for shape in ((rows, inner), (inner, hidden))
    )
    return (lambda: left @ right), 2 * rows * inner * hidden
