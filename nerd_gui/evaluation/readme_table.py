"""Generates the tables of networks in the README and the documentation from the figures in the cards."""

from collections.abc import Iterable, Mapping, Sequence
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

#: Figures by folder and sigma; sigma is 0 for real photos.
_Measured = dict[tuple[str, float], Figures]

#: The lines of a document that enclose the table of all networks.
MARKERS = ("<!-- The networks: made by `nerd-gui evaluate --card --readme`. -->", "<!-- End of the networks. -->")
#: The lines that enclose the short table, with the best network for each folder.
BEST_MARKERS = ("<!-- The best: made by `nerd-gui evaluate --card --readme`. -->", "<!-- End of the best. -->")
_PAPER_NETWORKS = ("DnCNN, 0.56 M parameters (Table I)", "NERD, 1.4 M parameters (Table I)")
_SIGMA = 25.0  # the only sigma in the short table
_EFFORT = "takes hours, needs the picture sets"  # comment on each command
_PROTOCOL = {name: getattr(RunSettings(tol=0), name) for name in SETTINGS} | {"limit": None}


def check_document(path: Path) -> None:
    """Check that a document has the markers of at least one of the tables.

    Raises
    ------
    EvaluationError
        If it has neither the two lines of `MARKERS` nor those of `BEST_MARKERS`.
    """
    text = path.read_text(encoding="utf-8")
    if not any(_around(text, markers) for markers in (MARKERS, BEST_MARKERS)):
        raise EvaluationError(
            f"“{path}” has no place for the table of networks; add two lines to it: “{MARKERS[0]}” and “{MARKERS[1]}”."
        )


def render_document(path: Path, cards: Sequence[Card]) -> None:
    """Replace the text between the markers of a document by the tables and the commands that measured them.

    For each folder and sigma, the figures measured with the paper's protocol (Broyden's method, all steps) are used; if
    there are none, those measured last.

    Raises
    ------
    EvaluationError
        If the document has no markers, or cannot be written.
    """
    check_document(path)
    chosen = {card.name: _chosen(card.figures()) for card in cards}
    text = path.read_text(encoding="utf-8")
    for markers, made in ((MARKERS, _all_networks(cards, chosen)), (BEST_MARKERS, _best_networks(chosen))):
        if around := _around(text, markers):
            text = f"{around[0]}{markers[0]}\n\n{made}\n\n{markers[1]}{around[1]}"
    write_document(path, text)


def _around(text: str, markers: tuple[str, str]) -> tuple[str, str] | None:
    """Return the text before and after a table; None if the document lacks its markers."""
    before, first, rest = text.partition(markers[0])
    _, second, after = rest.partition(markers[1])
    return (before, after) if first and second else None


def _all_networks(cards: Sequence[Card], chosen: Mapping[str, _Measured]) -> str:
    """Make a table of purpose and training of the networks, and one with a row for each folder, sigma and network."""
    about = [["network", "for", "trained"]]
    about += [[f"`{card.name}`", card.purpose, _trained(load_record(card.network))] for card in cards]
    table = [["pictures", "network", "PSNR (dB)", "SSIM", "least residual", "besides"]]
    for key in sorted({key for figures in chosen.values() for key in figures}):
        entries = [(name, figures[key]) for name, figures in chosen.items() if key in figures]
        table += [_row(name, entry) for name, entry in entries]
        paper = next((printed for _, entry in entries if (printed := paper_figures(entry))), ())
        for name, scores in zip(_PAPER_NETWORKS, paper, strict=False):
            table.append([_title(entries[0][1]), name, *scores.split(" / "), "", ""])
    measured = [entry for figures in chosen.values() for entry in figures.values()]
    return f"{as_markdown(about)}\n\n{_with_commands(table, 'Means over the pictures', measured)}"


def _row(name: str, entry: Figures) -> list[str]:
    """The row of one network on one folder."""
    besides = []
    if entry["sigma"] is None:
        besides.append(f"smallest gain of a photo: {number(least_gain(entry), '+.2f')}")
    if seen := without_seen(entry):
        besides.append(f"without picture {seen[0]}: {seen[1]:.2f}")
    return [
        _title(entry),
        f"`{name}`",
        _gain(entry),
        number(entry["ssim"], ".4f"),
        number(entry["residual_best"], ".1e"),
        ", ".join(besides),
    ]


def _best_networks(chosen: Mapping[str, _Measured]) -> str:
    """Make a table with a row for each folder, at sigma 25 or without added noise, for the network of highest PSNR."""
    table = [["pictures", "network", "noisy → denoised", "the paper's NERD, 1.4 M parameters"]]
    best: dict[tuple[str, float], Figures] = {}
    for figures in chosen.values():
        for key, entry in figures.items():
            if key[1] in (0.0, _SIGMA) and (key not in best or entry["psnr"] > best[key]["psnr"]):
                best[key] = entry
    for _, entry in sorted(best.items()):
        paper = (paper_figures(entry) or ("", ""))[1].partition(" / ")[0]
        table.append([_title(entry), f"`{short(entry['model'])}`", _gain(entry), paper])
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
    return f"{record['samples']:,} samples, {record['hours']:.1f} h (the last stage on {record['device']})"


def _title(entry: Figures) -> str:
    folder, sigma = entry["folder"], entry["sigma"]
    return f"{folder}, real photos" if sigma is None else f"{folder}, sigma {sigma:g}"


def _gain(entry: Figures) -> str:
    """The PSNR before and after denoising."""
    return f"{number(entry['psnr_noisy'], '.2f')} → {number(entry['psnr'], '.2f')}"
