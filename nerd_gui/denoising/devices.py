"""The devices of this machine, and the default network and arithmetic for each."""

import torch

from nerd_gui.compiled import available
from nerd_gui.denoising.errors import RunError
from nerd_gui.nerd import model_names
from nerd_gui.nerd.attention import Precision


def devices() -> list[str]:
    """The devices that a run can use on this machine: first the CPU, then accelerators."""
    found = ["cpu"]
    found += ["cuda"] if torch.cuda.device_count() == 1 else [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return found


def check_device(name: str) -> str:
    """Return the device's name if this machine has it.

    Raises
    ------
    RunError
        If it has no such device.
    """
    known = devices()
    if name not in known and not (name == "cuda:0" and "cuda" in known):
        raise RunError(f"This machine has no device “{name}”; choose one of {', '.join(known)}.")
    return name


def default_device() -> str:
    """The fastest device: an accelerator if there is one, else the CPU."""
    return devices()[-1] if len(devices()) > 1 else "cpu"


def fast_precision(device: str) -> Precision:
    """The faster arithmetic inside f: "bfloat16" if the device has instructions for it, else "float32".

    The pictures agree to a thousandth of a decibel; with bfloat16, only the residual stalls at a higher value.
    """
    if device.startswith("cuda"):
        native = torch.cuda.get_device_capability(device) >= (8, 0)
    elif device == "cpu" and available():
        from nerd_gui.compiled.compiler import has  # imported here because it loads LLVM, which may be missing

        native = has("avx512bf16") or has("amx-bf16")
    else:
        native = False
    return "bfloat16" if native else "float32"


def default_model(device: str) -> str:
    """The paper's network for an accelerator, the lite one for a CPU; any other if these are not installed."""
    names = model_names()
    preferred = ["nerd", "nerd-lite"] if device != "cpu" else ["nerd-lite", "nerd"]
    for name in [*preferred, *names]:
        if name in names:
            return name
    raise RunError("This installation has no trained network; reinstall the program or open a network's file.")
