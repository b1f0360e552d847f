"""The options of a run, and the settings they make."""

import argparse

import torch

from nerd_gui.cli.arguments import not_negative, positive, whole
from nerd_gui.denoising import RunSettings, check_device, default_device, default_model

_OPTIONS = ("solver", "max_iter", "tol", "memory", "window", "precision", "memory_limit")


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that make a run's settings; `run_settings` reads them."""
    add = parser.add_argument_group("the run").add_argument
    add("--solver", default="broyden", metavar="NAME", help="broyden (the default), anderson or plain")
    add("--max-iter", type=whole(1), default=17, metavar="N", help="most solver steps (default: 17)")
    add("--tol", type=not_negative, default=1e-3, metavar="T", help="residual to stop at, 0: never (default: 1e-3)")
    add("--memory", type=whole(1), metavar="PAIRS", help="pairs that Broyden keeps (default: all); fewer take less RAM")
    add("--window", type=whole(1), metavar="Q", help="attention window in pixels (default: the network's own)")
    add("--device", metavar="D", help="cpu, cuda, cuda:1, mps … (default: the fastest)")
    add("--precision", default="float32", metavar="P", help="inside f: float32 (the default) or bfloat16")
    add(
        "--memory-limit",
        type=positive,
        metavar="GB",
        help="make the run fit into so much memory (default: what is free)",
    )
    add("--threads", type=whole(1), metavar="N", help="processor threads (default: one for each core)")


def run_settings(args: argparse.Namespace, model: str | None) -> RunSettings:
    """Read the options of `add_run_options`; None for the default network of the device.

    Raises
    ------
    RunError
        If there is no such device or solver, or no network.
    """
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    device = default_device() if args.device is None else check_device(args.device)
    options = {name: getattr(args, name) for name in _OPTIONS}
    return RunSettings(model=default_model(device) if model is None else model, device=device, **options)
