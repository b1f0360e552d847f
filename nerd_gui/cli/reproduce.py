"""`nerd-gui reproduce`: reproduces the paper's tables and figures and compares them with its numbers."""

import argparse
import shlex
from pathlib import Path

import torch

from nerd_gui.cli.arguments import Parser, UsageError, say, whole
from nerd_gui.cli.targets import check_in_folder
from nerd_gui.reproduce import ITEMS, reproduce

_ALL = "all"


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui reproduce`."""
    listed = "\n".join(f"  {item.name:20} {item.title}" for item in ITEMS.values())
    made = Parser(
        "reproduce",
        "Measure the paper's tables and figures again with the program's networks, and compare them with the paper's\n"
        "numbers. Writes one page (index.md), the measured rows as CSV, and figures as SVG and PNG. A run that was\n"
        "stopped can be continued by the same command.",
        f"items:\n{listed}\n\nexamples:\n  nerd-gui reproduce all --data DIR --out reproduction\n"
        "  nerd-gui reproduce figure-10 --data DIR",
    )
    add = made.add_argument
    add("items", nargs="+", choices=[*ITEMS, _ALL], metavar="NAME|all")
    add("--data", type=Path, metavar="DIR", help="folder that holds the folders set12, bsd68, urban100, depth, bsd400")
    add("--out", type=Path, default=Path("reproduction"), metavar="DIR", help="folder to write (default: reproduction)")
    add("--quick", action="store_true", help="few steps on small pictures, only to see that everything works")
    add("--fresh", action="store_true", help="measure again the figures that the networks' cards hold already")
    add("--page-only", action="store_true", help="measure nothing; write the page from the rows that exist")
    add("--threads", type=whole(1), metavar="N", help="processor threads (default: one for each core)")
    return made


def run(args: argparse.Namespace) -> int:
    """Measure and write the page.

    Raises
    ------
    UsageError, ReproduceError, PhotoError, ModelError
    """
    if args.data is not None and not args.data.is_dir():
        raise UsageError(f"“{args.data}” is not a folder; name the one that holds set12 and the other picture sets.")
    check_in_folder(args.out, "index.md", replace=True)
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    names = list(ITEMS) if _ALL in args.items else list(dict.fromkeys(args.items))
    words = ["nerd-gui", "reproduce", *args.items, *(["--quick"] if args.quick else [])]
    words += [*["--fresh"] * args.fresh, *["--page-only"] * args.page_only]
    command = shlex.join(words) + ("" if args.data is None else " --data DIR")
    reproduce(
        names,
        args.out,
        args.data,
        quick=args.quick,
        fresh=args.fresh,
        measures=not args.page_only,
        command=command,
        say=say,
    )
    print(args.out / "index.md")
    return 0
