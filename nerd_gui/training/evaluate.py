"""How well networks denoise a folder of clean pictures: `nerd-gui evaluate`.

Unlike the rest of this room it needs everything that a run needs, and so is not imported with it.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from nerd_gui.denoising import DenoisingRun, RunSettings, Subject, check_device, denoise
from nerd_gui.imaging import Photo, open_photo
from nerd_gui.nerd import NERD, load_model
from nerd_gui.training.data import picture_files

#: Table I of the paper, trained on BSD: PSNR (dB) and SSIM of DnCNN and of NERD.
PAPER = {
    ("set12", 15): ("32.86 / 0.9031", "33.20 / 0.9118"),
    ("set12", 25): ("30.44 / 0.8622", "30.84 / 0.8736"),
    ("set12", 50): ("27.18 / 0.7829", "27.72 / 0.8075"),
    ("bsd68", 15): ("31.73 / 0.8907", "31.91 / 0.8975"),
    ("bsd68", 25): ("29.23 / 0.8278", "29.43 / 0.8370"),
    ("bsd68", 50): ("26.23 / 0.7189", "26.49 / 0.7389"),
}
_SIZES = {"set12": 12, "bsd68": 68}
_MEANS = ("psnr", "ssim", "residual_best", "residual_last", "noise_level")
_HEADER = ["model", "sigma", "images", "PSNR", "SSIM", "best residual", "last residual", "noise level", "steps", "s"]
_PAPER_HEADER = ["DnCNN (Table I)", "NERD (Table I)"]

#: An entry of the list that `evaluate` returns, or one of its images.
Figures = dict[str, Any]


def evaluate(
    folder: Path,
    sigmas: Sequence[float],
    models: Sequence[str],
    settings: RunSettings,
    *,
    limit: int | None = None,
    watch: Callable[[Figures, Figures, int], None] | None = None,
) -> list[Figures]:
    """Add noise to every picture of a folder, denoise it, and compare.

    Parameters
    ----------
    folder : Path
        Clean pictures; a grey network sees them turned grey, ITU-R 601 luma rounded to 8 bits.
    sigmas : sequence of float
        Noise levels, 0-255 scale. The noise of a picture is seeded with its index in the sorted folder.
    models : sequence of str
        Names or files of networks.
    settings : RunSettings
        Of every run; its `model` is not looked at.
    limit : int, optional
        Take the first so many pictures only.
    watch : callable, optional
        Called with the entry that is being filled, the image just added to it, and how many images it will have.

    Returns
    -------
    list of dict
        One entry for each model and sigma: "model", "sigma", the means of "psnr" (dB), "ssim", "residual_best",
        "residual_last", "noise_level" (0-255 scale), and "images" with these of each image and its "name", "seed",
        "iterations", "seconds". PSNR, SSIM and noise level are those of the result, the iterate of least residual.
        None where a figure is undefined, and for a mean over such figures. JSON-ready.

    Raises
    ------
    DataError, PhotoError, ModelError, RunError
        If the folder, a picture, a network, or the device is not fit for it; found before the first run.
    """
    check_device(settings.device)
    paths = picture_files(folder)[:limit]
    nets = {model: load_model(model, settings.device) for model in models}
    # Nothing may end hours of work that could be known before them: a damaged picture, or one too large for the memory.
    for path in paths:
        photo = open_photo(path)
        for net, sigma in itertools.product(nets.values(), sigmas):
            DenoisingRun(Subject.of(_as_seen_by(net, photo), sigma=sigma), settings, net)
    entries: list[Figures] = []
    for model, net in nets.items():
        for sigma in sigmas:
            images: list[Figures] = []
            entry: Figures = {"model": model, "sigma": float(sigma), **dict.fromkeys(_MEANS), "images": images}
            for seed, path in enumerate(paths):
                subject = Subject.of(_as_seen_by(net, open_photo(path)), sigma=sigma, seed=seed)
                images.append(_figures(subject, replace(settings, model=model), net))
                if watch is not None:
                    watch(entry, images[-1], len(paths))
            entries.append({**entry, **{name: _mean([image[name] for image in images]) for name in _MEANS}})
    return entries


def _as_seen_by(net: NERD, photo: Photo) -> Photo:
    return photo.grey() if net.config.channels == 1 else photo


def _figures(subject: Subject, settings: RunSettings, net: NERD) -> Figures:
    trajectory = denoise(subject, settings, net, keep_features=False)
    result, last = trajectory.result, trajectory[-1]
    at_result = {name: trajectory.curve(name)[result] for name in ("psnr", "ssim", "noise_level")}
    residuals = trajectory.curve("residual")
    return {
        "name": subject.photo.name,
        "seed": subject.seed,
        "psnr": at_result["psnr"],
        "ssim": at_result["ssim"],
        "residual_best": residuals[result],
        "residual_last": residuals[-1],
        "noise_level": at_result["noise_level"],
        "iterations": last.index,
        "seconds": last.seconds,
    }


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return fmean(defined) if len(defined) == len(values) else None


def paper_figures(folder: Path, entry: Figures) -> tuple[str, str] | None:
    """Table I's PSNR / SSIM of DnCNN and NERD for this folder and sigma; None unless the whole set was taken."""
    name = folder.resolve().name.lower()
    whole = len(entry["images"]) == _SIZES.get(name)
    return PAPER.get((name, entry["sigma"])) if whole else None


