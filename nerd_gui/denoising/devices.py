"""Where f can be evaluated on this machine, and which network suits that device."""

import torch

from nerd_gui.compiled import available
from nerd_gui.denoising.errors import RunError
from nerd_gui.nerd import model_names
from nerd_gui.nerd.attention import Precision


def devices() -> list[str]:
    """The devices that a run can use here: the processor first, then accelerators."""
    found = ["cpu"]
    found += ["cuda"] if torch.cuda.device_count() == 1 else [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return found


def check_device(name: str) -> str:
    """Return the device's name if it is there.

    Raises
    ------
    RunError
        If it is not.
    """
    known = devices()
    if name not in known and not (name == "cuda:0" and "cuda" in known):
        raise RunError(f"There is no device “{name}” here; choose one of {', '.join(known)}.")
    return name


def default_device() -> str:
    """The fastest device: an accelerator where there is one."""
    return devices()[-1] if len(devices()) > 1 else "cpu"


def fast_precision(device: str) -> Precision:
    """The faster arithmetic inside f: "bfloat16" where the device computes in it itself, else "float32".

    The pictures are the same to a thousandth of a decibel; only the residual comes to rest earlier.
    """
    if device.startswith("cuda"):
        native = torch.cuda.get_device_capability(device) >= (8, 0)
    elif device == "cpu" and available():
        from nerd_gui.compiled.compiler import has  # loads LLVM, which not every machine has

        native = has("avx512bf16") or has("amx-bf16")
    else:
        native = False
    return "bfloat16" if native else "float32"


def default_model(device: str) -> str:
    """The paper's network on an accelerator, the lite one on a processor, as far as they have been trained."""
    names = model_names()
    preferred = ["nerd", "nerd-lite"] if device != "cpu" else ["nerd-lite", "nerd"]
    for name in [*preferred, *names]:
        if name in names:
            return name
    raise RunError("No trained network came with this installation; reinstall the program or open a checkpoint.")
