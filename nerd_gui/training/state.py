"""The state of a training run in one `safetensors` file, without pickle; a crash while writing keeps the old file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from nerd_gui.files import from_json, write_file
from nerd_gui.training.data import DataError


@dataclass
class RunState:
    """The tensors of a run by name ("model.…", "ema.…", "adamw.…", "muon.…", "random.…"), and its numbers."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors whose names start with `prefix`, without the prefix."""
        start = prefix + "."
        return {name[len(start) :]: value for name, value in self.tensors.items() if name.startswith(start)}

    def in_channels(self, channels: int) -> "RunState":
        """Convert the state of a grey network to `channels` channels, or that of a colour network to one channel.

        Moments and random numbers are dropped. The new network averages the channels at its input or output, so that
        it denoises equal channels like the old one; from colour to grey this is only nearly so, because BatchNorm's
        statistics of the channels are averaged. Its steps are counted from 0, so that the average of its weights
        follows the fast changes at the beginning. A state that has this number of channels already is returned
        unchanged.

        Raises
        ------
        DataError
            If neither number of channels is 1.
        """
        before = self.tensors["model.f_inject.conv_in.weight"].shape[1]
        if before == channels:
            return self
        if 1 not in (before, channels):
            raise DataError(f"A state with {before} channels cannot be converted to {channels}; start from a grey one.")
        tensors = {}
        for name, value in self.tensors.items():
            kind, _, weight = name.partition(".")
            if kind not in ("model", "ema"):
                continue
            if weight == "f_inject.conv_in.weight":
                value = value.sum(1, keepdim=True) if channels == 1 else value.repeat(1, channels, 1, 1) / channels
            elif weight.startswith(("f_inject.norm_in.", "f_decode.conv.")) and value.dim():
                one = value.mean(0, keepdim=True)
                value = one if channels == 1 else one.repeat(channels, *[1] * (value.dim() - 1))
            tensors[name] = value
        return RunState(tensors, {**self.numbers, "steps": 0})

    def with_level_input(self) -> "RunState":
        """Convert the state of a blind network to one with level input, without moments and random numbers.

        The weights of the level are 0, so that the network initially computes the same as the blind one. A state with
        level input is returned unchanged.
        """
        if "model.f_inject.level_in" in self.tensors:
            return self
        tensors = {name: value for name, value in self.tensors.items() if name.startswith(("model.", "ema."))}
        features = len(tensors["model.f_inject.conv_in.bias"])
        for kind in ("model", "ema"):
            tensors[f"{kind}.f_inject.level_in"] = tensors[f"{kind}.f_inject.conv_in.bias"].new_zeros(features, 1, 1)
        return RunState(tensors, self.numbers)

    def in_half(self) -> "RunState":
        """Convert weights and their averages to half precision, for committing: this halves the size of the file.

        Rounding the weights changes the validation PSNR by 0.003 dB at most. The statistics of BatchNorm are not
        converted, since some are too small for half precision.
        """
        halved = {
            name: value.half() if value.dtype == torch.float32 and ".running_" not in name else value
            for name, value in self.tensors.items()
        }
        return RunState(halved, self.numbers)

    def save(self, path: Path) -> None:
        """Write the state; if that fails, an existing file is kept.

        Raises
        ------
        DataError
            If the file cannot be written (a full disk, a folder without permission).
        """
        tensors = {name: value.detach().cpu().contiguous() for name, value in self.tensors.items()}
        try:
            write_file(path, save(tensors, {"numbers": json.dumps(self.numbers)}))
        except OSError as error:
            raise DataError(
                f"The training state “{path}” cannot be written ({error.strerror}); the last one is kept."
            ) from error

    @classmethod
    def load(cls, path: Path, device: torch.device) -> "RunState":
        """Read a state, and convert it to single precision.

        Raises
        ------
        DataError
            If the file cannot be read.
        """
        try:
            with safe_open(path, framework="pt", device=str(device)) as file:
                numbers = from_json(file.metadata()["numbers"])
                for name in ("samples", "steps", "seconds", "decay_samples"):
                    numbers[name] + 0  # raises an error if it is missing or not a number
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                halves = {name: value.float() for name, value in tensors.items() if value.dtype == torch.float16}
                return cls(tensors | halves, numbers)
        except (SafetensorError, OSError, KeyError, TypeError, json.JSONDecodeError) as error:
            raise DataError(
                f"The training state “{path}” cannot be read ({error}); remove it to start from the beginning."
            ) from error


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimizer's moments as named tensors."""
    states = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": torch.as_tensor(value)
        for index, moments in states.items()
        for name, value in moments.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Restore the optimizer's moments from `optimizer_tensors`."""
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".")
        states.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": states})
