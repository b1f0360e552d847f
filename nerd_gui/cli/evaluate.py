"""`nerd-gui evaluate`: PSNR and SSIM of networks on a folder of clean pictures."""

import argparse
import json
import sys
from pathlib import Path

from nerd_gui.cli.arguments import Parser, sigma, whole
from nerd_gui.cli.settings import add_run_options, run_settings
from nerd_gui.cli.targets import check_file, write_text
from nerd_gui.training.evaluate import Figures, as_text, evaluate, image_line, markdown, summary


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui evaluate`."""
    made = Parser(
        "evaluate",
        "Add noise to the clean pictures of a folder, denoise them, and measure PSNR and SSIM.",
        "examples:\n  nerd-gui evaluate set12 --sigma 15 25 50 --model nerd-lite --json set12.json\n"
        "  nerd-gui evaluate bsd68 --sigma 25 --model nerd-lite nerd-lite-25 --tol 0 --limit 10",
    )
    add = made.add_argument
    add("folder", type=Path, metavar="DIR", help="folder of clean pictures; turned grey for a grey network")
    add("--sigma", nargs="+", required=True, type=sigma, metavar="S", help="noise levels (0-255)")
    add("--model", nargs="+", required=True, metavar="NAME", help="networks by name, or .safetensors files")
    add("--limit", type=whole(1), metavar="K", help="take the first K pictures only")
    add("--json", type=Path, metavar="FILE", help="write all figures")
    add("--markdown", type=Path, metavar="FILE", help="write means, images and protocol as a document")
    add_run_options(made)
    return made


def run(args: argparse.Namespace) -> int:
    """Evaluate, print the means, and write the files that are asked for.

    Raises
    ------
    UsageError, DataError, PhotoError, ModelError, RunError
        Before the first run.
    """
    for path in (args.json, args.markdown):
        check_file(path)
    settings = run_settings(args, args.model[0])

    entries = evaluate(args.folder, args.sigma, args.model, settings, limit=args.limit, watch=_show)
    if args.json is not None:
        write_text(args.json, json.dumps(entries, indent=2, allow_nan=False) + "\n")
    if args.markdown is not None:
        write_text(args.markdown, markdown(entries, args.folder, settings))
    print(as_text(summary(entries, args.folder)))
    return 0


def _show(entry: Figures, image: Figures, total: int) -> None:
    print(image_line(entry, image, total), file=sys.stderr, flush=True)
