"""`nerd-gui tune`: measures an accelerator and chooses how to train on it."""

import argparse
import json
from pathlib import Path

from nerd_gui.benchmarks.device_checks import Row
from nerd_gui.benchmarks.tuning import TuningRequest, tune
from nerd_gui.benchmarks.tuning_words import line
from nerd_gui.cli.arguments import Parser, positive, whole
from nerd_gui.cli.recipes import recipe_and_device
from nerd_gui.cli.targets import check_file, write_text


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui tune`."""
    made = Parser(
        "tune",
        "Find the fastest way to train on a device: check its results, measure several ways of computing a training\n"
        "step and a solve, and write the fastest to a file for “nerd-gui train --tuned”. A way that fails is reported\n"
        "and left out.",
        "examples:\n  nerd-gui tune --out tune.json\n  nerd-gui tune --device cuda --seconds 520 --out tune.json",
    )
    add = made.add_argument
    add("--out", required=True, type=Path, metavar="FILE.json", help="file for all figures and the choice")
    add("--config", default="nerd", metavar="NAME|FILE.json", help="recipe whose steps are timed (default: nerd)")
    add("--device", metavar="D", help="cpu, cuda, cuda:1 … (default: cuda if available)")
    add("--seconds", type=positive, default=520.0, metavar="S", help="time limit (default: 520)")
    add("--batch-factor", type=positive, nargs="+", metavar="F", help="batch sizes to try, relative to the recipe's")
    add("--size", type=whole(8), nargs="+", metavar="PX", help="picture sides of the solves (default: 256, 1024)")
    return made


def run(args: argparse.Namespace) -> int:
    """Measure, and print every result as it arrives.

    Raises
    ------
    UsageError
        Before the first measurement.
    """
    check_file(args.out)
    recipe, device = recipe_and_device(args.config, args.device)
    default = TuningRequest(device)
    request = TuningRequest(
        device,
        args.config,
        args.seconds,
        args.batch_factor or default.factors,
        args.size or default.sizes,
        began=args.began,
    )
    rows: list[Row] = []

    def watch(row: Row) -> None:
        rows.append(row)
        print(line(row, rows), flush=True)

    report = tune(request, recipe, watch, lambda report: write_text(args.out, json.dumps(report, indent=1) + "\n"))
    if report["speed"] is None:
        print("There is no choice, because no way of computing was measured for all stages. Train without --tuned.")
        return 1
    chosen = report["speed"]
    print(f"Chosen: attention {chosen['attention']}, f {chosen['mode']}, batches x {chosen['batch_factor']:g}.")
    return 0
