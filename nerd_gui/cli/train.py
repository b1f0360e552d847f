"""`nerd-gui train`: runs a training session."""

import argparse
from pathlib import Path

import torch

from nerd_gui.cli.arguments import Parser, UsageError, not_negative, whole
from nerd_gui.cli.recipes import recipe_and_device
from nerd_gui.cli.targets import check_file
from nerd_gui.training import Execution, joined, train


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui train`."""
    made = Parser(
        "train",
        "Train a network for some minutes, going on where the last stretch in the same folder ended.",
        "examples:\n  nerd-gui train --config nerd-lite --data bsd400 --resume runs/lite --minutes 60\n"
        "  nerd-gui train --config nerd-lite --data bsd400 --resume runs/lite --minutes 20 --decay 8000 "
        "--release my.safetensors\n"
        "  nerd-gui train --config nerd-lite-photo-colour --data bsd400 photos/free --resume runs/photo --minutes 60\n"
        "  torchrun --nproc-per-node=2 -m nerd_gui train --config nerd-lite …   (on 2 cards)",
    )
    add = made.add_argument
    add("--config", required=True, metavar="NAME|FILE.json", help="recipe by name, or a file like a run's recipe.json")
    add(
        "--data",
        required=True,
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="training pictures of one size; those of further folders are cut into parts of that size",
    )
    add("--resume", required=True, type=Path, metavar="DIR", help="folder of the run; made if it is not there")
    add("--minutes", required=True, type=not_negative, metavar="M", help="length of this stretch")
    add(
        "--decay",
        type=lambda text: text if text == "fit" else whole(1)(text),
        default=0,
        metavar="SAMPLES|fit",
        help="let the learning rate fall to 0 over so many, or over as many as this stretch has time for "
        "(recipes whose length is fixed, as nerd-lite-25-ablation-… and nerd-paper-…, do so by themselves)",
    )
    add("--fork", type=Path, metavar="STATE", help="begin from the state.safetensors of another run")
    add(
        "--widen",
        action="store_true",
        help="the state of --fork has fewer features: widen it, to denoise alike at first",
    )
    add("--device", metavar="D", help="cpu, cuda, cuda:1 … (default: cuda where there is one)")
    add("--validate-every", type=not_negative, default=4.0, metavar="M", help="minutes from one validation to the next")
    add("--release", type=Path, metavar="FILE.safetensors", help="write the averaged network at the end")
    add("--keep", type=Path, metavar="DIR", help="with every saved state, copy there what travels: curve, weights")
    add("--tuned", type=Path, metavar="FILE.json", help="compute steps as “nerd-gui tune” found best on this machine")
    add("--threads", type=whole(1), metavar="N", help="processor threads (default: one for each core)")
    return made


def run(args: argparse.Namespace) -> int:
    """Train for the given number of minutes, or to the end of the decay.

    Raises
    ------
    UsageError, PhotoError, DataError
    """
    for path in (*args.data, args.fork, args.tuned):
        if path is not None and not path.exists():
            raise UsageError(f"“{path}” does not exist; check its name and folder.")
    if args.release is not None and args.release.suffix != ".safetensors":
        raise UsageError(f"“{args.release}” is no name for a network; end it in .safetensors.")
    check_file(args.release)
    if args.widen and args.fork is None:
        raise UsageError("--widen needs the state that is to be widened; name it with --fork.")

    recipe, device = recipe_and_device(args.config, args.device)
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    with joined(torch.device(device)) as processes:
        trainer = train(
            recipe,
            args.data,
            args.resume,
            minutes=args.minutes,
            decay=args.decay,
            fork=args.fork,
            widen=args.widen,
            device=processes.device,
            validate_every=args.validate_every,
            release=args.release,
            keep=args.keep,
            execution=None if args.tuned is None else Execution.read(args.tuned),
            processes=processes,
            began=args.began,
        )
        if processes.first:
            print(f"{args.resume}: {trainer.samples} samples seen in {trainer.seconds / 3600:.2f} hours")
    return 0
