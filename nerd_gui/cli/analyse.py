"""`nerd-gui analyse`: analyses the equilibrium of one photo, and writes figures, pictures, arrays and numbers."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nerd_gui.analysis import NotSolved
from nerd_gui.analysis.catalogue import CATALOGUE, Question
from nerd_gui.analysis.folder import Folder
from nerd_gui.analysis.of_run import equilibrium_of
from nerd_gui.cli.arguments import Parser, UsageError, add_max_pixels, network, say, sigma, whole
from nerd_gui.cli.settings import add_run_options, run_settings
from nerd_gui.cli.targets import check_in_folder
from nerd_gui.denoising import Subject, choose, default_device, denoise
from nerd_gui.imaging import open_photo
from nerd_gui.nerd import load_model

_NUMBERS = "analysis.json"
_SIDE = 256  # side in pixels of the part that is cut from the middle of a larger photo


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui analyse`."""
    made = Parser(
        "analyse",
        "Find the equilibrium of a photo, or of a part of it, and analyse it: what a pixel was made from, how stable\n"
        "the equilibrium is, how large its error is, what each head does, whether other starts lead to it.",
        "examples:\n  nerd-gui analyse photo.png -o about/ --pixel 120 80\n"
        "  nerd-gui analyse clean.png -o about/ --add-noise 25 --only risk spectrum\n"
        "  nerd-gui analyse large.jpg -o about/ --region 1000 2000 256 256",
    )
    add = made.add_argument
    add("photo", type=Path, metavar="PHOTO")
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the files; created if missing")
    add("--only", nargs="+", choices=list(CATALOGUE), metavar="NAME", help=f"of {', '.join(CATALOGUE)}")
    add("--pixel", nargs=2, type=whole(0), metavar=("ROW", "COL"), help="pixel to analyse (default: the middle)")
    add("--channel", type=int, choices=(0, 1, 2), default=0, help="channel of a colour photo (default: 0)")
    add("--region", nargs=4, type=whole(0), metavar=("ROW", "COL", "ROWS", "COLS"), help="part of the photo to analyse")
    add("--add-noise", type=sigma, metavar="S", help="the photo is clean: add noise of this level (0-255) first")
    add("--seed", type=whole(0), default=0, metavar="N", help="seed of all random numbers (default: 0)")
    add(
        "--model",
        type=network,
        metavar="NAME",
        help="a network's name or file, or your own model as module:object (default: auto)",
    )
    add("--overwrite", action="store_true", help="replace files that exist")
    add_max_pixels(made)
    add_run_options(made)
    return made


def run(args: argparse.Namespace) -> int:
    """Denoise, analyse, write the files and print the numbers.

    Raises
    ------
    UsageError, RunError, PhotoError, ModelError
    """
    check_in_folder(args.output, _NUMBERS, replace=args.overwrite)
    photo = open_photo(args.photo)
    region = tuple(args.region) if args.region else None
    if region is None and max(photo.rows, photo.cols) > _SIDE:
        rows, cols = min(photo.rows, _SIDE), min(photo.cols, _SIDE)
        region = ((photo.rows - rows) // 2, (photo.cols - cols) // 2, rows, cols)
        say(f"Analysing the middle {cols} x {rows} pixels; --region chooses another part.")
    subject = Subject.of(photo, sigma=args.add_noise, seed=args.seed, region=region)
    pixel = args.pixel or (subject.rows // 2, subject.cols // 2)
    if args.channel >= subject.channels or pixel[0] >= subject.rows or pixel[1] >= subject.cols:
        raise UsageError(
            f"Channel {args.channel}, row {pixel[0]}, column {pixel[1]} lies outside the picture, which has "
            f"{subject.channels} channel(s) of {subject.rows} x {subject.cols} pixels."
        )
    settings = run_settings(args, args.model or _suited(subject, args))
    say(f"Finding the equilibrium with {settings.model} …")
    net = load_model(settings.model, settings.device)
    trajectory = denoise(subject, settings, net)
    at = equilibrium_of(trajectory, net, args.channel)
    question = Question(at, trajectory, (pixel[0], pixel[1]), args.channel, args.seed)
    folder, figures = Folder(args.output, overwrite=args.overwrite), _figures()
    numbers: dict[str, Any] = {"model": settings.model, "region": region, "residual": at.residual}
    for name in args.only or CATALOGUE:
        say(name)
        try:
            found = CATALOGUE[name].ask(question)
        except NotSolved as error:
            say(error)
            numbers[name] = {"not_solved": str(error)}
        else:
            numbers[name] = found.numbers
            folder.answer(name, found)
            figures(f"{photo.name}, {settings.model}", name, found, args.output, overwrite=args.overwrite)
    folder.numbers(Path(_NUMBERS).stem, numbers)
    print(args.output / _NUMBERS)
    return 0


def _figures() -> Callable[..., None]:
    """The function that draws an answer's figures; it does nothing on a system where Qt cannot be loaded."""
    try:
        from nerd_gui.window.analyses.without_window import save_figures
    except ImportError as error:
        say(f"figures are not drawn, since Qt cannot be loaded ({error}); all else is written")
        return lambda *_, **__: None
    return save_figures


def _suited(subject: Subject, args: argparse.Namespace) -> str:
    device = default_device() if args.device is None else args.device
    choice = choose(subject.photo, adds_noise=args.add_noise is not None, device=device, sigma=args.add_noise)
    if choice.model is None:
        raise UsageError(f"{choice.reason} To analyse it anyway, name a network with --model.")
    return choice.model
