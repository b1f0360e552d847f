"""`nerd-gui [PHOTO]`: opens the window."""

import argparse
from pathlib import Path

from nerd_gui import __version__
from nerd_gui.cli.arguments import Parser, UsageError, add_max_pixels, network
from nerd_gui.cli.desktop import install_desktop, uninstall_desktop


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui`."""
    made = Parser(
        "",
        "Watch an equilibrium denoiser find its fixed point: open the window, on PHOTO or on a sample picture.\n\n"
        "Commands without a window, each with a --help of its own:\n"
        "  nerd-gui denoise     denoise photo files\n"
        "  nerd-gui evaluate    measure networks on folders of pictures\n"
        "  nerd-gui analyse     analyse the equilibrium of a photo\n"
        "  nerd-gui noise       measure the noise of photos\n"
        "  nerd-gui reproduce   measure the paper's tables and figures again\n"
        "  nerd-gui train       train a network\n"
        "  nerd-gui export-onnx write a network as ONNX graphs\n"
        "  nerd-gui export-hub  write a network as a folder for the Hugging Face Hub\n"
        "  nerd-gui bench       measure the speed on this machine\n"
        "  nerd-gui tune        find the fastest way to train on this device",
        "examples:\n  nerd-gui\n  nerd-gui holiday.jpg\n  nerd-gui holiday.nerd\n  nerd-gui --screenshot window.png\n"
        "  nerd-gui --install-desktop\n"
        "  nerd-gui ./denoise   a photo whose name is that of a command",
    )
    made.add_argument(
        "photo",
        nargs="?",
        type=Path,
        metavar="PHOTO",
        help="photo or session (NAME.nerd) to open (default: a sample picture)",
    )
    made.add_argument("--screenshot", type=Path, metavar="FILE", help="run, save a picture of the window, and exit")
    made.add_argument(
        "--model", type=network, metavar="NAME", help="a network's name or file, or your own model as module:object"
    )
    add_max_pixels(made)
    desktop = made.add_mutually_exclusive_group()
    desktop.add_argument(
        "--install-desktop", action="store_true", help="on Linux: add a menu entry, and open .nerd files with it"
    )
    desktop.add_argument("--uninstall-desktop", action="store_true", help="remove the menu entry and the file type")
    made.add_argument("--dry-run", action="store_true", help="with one of the two: only print the files concerned")
    made.add_argument("--version", action="version", version=f"NERD GUI {__version__}")
    return made


def run(args: argparse.Namespace) -> int:
    """Open the window, and return when it is closed; or add the program to the desktop.

    Raises
    ------
    UsageError
        If Qt cannot be loaded, or options cannot be combined.
    """
    if args.install_desktop or args.uninstall_desktop:
        (install_desktop if args.install_desktop else uninstall_desktop)(dry_run=args.dry_run)
        return 0
    if args.dry_run:
        raise UsageError("--dry-run is for --install-desktop and --uninstall-desktop.")
    try:
        from nerd_gui.window.application import run_window
    except ImportError as error:
        from nerd_gui.window.system_libraries import REMEDY, missing_library

        library = missing_library(error)
        if library is None:
            raise
        raise UsageError(
            f"The window cannot be shown: Qt lacks the system library {library}. {REMEDY} “nerd-gui denoise” denoises "
            "photos without a window."
        ) from error
    return run_window(args.photo, screenshot=args.screenshot, model=args.model)
