"""The table of the networks in a document such as the README, made from the figures in their cards."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from nerd_gui.denoising import RunSettings
from nerd_gui.evaluation.cards import Card
from nerd_gui.evaluation.figures import SETTINGS, EvaluationError, Figures, write_document
from nerd_gui.evaluation.paper_figures import is_whole, paper_figures, without_seen
from nerd_gui.evaluation.tables import (
    as_markdown,
    commands,
    least_gain,
    number,
)
from nerd_gui.nerd import load_record

#: The lines of a document between which the table of the networks stands.
MARKERS = ("<!-- The networks: made by `nerd-gui evaluate --card --readme`. -->", "<!-- End of the networks. -->")
_PAPER_NETWORKS = ("DnCNN, 0.56 M parameters (paper, Table I)", "NERD, 1.4 M parameters (paper, Table I)")
_PROTOCOL = {name: getattr(RunSettings(tol=0), name) for name in SETTINGS} | {"limit": None}


def check_document(path: Path) -> None:
    """See to it that a document has a place for the table of the networks.

    Raises
    ------
    EvaluationError
        If it lacks one of the two `MARKERS`, or cannot be read.
    """
    _around_table(path)


def render_document(path: Path, cards: Sequence[Card]) -> None:
    """Write the table of the networks between the markers of a document, and the commands that measured it.

    Of each folder and sigma it takes the paper's protocol (Broyden's method, all of its steps) where that was
    measured, else the settings measured last.

    Raises
    ------
    EvaluationError
        If the document has no place for the table, or cannot be written.
    """
    before, after = _around_table(path)
    chosen = {card.name: _chosen(card.figures()) for card in cards}
    keys = sorted({key for figures in chosen.values() for key in figures})
    table = [["", *(f"`{card.name}`" for card in cards), *_PAPER_NETWORKS]]
    table.append(["for", *(card.purpose for card in cards), *["one sigma each"] * 2])
    table.append(["trained", *(_trained(load_record(card.network)) for card in cards), "", ""])
    for key in keys:
        entries = [chosen[card.name].get(key) for card in cards]
        paper = next((figures for entry in entries if entry and (figures := paper_figures(entry))), ("", ""))
        table.append([_title(next(filter(None, entries))), *map(_scores, entries), *paper])
        for name, values in _beside(entries):
            table.append([name, *values, "", ""])
    text = as_markdown(table)
    if calls := [command for command, _ in commands(entry for own in chosen.values() for entry in own.values())]:
        text += "\n\nPSNR (dB) / SSIM, measured by\n\n```sh\n" + "\n".join(calls) + "\n```"
    write_document(path, f"{before}{MARKERS[0]}\n\n{text}\n\n{MARKERS[1]}{after}")


def _around_table(path: Path) -> tuple[str, str]:
    text = path.read_text(encoding="utf-8")
    before, first, rest = text.partition(MARKERS[0])
    _, second, after = rest.partition(MARKERS[1])
    if not (first and second):
        raise EvaluationError(
            f"“{path}” has no place for the table of the networks; write two lines: “{MARKERS[0]}” and “{MARKERS[1]}”."
        )
    return before, after


def _chosen(figures: Iterable[Figures]) -> dict[tuple[str, float], Figures]:
    chosen: dict[tuple[str, float], Figures] = {}
    for entry in figures:
        key = entry["folder"], entry["sigma"] or 0.0
        before = chosen.get(key)
        if is_whole(entry) and not (before and before["settings"] == _PROTOCOL):
            chosen[key] = entry
    return chosen


def _trained(record: dict[str, Any]) -> str:
    if not {"samples", "hours", "device"} <= record.keys():
        return ""
    return f"{record['samples']:,} samples, {record['hours']:.1f} h on {record['device']}"


def _title(entry: Figures) -> str:
    folder, sigma = entry["folder"], entry["sigma"]
    return f"{folder}, real photos: before → after" if sigma is None else f"{folder}, sigma {sigma:g}"


def _scores(entry: Figures | None) -> str:
    if entry is None:
        return ""
    before = "" if entry["sigma"] is not None else f"{number(entry['psnr_noisy'], '.2f')} → "
    return f"{before}{number(entry['psnr'], '.2f')} / {number(entry['ssim'], '.4f')}"


def _beside(entries: Sequence[Figures | None]) -> Iterator[tuple[str, list[str]]]:
    """The rows below that of a folder and sigma."""
    rests = [without_seen(entry) if entry else None for entry in entries]
    if seen := next((rest for rest in rests if rest), None):
        yield f"… without picture {seen[0]}", [f"{rest[1]:.2f}" if rest else "" for rest in rests]
    if any(entry and entry["sigma"] is None for entry in entries):
        yield "… least gain of a photo (dB)", [number(least_gain(entry), "+.2f") if entry else "" for entry in entries]
    yield "… mean least residual", [number(entry["residual_best"], ".1e") if entry else "" for entry in entries]
