"""Exports a network as three ONNX graphs, for programs that use neither PyTorch nor this package."""

from __future__ import annotations

import copy
import importlib.util
import io
import json
import logging
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim

from nerd_gui.files import write_file
from nerd_gui.nerd.model import NERD

_NEEDED = ("onnx", "onnxscript")
_OPSET = 20
#: Sizes of the tensors for tracing. They differ from all sizes of the network, so that none is taken for a constant.
_BATCH, _ROWS, _COLS = 2, 13, 11


class ExportError(ValueError):
    """A network cannot be exported; the message says why and what to do."""


class _Inject(nn.Module):
    def __init__(self, net: NERD) -> None:
        super().__init__()
        self.net = net

    def forward(self, y: Tensor, level: Tensor | None = None) -> Tensor:
        return self.net.inject(y, level)


class _F(nn.Module):
    def __init__(self, net: NERD, window: int) -> None:
        super().__init__()
        self.net, self.window = net, window

    def forward(self, z: Tensor, s: Tensor) -> Tensor:
        return self.net.implicit(z, s, window=self.window)


class _Decode(nn.Module):
    def __init__(self, net: NERD) -> None:
        super().__init__()
        self.net = net

    def forward(self, z: Tensor) -> Tensor:
        return self.net.decode(z)


def export_onnx(
    net: NERD, folder: Path, name: str, *, window: int | None = None, overwrite: bool = False
) -> list[Path]:
    """Write ``inject.onnx``, ``f.onnx`` and ``decode.onnx``; the solver for z = f(z, s) is up to the user.

    The graphs take batches of pictures of any size. Each file holds its weights. Its metadata hold, under "nerd", the
    network's name, SHA-256 and configuration and the window q as JSON.

    ======== ========================================== =================================
    file     inputs                                     output
    ======== ========================================== =================================
    inject   y (B, C, rows, cols) in [0, 1]; `level`    s (B, d, rows, cols)
             (B,) on the 0-255 scale, if the network
             takes the noise level as an input
    f        z, s (B, d, rows, cols)                    f_z (B, d, rows, cols)
    decode   z (B, d, rows, cols)                       decoded (B, C, rows, cols): the
                                                        noise n_hat, or x_hat if the
                                                        picture is the equilibrium
    ======== ========================================== =================================

    Parameters
    ----------
    net : NERD
        Folded, in evaluation mode, on the CPU.
    folder : Path
        Created if it does not exist.
    name : str
        The network's name, for the files' metadata.
    window : int, optional
        Attention window q in pixels, which is fixed in the exported graph; None: the network's own.
    overwrite : bool
        Whether existing files may be replaced.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    ExportError
        If a package that PyTorch needs for the export is missing.
    OSError
        If a file cannot be written, or exists and may not be replaced.
    """
    missing = [package for package in _NEEDED if importlib.util.find_spec(package) is None]
    if missing:
        names = " and ".join(missing)
        raise ExportError(f"The export needs {names}, which is not installed. Install it: pip install nerd-gui[onnx].")
    window = net.window if window is None else window
    net = copy.deepcopy(net)
    if net.non_local is not None:
        net.non_local.path = "rows"
    config = net.config
    about = {"name": name, "sha256": net.weights_sha256, "window": window, "config": asdict(config)}
    y = torch.rand(_BATCH, config.channels, _ROWS, _COLS)
    z = torch.rand(_BATCH, config.features, _ROWS, _COLS)
    told = {"level": torch.full((_BATCH,), 25.0)} if config.level_input else {}
    graphs = {
        "inject": _graph(_Inject(net), {"y": y, **told}, "s", about),
        "f": _graph(_F(net, window), {"z": z, "s": z.clone()}, "f_z", about),
        "decode": _graph(_Decode(net), {"z": z}, "decoded", about),
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for stem, content in graphs.items():
        paths.append(folder / f"{stem}.onnx")
        write_file(paths[-1], content, overwrite=overwrite)
    return paths


def _graph(module: nn.Module, inputs: dict[str, Tensor], output: str, about: Mapping[str, object]) -> bytes:
    axes = {0: Dim("batch"), 2: Dim("rows"), 3: Dim("cols")}
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)  # hides the warning that torchvision, which is not needed, is missing
    try:
        # PyTorch prints its progress to stdout, which is reserved for a command's results.
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module.eval(),
                kwargs=inputs,
                dynamo=True,
                verbose=False,
                opset_version=_OPSET,
                input_names=list(inputs),
                output_names=[output],
                dynamic_shapes={name: {dim: axes[dim] for dim in axes if dim < x.dim()} for name, x in inputs.items()},
            )
    finally:
        log.setLevel(level)
    assert program is not None
    program.model.metadata_props["nerd"] = json.dumps(about)
    content: bytes = program.model_proto.SerializeToString()
    return content
