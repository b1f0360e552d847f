"""Formats figures as tables, together with the paper's, and reconstructs the commands that measured them."""

import math
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any

from nerd_gui.denoising import RunSettings
from nerd_gui.evaluation.figures import Figures
from nerd_gui.evaluation.paper_figures import paper_figures, without_seen

Table = list[list[str]]

_DEFAULTS = {field.name: field.default for field in fields(RunSettings)}
_PROTOCOL = """\
White Gaussian noise (sigma on the 0-255 scale) is added to a clean picture by numpy's `default_rng`, seeded with the
picture's index in the sorted folder, and is neither clipped nor rounded. A real photo is used as it is; a grey network
takes its channels as a batch. PSNR (dB) and SSIM are measured for the result, which is the iterate with the smallest
residual, and for the last iterate. Pictures are clipped and rounded to 8 bits, and no border is cut off. The figures of
a folder are means over its pictures."""


def least_gain(entry: Figures) -> float | None:
    """The smallest gain in PSNR (dB) among the images; None if any gain is undefined."""
    gains = [_gain(image) for image in entry["images"]]
    defined = [gain for gain in gains if gain is not None]
    return min(defined) if len(defined) == len(gains) else None


def summary(entries: Sequence[Figures]) -> Table:
    """Make a table of the means, header first, with the paper's figures for the same folder and sigma, if any."""
    paper = [paper_figures(entry) for entry in entries]
    solvers = {entry["other_solver"] for entry in entries} - {None}
    several_windows = len({entry["settings"]["window"] for entry in entries}) > 1
    header = ["network", "folder", "images", "sigma", *["q"] * several_windows, "noisy", "PSNR", "SSIM", "gain"]
    header += ["last PSNR", "best residual", "last residual", "noise level", "steps", "s"]
    table = [header + ["other solver"] * bool(solvers) + ["DnCNN (Table I)", "NERD (Table I)"] * any(paper)]
    for entry, figures in zip(entries, paper, strict=True):
        images = entry["images"]
        row = [
            short(entry["model"]),
            entry["folder"],
            str(len(images)),
            _sigma(entry),
            *[str(entry["settings"]["window"] or "its own")] * several_windows,
            number(entry["psnr_noisy"], ".2f"),
            number(entry["psnr"], ".2f"),
            number(entry["ssim"], ".4f"),
            number(_gain(entry), "+.2f"),
            number(entry["psnr_last"], ".2f"),
            number(entry["residual_best"], ".1e"),
            number(entry["residual_last"], ".1e"),
            number(entry["noise_level"], ".2f"),
            f"{fmean(image['iterations'] for image in images):.1f}",
            f"{fmean(image['seconds'] for image in images):.1f}",
        ]
        if solvers:
            other = entry["other_solver"]
            row.append(f"{other}: {number(entry['agreement'], '.1f')} dB" if other else "")
        table.append(row + list(figures or ("", "")) * any(paper))
    return table


def image_table(entries: Sequence[Figures]) -> Table:
    """Make a table of PSNR / SSIM of every image in a folder, one column per entry; for pairs, also of the gains."""
    pairs = entries[0]["sigma"] is None
    heads = [short(entry["model"]) + ("" if pairs else f", {_sigma(entry)}") for entry in entries]
    if pairs:
        heads = ["noisy", *(column for head in heads for column in (head, "gain (dB)"))]
    table = [["picture", "seed"][: 1 if pairs else 2] + heads]
    for images in zip(*(entry["images"] for entry in entries), strict=True):
        first = images[0]
        row = [first["name"], _scores(first, "_noisy")] if pairs else [first["name"], str(first["seed"])]
        for image in images:
            row += [_scores(image), number(_gain(image), "+.2f")] if pairs else [_scores(image)]
        table.append(row)
    return table


def image_line(entries: Sequence[Figures], total: int) -> str:
    """Format the figures of the newest image as one line of progress."""
    entry = entries[-1]
    image = entry["images"][-1]
    noise = "" if entry["sigma"] is None else f"sigma {_sigma(entry)}, "
    noise += f"q = {entry['settings']['window']}, " if entry["settings"]["window"] else ""
    return (
        f"{short(entry['model'])}, {noise}{entry['folder']} {len(entry['images'])}/{total} {image['name']}: "
        f"{number(image['psnr_noisy'], '.2f')} -> {number(image['psnr'], '.2f')} dB, "
        f"SSIM {number(image['ssim'], '.4f')}, residual {number(image['residual_best'], '.1e')}, "
        f"{image['iterations']} steps, {image['seconds']:.1f} s"
    )