def summary(entries: Sequence[Figures], folder: Path) -> list[list[str]]:
    """The means as a table, header first, beside the paper's where it has the folder and the sigma."""
    paper = [paper_figures(folder, entry) for entry in entries]
    table = [_HEADER + _PAPER_HEADER * any(paper)]
    for entry, figures in zip(entries, paper, strict=True):
        images = entry["images"]
        row = [
            _short(entry["model"]),
            f"{entry['sigma']:g}",
            str(len(images)),
            _number(entry["psnr"], ".2f"),
            _number(entry["ssim"], ".4f"),
            _number(entry["residual_best"], ".1e"),
            _number(entry["residual_last"], ".1e"),
            _number(entry["noise_level"], ".2f"),
            f"{fmean(image['iterations'] for image in images):.1f}",
            f"{fmean(image['seconds'] for image in images):.1f}",
        ]
        table.append(row + list(figures or ("", "")) * any(paper))
    return table


def image_table(entries: Sequence[Figures]) -> list[list[str]]:
    """PSNR / SSIM of every image, a column for each model and sigma."""
    table = [["image", "seed", *(f"{_short(entry['model'])}, {entry['sigma']:g}" for entry in entries)]]
    for images in zip(*(entry["images"] for entry in entries), strict=True):
        scores = [f"{_number(image['psnr'], '.2f')} / {_number(image['ssim'], '.4f')}" for image in images]
        table.append([images[0]["name"], str(images[0]["seed"]), *scores])
    return table


def image_line(entry: Figures, image: Figures, total: int) -> str:
    """One image's figures in a line, for those who watch."""
    return (
        f"{_short(entry['model'])}, sigma {entry['sigma']:g}, {len(entry['images'])}/{total} {image['name']}: "
        f"{_number(image['psnr'], '.2f')} dB, SSIM {_number(image['ssim'], '.4f')}, "
        f"residual {_number(image['residual_best'], '.1e')}, {image['iterations']} steps, {image['seconds']:.1f} s"
    )


def as_text(table: Sequence[Sequence[str]]) -> str:
    """A table in columns for the terminal: words to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        cells = zip(row, widths, strict=True)
        lines.append("  ".join(f"{cell:{'>' if i else '<'}{width}}" for i, (cell, width) in enumerate(cells)))
    return "\n".join(lines)


def as_markdown(table: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    header, *rows = (f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in table)
    return "\n".join([header, "|" + " --- |" * len(table[0]), *rows])


def markdown(entries: Sequence[Figures], folder: Path, settings: RunSettings) -> str:
    """Means, images and protocol as a Markdown document."""
    window = "the network's own window" if settings.window is None else f"window {settings.window}"
    return f"""# {folder.resolve().name}

{as_markdown(summary(entries, folder))}

{as_markdown(image_table(entries))}

White Gaussian noise (sigma on the 0-255 scale) is added to the clean picture by numpy's `default_rng`, seeded with the
picture's index in the sorted folder, and is neither clipped nor rounded. PSNR (dB) and SSIM are those of the iterate of
least residual, clipped and rounded to 8 bits, no border cropped. Solver {settings.solver}, at most {settings.max_iter}
steps, tolerance {settings.tol:g}, {window}, {settings.precision} on {settings.device}.
"""


def _short(model: str) -> str:
    return Path(model).name.removesuffix(".safetensors")


def _number(value: float | None, form: str) -> str:
    return "-" if value is None or not math.isfinite(value) else format(value, form)
