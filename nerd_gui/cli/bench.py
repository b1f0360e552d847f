"""`nerd-gui bench`: measures the speed of the program on this machine."""

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from nerd_gui.benchmarks.clock import Measured, Turns
from nerd_gui.benchmarks.photo import measure_photo, photo_lines
from nerd_gui.benchmarks.suite import BenchRequest, check_feasible, measure
from nerd_gui.benchmarks.tables import header, notes, tables
from nerd_gui.benchmarks.training_step import measure_step, step_header, step_table
from nerd_gui.cli.arguments import Parser, UsageError, positive, say, whole
from nerd_gui.cli.targets import check_file, write_text
from nerd_gui.cli.text_table import as_text
from nerd_gui.denoising import RunSettings, check_device, default_device
from nerd_gui.training import find_recipe

_MODELS, _SIZES, _PRECISIONS = ["nerd", "nerd-lite"], [128, 256], ["float32", "bfloat16"]
_PHOTO = 12.0  # megapixels
_QUICK_SIZES, _QUICK_TURNS = [64], Turns(least=2, most=5, seconds=1.0)


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui bench`."""
    made = Parser(
        "bench",
        "Measure the speed of attention, f, the solver and a click, and the solver's memory. The figures are compared\n"
        "with what this machine can do at most, and with other libraries. This takes some minutes on a laptop; do not\n"
        "use the machine for anything else meanwhile.",
        "examples:\n  nerd-gui bench --quick\n  nerd-gui bench --json bench.json\n"
        "  nerd-gui bench --model nerd-lite --size 256 512 --threads 2\n  nerd-gui bench --training nerd-lite-25\n"
        "  nerd-gui bench --photo 24 --memory-limit 4",
    )
    add = made.add_argument
    add("--model", nargs="+", action="extend", metavar="NAME", help="names or files (default: nerd, nerd-lite)")
    add("--size", nargs="+", action="extend", type=whole(8), metavar="PX", help="picture sides (default: 128, 256)")
    add("--precision", nargs="+", action="extend", choices=_PRECISIONS, metavar="P", help="float32, bfloat16 or both")
    add("--training", metavar="NAME|FILE.json", help="measure one step of a training recipe instead")
    add(
        "--photo",
        nargs="?",
        const=_PHOTO,
        type=positive,
        metavar="MP",
        help=f"measure a whole photo of MP megapixels instead (default: {_PHOTO:g})",
    )
    add("--memory-limit", type=positive, metavar="GB", help="gigabytes that the run of --photo may use")
    add("--quick", action="store_true", help="a small picture and few repetitions: takes a minute, gives rough figures")
    add("--json", type=Path, metavar="FILE", help="write all figures, including those of each repetition")
    add("--device", metavar="D", help="cpu, cuda, cuda:1, mps … (default: the fastest)")
    add("--threads", type=whole(1), metavar="N", help="processor threads (default: one for each core)")
    return made


def run(args: argparse.Namespace) -> int:
    """Measure, print the tables, and write the file that is asked for.

    Raises
    ------
    UsageError, ModelError, RunError
        Before the first measurement.
    """
    check_file(args.json)
    device = default_device() if args.device is None else check_device(args.device)
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    turns = _QUICK_TURNS if args.quick else Turns()
    if args.training is not None:
        try:
            recipe = find_recipe(args.training)
        except ValueError as error:
            raise UsageError(str(error)) from error
        report = measure_step(recipe, device, turns)
        _write(args.json, report)
        print("\n".join(step_header(report)))
        print(f"\nOne step of training, and the time for its useful operations alone\n{as_text(step_table(report))}")
        return 0
    if args.photo is not None:
        report = measure_photo(_photo_settings(args, device), args.photo, say)
        _write(args.json, report)
        print("\n".join(photo_lines(report)))
        return 0
    request = BenchRequest(
        models=_once(args.model or _MODELS),
        sizes=_once(args.size or (_QUICK_SIZES if args.quick else _SIZES)),
        precisions=_once(args.precision or _PRECISIONS),
        device=device,
        turns=turns,
    )
    check_feasible(request)
    report = measure(request, say)
    _write(args.json, report)
    print("\n".join(header(report)))
    for title, table in tables(report):
        print(f"\n{title}\n{as_text(table)}")
    for note in notes(report):
        print(f"\n{note}")
    return 0


def _photo_settings(args: argparse.Namespace, device: str) -> RunSettings:
    """The settings of the photo's run.

    Raises
    ------
    UsageError
        If several networks or precisions are asked for.
    """
    if len(args.model or ()) > 1 or len(args.precision or ()) > 1:
        raise UsageError("--photo measures one network in one precision; give one of each.")
    model = (args.model or ["nerd-lite-photo-colour"])[0]
    precision = (args.precision or ["float32"])[0]
    return RunSettings(model=model, precision=precision, device=device, memory_limit=args.memory_limit)


def _write(path: Path | None, report: Measured) -> None:
    if path is not None:
        write_text(path, json.dumps(report, indent=2, allow_nan=False) + "\n")


def _once(values: list[Any]) -> list[Any]:
    return list(dict.fromkeys(values))
