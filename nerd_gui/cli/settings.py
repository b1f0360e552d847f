"""The command-line options for all fields of `RunSettings`."""

import argparse
from collections.abc import Iterable
from dataclasses import fields
from typing import get_args

import torch

from nerd_gui.cli.arguments import UsageError, not_negative, positive, sigma, whole
from nerd_gui.denoising import STOPS, RunSettings, check_device, default_device, default_model
from nerd_gui.equilibrium import SOLVERS
from nerd_gui.nerd.attention import Precision

_NOT_AS_GIVEN = ("model", "device")  # fields whose defaults depend on the machine
_STARTS = ("zero", "random")  # without "last", because a command has no earlier run


def add_run_options(parser: argparse.ArgumentParser, *, several_windows: bool = False) -> None:
    """Add the options for a run's settings, except the network; `run_settings` reads them.

    With `several_windows`, the option --window accepts a list.
    """
    usual = RunSettings()
    add = parser.add_argument_group("the run").add_argument
    add("--solver", default=usual.solver, metavar="NAME", help=f"{_choice(SOLVERS, usual.solver)}")
    add(
        "--max-iter",
        type=whole(1),
        default=usual.max_iter,
        metavar="N",
        help=f"largest number of solver steps (default: {usual.max_iter})",
    )
    add(
        "--tol",
        type=not_negative,
        default=usual.tol,
        metavar="T",
        help=f"the run ends when the measure of --stop-on is below T; 0: take all steps (default: {usual.tol:g})",
    )
    add(
        "--stop-on",
        default=usual.stop_on,
        metavar="MEASURE",
        help=f"{_choice(STOPS, usual.stop_on)}; picture: ends when nothing visible changes and ignores --tol",
    )
    add(
        "--safeguard",
        action=argparse.BooleanOptionalAction,
        default=usual.safeguard,
        help="drop steps that more than double the residual (the default), or keep them",
    )
    add(
        "--memory",
        type=whole(1),
        metavar="PAIRS",
        help="number of past steps that the solver keeps (default: the solver's own choice; Broyden keeps all)",
    )
    add(
        "--damping",
        type=positive,
        metavar="D",
        help=f"step length of plain iteration, z <- D f(z) + (1 - D) z (default: {usual.damping:g})",
    )
    add(
        "--strength",
        type=lambda text: None if text == "auto" else sigma(text),
        metavar="S|auto",
        help="noise level (0-255) given to a network that takes one (default: auto, measured in the photo)",
    )
    add("--start", default=usual.start, metavar="START", help=f"z of iterate 0: {_choice(_STARTS, usual.start)}")
    add("--start-seed", type=whole(0), metavar="N", help=f"seed of the random start (default: {usual.start_seed})")
    add(
        "--window",
        type=whole(1),
        nargs="+" if several_windows else None,
        metavar="Q",
        help="attention window in pixels (default: the network's own)" + ", one or more" * several_windows,
    )
    add(
        "--precision",
        default=usual.precision,
        metavar="P",
        help=f"arithmetic inside f: {_choice(get_args(Precision), usual.precision)}; for --stop-on picture the faster",
    )
    add("--device", metavar="D", help="cpu, cuda, cuda:1, mps … (default: the fastest)")
    add(
        "--memory-limit",
        type=positive,
        metavar="GB",
        help="gigabytes of memory (RAM or GPU) that the run may use (default: what is free)",
    )
    add("--threads", type=whole(1), metavar="N", help="processor threads (default: one for each core)")


def _choice(names: Iterable[str], usual: str) -> str:
    words = [f"{name} (the default)" if name == usual else name for name in names]
    return f"{', '.join(words[:-1])} or {words[-1]}"


def run_settings(args: argparse.Namespace, model: str | None) -> RunSettings:
    """Make the settings from the options of `add_run_options`; `model` None: the default network of the device.

    Raises
    ------
    UsageError
        If an option would have no effect on this run, or if the run is to start from an earlier one that does not
        exist.
    RunError
        If there is no such device or solver, or no network.
    """
    if args.start == "last":
        raise UsageError(
            "A run from the command line has no last equilibrium to start from. Choose --start zero or random, or use "
            "the window."
        )
    if args.start == "predicted":
        raise UsageError("The tiles of a whole photo always have a predicted start; choose --start zero or random.")
    if args.start_seed is not None and args.start != "random":
        raise UsageError("--start-seed chooses the start of --start random; give both or neither.")
    if args.damping is not None and "plain" not in (args.solver, getattr(args, "other_solver", None)):
        raise UsageError("--damping has an effect on plain iteration only; add --solver plain, or leave it out.")
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    device = default_device() if args.device is None else check_device(args.device)
    given = {field.name: getattr(args, field.name) for field in fields(RunSettings) if field.name not in _NOT_AS_GIVEN}
    if isinstance(given["window"], list):  # the caller makes settings for each window
        given["window"] = given["window"][0] if len(given["window"]) == 1 else None
    options = {name: value for name, value in given.items() if value is not None}
    return RunSettings(model=default_model(device) if model is None else model, device=device, **options)
