"""`nerd-gui [PHOTO]`: the window."""

import argparse
from pathlib import Path

from nerd_gui import __version__
from nerd_gui.cli.arguments import Parser, add_max_pixels, network


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui`."""
    made = Parser(
        "",
        "Watch an equilibrium denoiser find its fixed point: open the window, on PHOTO or on a sample picture.\n\n"
        "Commands without a window, each with a --help of its own:\n"
        "  nerd-gui denoise     denoise photo files\n"
        "  nerd-gui evaluate    measure networks on folders of pictures\n"
        "  nerd-gui analyse     ask the equilibrium of a photo questions\n"
        "  nerd-gui train       train a network\n"
        "  nerd-gui export-onnx write a network as ONNX graphs\n"
        "  nerd-gui bench       measure how fast it all is here\n"
        "  nerd-gui tune        find the fastest way to train on this device",
        "examples:\n  nerd-gui\n  nerd-gui holiday.jpg\n  nerd-gui holiday.nerd\n  nerd-gui --screenshot window.png\n"
        "  nerd-gui ./denoise   a photo that is called as a command",
    )
    made.add_argument(
        "photo",
        nargs="?",
        type=Path,
        metavar="PHOTO",
        help="photo, or session (NAME.nerd), to open (a sample if left out)",
    )
    made.add_argument("--screenshot", type=Path, metavar="FILE", help="run, save a picture of the window, and exit")
    made.add_argument(
        "--model", type=network, metavar="NAME", help="network by name or file, or module:object of your own"
    )
    add_max_pixels(made)
    made.add_argument("--version", action="version", version=f"NERD GUI {__version__}")
    return made


def run(args: argparse.Namespace) -> int:
    """Open the window; returns when it is closed."""
    from nerd_gui.window.application import run_window

    return run_window(args.photo, screenshot=args.screenshot, model=args.model)
