"""`nerd-gui analyse`: what the equilibrium of one photo tells, as figures, arrays and numbers."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nerd_gui.analysis import (
    NotSolved,
    decoded_direction,
    heads_off,
    influence,
    race,
    risk,
    save_race,
    spectrum,
    starts,
    whiteness,
)
from nerd_gui.analysis.folder import Folder, grey_picture, signed_picture
from nerd_gui.analysis.of_run import EquilibriumOfRun, equilibrium_of
from nerd_gui.cli.arguments import Parser, UsageError, add_max_pixels, say, sigma, whole
from nerd_gui.cli.settings import add_run_options, run_settings
from nerd_gui.denoising import Subject, Trajectory, choose, default_device, denoise
from nerd_gui.imaging import open_photo, photo_noise
from nerd_gui.nerd import load_model

_SIDE = 256  # of the part that is taken from the middle of a larger photo


def parser() -> argparse.ArgumentParser:
    """The options of `nerd-gui analyse`."""
    made = Parser(
        "analyse",
        "Find the equilibrium of a photo, or of a part of it, and ask it questions: what a pixel was made from, how\n"
        "stable it is, how far its picture can be trusted, what the heads are for, whether other starts end there.",
        "examples:\n  nerd-gui analyse photo.png -o about/ --pixel 120 80\n"
        "  nerd-gui analyse clean.png -o about/ --add-noise 25 --only risk spectrum\n"
        "  nerd-gui analyse large.jpg -o about/ --region 1000 2000 256 256",
    )
    add = made.add_argument
    add("photo", type=Path, metavar="PHOTO")
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the files; made if not there")
    add("--only", nargs="+", choices=sorted(_ANALYSES), metavar="NAME", help=f"of {', '.join(sorted(_ANALYSES))}")
    add("--pixel", nargs=2, type=whole(0), metavar=("ROW", "COL"), help="of influence (default: the middle)")
    add("--channel", type=int, choices=(0, 1, 2), default=0, help="of a colour photo (default: 0)")
    add("--region", nargs=4, type=whole(0), metavar=("ROW", "COL", "ROWS", "COLS"), help="part of the photo")
    add("--add-noise", type=sigma, metavar="S", help="the photo is clean: add noise of this level (0-255) first")
    add("--seed", type=whole(0), default=0, metavar="N", help="of the added noise and of all chance (default: 0)")
    add("--model", metavar="NAME", help="network by name, or a .safetensors file (default: auto)")
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
    photo = open_photo(args.photo)
    region = tuple(args.region) if args.region else None
    if region is None and max(photo.rows, photo.cols) > _SIDE:
        rows, cols = min(photo.rows, _SIDE), min(photo.cols, _SIDE)
        region = ((photo.rows - rows) // 2, (photo.cols - cols) // 2, rows, cols)
        say(f"the middle {cols} x {rows} pixels are analysed; --region chooses others")
    subject = Subject.of(photo, sigma=args.add_noise, seed=args.seed, region=region)
    pixel = args.pixel or (subject.rows // 2, subject.cols // 2)
    if args.channel >= subject.channels or pixel[0] >= subject.rows or pixel[1] >= subject.cols:
        raise UsageError(
            f"Channel {args.channel}, row {pixel[0]}, column {pixel[1]} lies outside {subject.channels} channel(s) of "
            f"{subject.rows} x {subject.cols} pixels."
        )
    settings = run_settings(args, args.model or _suited(subject, args))
    say(f"the equilibrium by {settings.model}")
    net = load_model(settings.model, settings.device)
    trajectory = denoise(subject, settings, net)
    at = equilibrium_of(trajectory, net, args.channel)
    folder = Folder(args.output, overwrite=args.overwrite)
    numbers: dict[str, Any] = {"model": settings.model, "region": region, "residual": at.residual}
    for name in args.only or _ANALYSES:
        say(name)
        try:
            numbers[name] = _ANALYSES[name](_Question(at, trajectory, (pixel[0], pixel[1]), args), folder)
        except NotSolved as error:
            say(error)
            numbers[name] = {"not_solved": str(error)}
    folder.numbers("analysis", numbers)
    print(f"{args.output / 'analysis.json'}")
    return 0


def _suited(subject: Subject, args: argparse.Namespace) -> str:
    device = default_device() if args.device is None else args.device
    choice = choose(subject.photo, adds_noise=args.add_noise is not None, device=device, sigma=args.add_noise)
    if choice.model is None:
        raise UsageError(f"{choice.reason} Name a network with --model to analyse it all the same.")
    return choice.model


class _Question:
    """What is asked, of which run."""

    def __init__(
        self, at: EquilibriumOfRun, trajectory: Trajectory, pixel: tuple[int, int], args: argparse.Namespace
    ) -> None:
        self.at, self.trajectory, self.pixel, self.args = at, trajectory, pixel, args
        self.of = (at.net, at.y, at.z)
        self.keywords: dict[str, Any] = at.keywords
        by_channel = at.net.config.channels == 1
        self.channel = 0 if by_channel else args.channel


def _influence(question: _Question, folder: Folder) -> dict[str, Any]:
    row, col = question.pixel
    found = influence(*question.of, row, col, question.channel, **question.keywords).cpu().numpy()
    folder.arrays("influence", influence=found, pixel=np.array([question.channel, row, col]))
    folder.picture("influence", signed_picture(found[question.channel]), enlarge=2)
    weight = np.abs(found).sum(0)
    down, across = np.indices(weight.shape)
    distance = np.hypot(down - row, across - col)
    shares = {str(reach): float(weight[distance <= reach].sum() / weight.sum()) for reach in (3, 17, 40)}
    return {
        "pixel": list(question.pixel),
        "sum": float(found.sum()),
        "negative_part": float(np.clip(-found, 0, None).sum() / np.abs(found).sum()),
        "radius": float(np.sqrt((weight * distance**2).sum() / weight.sum())),
        "share_within": shares,
    }


def _spectrum(question: _Question, folder: Folder) -> dict[str, Any]:
    found = spectrum(*question.of, count=2, seed=question.args.seed, **question.keywords)
    direction = found.vectors[0].real.contiguous()
    picture = decoded_direction(question.at.net, question.at.z, direction).cpu().numpy()
    folder.arrays("spectrum", eigenvalues=found.eigenvalues, leading_vector_decoded=picture)
    folder.picture("spectrum", signed_picture(picture.mean(0)), enlarge=2)
    values = [[float(value.real), float(value.imag)] for value in found.eigenvalues]
    return {"radius": found.radius, "eigenvalues": values, "attracts": found.radius < 1}


def _risk(question: _Question, folder: Folder) -> dict[str, Any]:
    subject = question.trajectory.subject
    level = subject.sigma if subject.sigma is not None else photo_noise(subject.photo.pixels).level
    found = risk(*question.of, level, seed=question.args.seed, **question.keywords)
    folder.arrays("risk", expected_mse=found.map.cpu().numpy())
    folder.picture("risk", grey_picture(found.map.clamp_min(0).cpu().numpy()), enlarge=32)
    true = question.trajectory[question.trajectory.result].psnr
    return {
        "sigma": level,
        "sigma_is_measured": subject.sigma is None,
        "mse": found.mse,
        "psnr": found.psnr,
        "standard_error": found.standard_error,
        "divergence": found.divergence,
        "true_psnr": true,
    }


def _heads(question: _Question, folder: Folder) -> dict[str, Any]:
    net = question.at.net
    if net.non_local is None:
        return {}
    pictures, report = {}, {}
    count = net.non_local.heads
    for name, heads in [*((f"head {head + 1}", [head]) for head in range(count)), ("all", list(range(count)))]:
        found = heads_off(*question.of, heads, **question.keywords)
        pictures[name.replace(" ", "_")] = found.x_hat.cpu().numpy()
        report[name] = {
            "change": found.change,
            "residual": found.residual,
            "evaluations": found.evaluations,
        }
    folder.arrays("heads", **pictures)
    return report


def _starts(question: _Question, folder: Folder) -> dict[str, Any]:
    found = starts(*question.of, seed=question.args.seed, **question.keywords)
    disagreement = found.disagreement.cpu().numpy()
    folder.arrays("starts", disagreement=disagreement, distances=found.distances.cpu().numpy())
    folder.picture("starts", grey_picture(disagreement), enlarge=2)
    first = found.distances[0, 1:].tolist()
    return {
        name: {"residual": residual, "decibels_from_the_run": apart}
        for name, residual, apart in zip(found.names[1:], found.residuals[1:], first, strict=True)
    }


def _race(question: _Question, folder: Folder) -> dict[str, Any]:
    found = race(question.at.net, question.at.y, **question.keywords)
    save_race(question.args.output / "race.npz", found, overwrite=question.args.overwrite)
    return {
        racer.name: {
            "evaluations_to_0.01": racer.reaches(1e-2),
            "evaluations_to_0.001": racer.reaches(1e-3),
            "seconds": racer.seconds[-1],
            "best_residual": min(racer.residual),
        }
        for racer in found
    }


def _whiteness(question: _Question, folder: Folder) -> dict[str, Any]:
    trajectory = question.trajectory
    found = whiteness(torch.from_numpy(trajectory[trajectory.result].n_hat.astype(np.float32)))
    folder.arrays("whiteness", correlation=found.correlation.numpy())
    return {"white": found.white, "largest_correlation": found.worst, "bound": found.bound}


_ANALYSES: dict[str, Callable[[_Question, Folder], dict[str, Any]]] = {
    "influence": _influence,
    "risk": _risk,
    "whiteness": _whiteness,
    "heads": _heads,
    "starts": _starts,
    "race": _race,
    "spectrum": _spectrum,
}
