"""The state of a training run on disk, in one `safetensors` file: nothing is pickled, a crash leaves the last one."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from nerd_gui.nerd.weights import write_atomically
from nerd_gui.training.data import DataError


@dataclass
class RunState:
    """Tensors by name ("model.…", "ema.…", "adamw.…", "muon.…", "random.…") and the numbers that go with them."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors under `prefix`, named without it."""
        start = prefix + "."
        return {name[len(start) :]: value for name, value in self.tensors.items() if name.startswith(start)}

    def save(self, path: Path) -> None:
        """Write the whole state, or leave the file that was there.

        Raises
        ------
        DataError
            If it cannot be written (a full disk, a folder without permission).
        """
        tensors = {name: value.detach().cpu().contiguous() for name, value in self.tensors.items()}
        try:
            write_atomically(path, save(tensors, {"numbers": json.dumps(self.numbers)}))
        except OSError as error:
            raise DataError(
                f"The training state “{path}” cannot be written ({error}); the last one is kept."
            ) from error

    @classmethod
    def load(cls, path: Path, device: torch.device) -> "RunState":
        """Read a state back.

        Raises
        ------
        DataError
            If the file cannot be read.
        """
        try:
            with safe_open(path, framework="pt", device=str(device)) as file:
                numbers = json.loads(file.metadata()["numbers"])
                return cls({name: file.get_tensor(name) for name in file.keys()}, numbers)  # noqa: SIM118
        except (SafetensorError, OSError, KeyError, TypeError, json.JSONDecodeError) as error:
            raise DataError(
                f"The training state “{path}” cannot be read ({error}); remove it to start anew."
            ) from error


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimizer's moments as named tensors."""
    states = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": torch.as_tensor(value)
        for index, moments in states.items()
        for name, value in moments.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give the optimizer back the moments of `optimizer_tensors`."""
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".")
        states.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": states})
