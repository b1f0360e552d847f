"""`nerd-gui export-hub`: exports a network as a folder that can be published on the Hugging Face Hub."""

import argparse
from pathlib import Path

from nerd_gui.cli.arguments import Parser
from nerd_gui.cli.targets import check_in_folder
from nerd_gui.nerd.hub import export_hub


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui export-hub`."""
    made = Parser(
        "export-hub",
        "Write a network as a folder for the Hugging Face Hub: weights, config.json, and its card as README.md.\n"
        "“hf upload OWNER/NAME FOLDER” publishes it.",
        "examples:\n  nerd-gui export-hub nerd-lite -o nerd-lite-hub/\n"
        "  nerd-gui export-hub my-network.safetensors -o mine/ --overwrite",
    )
    add = made.add_argument
    add("model", metavar="NAME", help="a network's name, or a .safetensors file")
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the files; created if missing")
    add("--overwrite", action="store_true", help="replace files that exist")
    return made


def run(args: argparse.Namespace) -> int:
    """Export, and print the files' names.

    Raises
    ------
    UsageError, ModelError
    """
    check_in_folder(args.output, "model.safetensors", replace=args.overwrite)
    for path in export_hub(args.model, args.output, overwrite=args.overwrite):
        print(path)
    return 0