def commands(entries: Iterable[Figures]) -> list[tuple[str, list[Figures]]]:
    """Return the commands that measure these entries, as few as possible, each with its entries."""

    def run(entry: Figures) -> tuple[str, str, str]:
        return entry["model"], repr(_settings(entry)), entry["folder"]

    groups: dict[tuple[Any, ...], list[Figures]] = {}
    for (model, settings, _), sigmas in groupby(
        sorted(entries, key=lambda entry: (run(entry), _by_folder(entry))), run
    ):
        of_folder = list(sigmas)
        groups.setdefault((model, settings, *_sigmas(of_folder)), []).extend(of_folder)
    calls: dict[tuple[Any, ...], list[Figures]] = {}
    for (_, settings, *levels), group in groups.items():
        folders = dict.fromkeys(entry["folder"] for entry in group)
        calls.setdefault((settings, *folders, *levels), []).extend(group)
    return [(_command(group), sorted(group, key=_by_folder)) for group in calls.values()]


def _by_folder(entry: Figures) -> tuple[str, str, float]:
    return entry["folder"], entry["model"], entry["sigma"] or 0


def _settings(entry: Figures) -> Figures:
    return {**entry["settings"], "other_solver": entry["other_solver"]}


def _sigmas(entries: Iterable[Figures]) -> list[str]:
    return list(dict.fromkeys(_sigma(entry) for entry in entries if entry["sigma"] is not None))


def _command(entries: Sequence[Figures]) -> str:
    words = ["nerd-gui", "evaluate", *dict.fromkeys(entry["folder"] for entry in entries)]
    sigmas = _sigmas(entries)
    words += ["--sigma", *sigmas] if sigmas else []
    words += ["--model", *dict.fromkeys(short(entry["model"]) for entry in entries)]
    for name, value in _settings(entries[0]).items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words += [] if value == _DEFAULTS[name] else [f"--{option}" if value else f"--no-{option}"]
        elif value != _DEFAULTS.get(name):
            words += [f"--{option}", f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(words)


def markdown(entries: Sequence[Figures]) -> str:
    """Format figures, their commands, the figures of each image, and the protocol as Markdown."""
    return "\n\n".join([*(_section(command, group) for command, group in commands(entries)), _PROTOCOL]) + "\n"


def _section(command: str, entries: Sequence[Figures]) -> str:
    devices = ", ".join(dict.fromkeys(entry["device"] for entry in entries))
    parts = [f"```sh\n{command}\n```", f"On {devices}:", as_markdown(summary(entries))]
    for entry in entries:
        if rest := without_seen(entry):
            name, score = rest
            parts.append(
                f"{short(entry['model'])}, sigma {_sigma(entry)}: the mean without {entry['folder']}'s picture {name}, "
                f"which is a part of a picture of BSDS500, is {score:.2f} dB."
            )
    said = sorted({step for entry in entries for step in entry["plan"]})
    parts += [f"Change in some runs, to fit into memory: {step}" for step in said]
    for (folder, *_), group in groupby(entries, lambda entry: [entry["folder"], *_names(entry)]):
        table = as_markdown(image_table(list(group)))
        parts.append(f"<details><summary>{folder}, each picture</summary>\n\n{table}\n\n</details>")
    return "\n\n".join(parts)


def as_markdown(table: Sequence[Sequence[str]]) -> str:
    """Format a table as Markdown."""
    header, *rows = (f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in table)
    return "\n".join([header, "|" + " --- |" * len(table[0]), *rows])


def short(model: str) -> str:
    """The name of a network, without folder and suffix."""
    return Path(model).name.removesuffix(".safetensors")


def number(value: float | None, form: str) -> str:
    """Format a number; a dash if it is undefined."""
    return "-" if value is None or not math.isfinite(value) else format(value, form)


def _names(entry: Figures) -> list[str]:
    return [image["name"] for image in entry["images"]]


def _sigma(entry: Figures) -> str:
    return number(entry["sigma"], "g")


def _scores(image: Figures, kind: str = "") -> str:
    return f"{number(image['psnr' + kind], '.2f')} / {number(image['ssim' + kind], '.4f')}"


def _gain(figures: Figures) -> float | None:
    before, after = figures["psnr_noisy"], figures["psnr"]
    return None if before is None or after is None else after - before
