"""The tables of the networks in the README and in the documentation, made from the figures in their cards."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    short,
)
from nerd_gui.nerd import load_record

#: Figures by folder and sigma, which is 0 for real photos.
_Measured = dict[tuple[str, float], Figures]

#: The lines of a document between which the table of the networks stands.
MARKERS = ("<!-- The networks: made by `nerd-gui evaluate --card --readme`. -->", "<!-- End of the networks. -->")
#: Those between which the short table stands, with the best network for each kind of picture.
BEST_MARKERS = ("<!-- The best: made by `nerd-gui evaluate --card --readme`. -->", "<!-- End of the best. -->")
_PAPER_NETWORKS = ("DnCNN, 0.56 M parameters (paper, Table I)", "NERD, 1.4 M parameters (paper, Table I)")
_SIGMA = 25.0  # of the short table
_EFFORT = "takes hours, needs the picture sets"  # said beside a command
_PROTOCOL = {name: getattr(RunSettings(tol=0), name) for name in SETTINGS} | {"limit": None}


def check_document(path: Path) -> None:
    """See to it that a document has a place for one of the tables, or for both.

    Raises
    ------
    EvaluationError
        If it has both lines neither of `MARKERS` nor of `BEST_MARKERS`, or cannot be read.
    """
    text = path.read_text(encoding="utf-8")
    if not any(_around(text, markers) for markers in (MARKERS, BEST_MARKERS)):
        raise EvaluationError(
            f"“{path}” has no place for the table of the networks; write two lines: “{MARKERS[0]}” and “{MARKERS[1]}”."
        )


def render_document(path: Path, cards: Sequence[Card]) -> None:
    """Write between the markers of a document the tables that they are for, and the commands that measured them.

    Of each folder and sigma they take the paper's protocol (Broyden's method, all of its steps) where that was
    measured, else the settings measured last.

    Raises
    ------
    EvaluationError
        If the document has no place for a table, or cannot be written.
    """
    check_document(path)
    chosen = {card.name: _chosen(card.figures()) for card in cards}
    text = path.read_text(encoding="utf-8")
    for markers, made in ((MARKERS, _all_networks(cards, chosen)), (BEST_MARKERS, _best_networks(chosen))):
        if around := _around(text, markers):
            text = f"{around[0]}{markers[0]}\n\n{made}\n\n{markers[1]}{around[1]}"
    write_document(path, text)


def _around(text: str, markers: tuple[str, str]) -> tuple[str, str] | None:
    """What stands before and after a table; None where the document has no place for it."""
    before, first, rest = text.partition(markers[0])
    _, second, after = rest.partition(markers[1])
    return (before, after) if first and second else None


def _all_networks(cards: Sequence[Card], chosen: Mapping[str, _Measured]) -> str:
    """A column for each network: what it is for, how it was trained, and all that was measured."""
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
    return _with_commands(table, "PSNR (dB) / SSIM", [entry for own in chosen.values() for entry in own.values()])


def _best_networks(chosen: Mapping[str, _Measured]) -> str:
    """A row for each folder, at sigma 25 or as it is, with the network of the highest PSNR and its gain."""
    table = [["pictures", "network", "before → after", "the paper's NERD, 1.4 M parameters"]]
    best: dict[tuple[str, float], Figures] = {}
    for figures in chosen.values():
        for key, entry in figures.items():
            if key[1] in (0.0, _SIGMA) and (key not in best or entry["psnr"] > best[key]["psnr"]):
                best[key] = entry
    for _, entry in sorted(best.items()):
        after = f"{number(entry['psnr_noisy'], '.2f')} → {number(entry['psnr'], '.2f')}"
        paper = (paper_figures(entry) or ("", ""))[1].partition(" / ")[0]
        title = _title(entry).removesuffix(": before → after")
        table.append([title, f"`{short(entry['model'])}`", after, paper])
    return _with_commands(table, "PSNR in dB", best.values())


def _with_commands(table: Sequence[Sequence[str]], what: str, entries: Iterable[Figures]) -> str:
    text = as_markdown(table)
    if calls := [command for command, _ in commands(entries)]:
        longest = max(map(len, calls))
        marked = [f"{call:<{longest}}  # {_EFFORT}" for call in calls]
        text += f"\n\n{what}, measured by\n\n```sh\n" + "\n".join(marked) + "\n```"
    return text


def _chosen(figures: Iterable[Figures]) -> _Measured:
    chosen: _Measured = {}
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
