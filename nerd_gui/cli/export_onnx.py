"""`nerd-gui export-onnx`: exports a network for programs without PyTorch."""

import argparse
from pathlib import Path

from nerd_gui.cli.arguments import Parser, whole
from nerd_gui.cli.targets import check_in_folder
from nerd_gui.nerd import load_nerd
from nerd_gui.nerd.onnx import export_onnx


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui export-onnx`."""
    made = Parser(
        "export-onnx",
        "Write a network as three ONNX graphs: inject, f and decode. They take pictures of any size. The program that\n"
        "runs them must find the equilibrium itself; docs/onnx_solver.py shows how, with numpy in a few lines.",
        "examples:\n  nerd-gui export-onnx nerd-lite -o nerd-lite-onnx/\n"
        "  nerd-gui export-onnx my-network.safetensors -o mine/ --window 33",
    )
    add = made.add_argument
    add("model", metavar="NAME", help="a network's name, or a .safetensors file")
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the files; created if missing")
    add("--window", type=whole(1), metavar="Q", help="attention window in pixels (default: the network's own)")
    add("--overwrite", action="store_true", help="replace files that exist")
    return made


def run(args: argparse.Namespace) -> int:
    """Export, and print the files' names.

    Raises
    ------
    UsageError, ModelError, ExportError
    """
    check_in_folder(args.output, "inject.onnx", replace=args.overwrite)
    for path in export_onnx(
        load_nerd(args.model), args.output, args.model, window=args.window, overwrite=args.overwrite
    ):
        print(path)
    return 0
