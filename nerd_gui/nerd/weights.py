"""The catalogue of trained networks, and reading and writing them as `safetensors` files.

A file holds the folded float32 parameters and buffers. Its metadata hold the `NerdConfig` and the record of the
training (samples seen, validation PSNR, ...). Nothing is ever unpickled.
"""

import hashlib
import json
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from nerd_gui.files import from_json, write_file
from nerd_gui.nerd.model import NERD
from nerd_gui.nerd.network import NerdConfig, Network
from nerd_gui.nerd.own import own
from nerd_gui.places import data_folder

FORMAT = "nerd-gui/1"
#: Subfolder of networks that were trained for the paper's comparisons. They can be loaded by name, but are not listed.
_ABLATIONS = "ablations"
_REALS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


class ModelError(ValueError):
    """A network cannot be loaded; the message says which, why and what to do."""


def model_names() -> list[str]:
    """Names of the networks that are shipped with the program."""
    return sorted(path.stem for path in data_folder("weights").glob("*.safetensors"))


def ablation_names() -> list[str]:
    """Names of the networks that were trained for comparisons, each with one setting changed."""
    return sorted(path.stem for path in (data_folder("weights") / _ABLATIONS).glob("*.safetensors"))


def model_path(name_or_path: str | Path) -> Path:
    """Return the file of a network, given its name in the catalogue or the path of a ``.safetensors`` file.

    Raises
    ------
    ModelError
        If there is no such network or file.
    """
    path = Path(name_or_path)
    if path.suffix == ".safetensors":
        if path.is_file():
            return path
        raise ModelError(f"There is no network file “{path}”; check the path.")
    weights = data_folder("weights")
    path = weights / f"{name_or_path}.safetensors"
    if not path.is_file():
        path = weights / _ABLATIONS / path.name
    if not path.is_file():
        if ":" in str(name_or_path):
            raise ModelError(
                f"“{name_or_path}” is a user's own model; start the program with --model {name_or_path} to load it."
            )
        known = ", ".join(model_names()) or "none"
        raise ModelError(f"There is no network named “{name_or_path}”; choose one of: {known}, or a .safetensors file.")
    return path


def save_model(path: Path, net: NERD, record: dict[str, Any]) -> None:
    """Write the folded network and its training record; the file is written whole or not at all.

    The network itself is not changed.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in net.folded_state().items()}
    metadata = {"format": FORMAT, "config": json.dumps(asdict(net.config)), "record": json.dumps(record)}
    write_file(path, save(tensors, metadata))


def load_record(name_or_path: str | Path) -> dict[str, Any]:
    """Read the record of a network's training and measurements from its file; empty for a user's model.

    Raises
    ------
    ModelError
        If the file cannot be read or is not a NERD network.
    """
    if own(str(name_or_path)) is not None:
        return {}
    return _read(model_path(name_or_path), with_tensors=False)[1]


def load_config(name_or_path: str | Path) -> NerdConfig:
    """Read the configuration of a network from its file, without loading the weights.

    Raises
    ------
    ModelError
        If the file cannot be read or is not a NERD network.
    """
    model = own(str(name_or_path))
    return model.config if model is not None else _read(model_path(name_or_path), with_tensors=False)[0]


def weights_sha256(name_or_path: str | Path) -> str:
    """Return the SHA-256 of a network's file, which identifies its weights.

    Raises
    ------
    ModelError
        If there is no such network.
    """
    return hashlib.sha256(model_path(name_or_path).read_bytes()).hexdigest()


def are_foreign(weights: str) -> bool:
    """Whether weights, given as the SHA-256 of their file, are not among those shipped with the program."""
    return weights not in _catalogued(data_folder("weights"))


@cache
def _catalogued(folder: Path) -> frozenset[str]:
    files = (path for of in (folder, folder / _ABLATIONS) for path in of.glob("*.safetensors"))
    return frozenset(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)


def load_model(name_or_path: str | Path, device: str | torch.device = "cpu") -> Network:
    """Load a network, folded, in evaluation mode, without gradients.

    Parameters
    ----------
    name_or_path : str or Path
        A name of `model_names()`, a `.safetensors` file, or the name of a registered user's model (see `own`).
    device : str or torch.device
        The device to load it to.

    Returns
    -------
    Network
        A `NERD`, or a user's model.

    Raises
    ------
    ModelError
        If the network is unknown, the file is unreadable or not a NERD network, or values are not finite.

    Examples
    --------
    >>> net = load_model("nerd-lite")
    >>> net.training, net.window
    (False, 17)
    """
    model = own(str(name_or_path))
    if model is not None:
        return model.eval().to(device)
    return load_nerd(name_or_path, device)


def load_nerd(name_or_path: str | Path, device: str | torch.device = "cpu") -> NERD:
    """Load a network like `load_model`, but never a user's model."""
    path = model_path(name_or_path)
    config, _, tensors = _read(path, with_tensors=True)
    if not _fits(tensors, config):  # checked before memory is allocated
        raise ModelError(f"The network file “{path}” does not fit its own configuration; get it again.")
    net = NERD(config).fold()
    net.load_state_dict(tensors)
    if not all(torch.isfinite(value).all() for value in tensors.values()):
        raise ModelError(f"The network file “{path}” holds values that are not finite; get it again.")
    net.weights_sha256 = weights_sha256(path)
    return net.eval().requires_grad_(False).to(device)


def _fits(tensors: dict[str, torch.Tensor], config: NerdConfig) -> bool:
    """Whether the names, shapes and kinds of numbers of the tensors are those of a network with this configuration."""
    # A folded network has the tensors of one without weight norm. On this device PyTorch would load its compiler for
    # the norm, which takes seconds.
    with torch.device("meta"):
        wanted = NERD(replace(config, weight_norm=False)).state_dict()
    return tensors.keys() == wanted.keys() and all(
        value.shape == tensors[name].shape
        and (tensors[name].dtype in _REALS if value.is_floating_point() else tensors[name].dtype == value.dtype)
        for name, value in wanted.items()
    )


def _read(path: Path, *, with_tensors: bool) -> tuple[NerdConfig, dict[str, Any], dict[str, torch.Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise ModelError(f"“{path}” is not a NERD network (no “{FORMAT}” mark); choose another file.")
            tensors = {name: file.get_tensor(name) for name in file.keys()} if with_tensors else {}  # noqa: SIM118
        record = from_json(metadata["record"])
        if not isinstance(record, dict):
            raise TypeError("its record is not a JSON object")
        return NerdConfig(**from_json(metadata["config"])), record, tensors
    except (SafetensorError, OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ModelError(f"The network file “{path}” cannot be read ({error}); get it again.") from error
    except ModelError:
        raise
    except ValueError as error:
        raise ModelError(f"The network file “{path}” has an impossible configuration: {error}") from error
