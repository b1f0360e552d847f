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
        "Train a network for a number of minutes. A training that exists in the same folder is continued.",
        "examples:\n  nerd-gui train --config nerd-lite --data bsd400 --resume runs/lite --minutes 60\n"
        "  nerd-gui train --config nerd-lite --data bsd400 --resume runs/lite --minutes 20 --decay 8000 "
        "--release my.safetensors\n"
        "  nerd-gui train --config nerd-lite-photo-colour --data bsd400 photos/free --resume runs/photo --minutes 60\n"
        "  torchrun --nproc-per-node=2 -m nerd_gui train --config nerd-lite …   (on 2 cards)",
    )
    add = made.add_argument
    add("--config", required=True, metavar="NAME|FILE.json", help="a recipe's name, or a file like a run's recipe.json")
    add(
        "--data",
        required=True,
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="folder of training pictures of one size; pictures of further folders are cut to that size",
    )
    add("--resume", required=True, type=Path, metavar="DIR", help="folder of the training; created if missing")
    add("--minutes", required=True, type=not_negative, metavar="M", help="how long to train now")
    add(
        "--decay",
        type=lambda text: text if text == "fit" else whole(1)(text),
        default=0,
        metavar="SAMPLES|fit",
        help="let the learning rate fall to 0 over this number of samples, or over as many as --minutes allow (recipes "
        "of a fixed length, such as nerd-lite-25-ablation-… and nerd-paper-…, do this by themselves)",
    )
    add("--fork", type=Path, metavar="STATE", help="begin from the state.safetensors of another training")
    add(
        "--widen",
        action="store_true",
        help="the state of --fork has fewer features: widen its network, which first gives the same result",
    )
    add("--device", metavar="D", help="cpu, cuda, cuda:1 … (default: cuda if available)")
    add("--validate-every", type=not_negative, default=4.0, metavar="M", help="minutes from validation to validation")
    add("--release", type=Path, metavar="FILE.safetensors", help="write the averaged network at the end")
    add("--keep", type=Path, metavar="DIR", help="whenever the state is saved, copy curve and weights to this folder")
    add("--tuned", type=Path, metavar="FILE.json", help="train in the way that “nerd-gui tune” found fastest here")
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
        raise UsageError(f"“{args.release}” is not a network's file name; it must end in .safetensors.")
    check_file(args.release)
    if args.widen and args.fork is None:
        raise UsageError("--widen needs the state of the narrower network; name it with --fork.")

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
            print(f"{args.resume}: trained on {trainer.samples} samples in {trainer.seconds / 3600:.2f} hours")
    return 0
