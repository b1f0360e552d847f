"""The one page of all items: each section stands between two marks, and is replaced when its item is measured anew."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nerd_gui.evaluation.tables import as_markdown
from nerd_gui.files import write_text
from nerd_gui.reproduce.item import Item, Row, Section

PAGE = "index.md"
_HEAD = """\
# The paper's tables and figures, made anew

`nerd-gui reproduce` measures each of these with the networks that come with the program, and sets them beside the
numbers that the paper prints (Chen et al., *Equilibrium Image Denoising with Implicit Differentiation*). The networks
are small ones, a quarter of the paper's in parameters and with a window of 17 instead of 65 pixels, and have seen a
few hundredths of its training samples at most; what differs besides stands in `weights/DEVIATIONS.md`. So numbers are
expected to be lower, and the question is whether what the paper says of them holds.

Every number here is made from rows of the CSV that its section names. A row says which network (and the first 16 digits
of its file's SHA-256), which picture (and those of its clean 8-bit pixels), which noise (white, numpy's
`default_rng` seeded with "seed", neither clipped nor rounded) and when and by which version it was measured. PSNR and
SSIM are taken as everywhere in the program: clipped, rounded to 8 bits, no border cropped.

Networks named `…-ablation-…` were trained by one recipe, each with one thing changed: from random weights, 19 368
samples, the same seed. One that is missing below is made by `nerd-gui train --config NAME --data bsd400 --resume
runs/NAME --minutes 900 --release weights/ablations/NAME.safetensors`, about an hour of a processor core.
"""
_QUICK = "**A quick run: small stand-ins instead of the pictures, few steps. No number below means anything.**\n"


@dataclass(frozen=True)
class Circumstances:
    """When, how and by what an item was measured.

    Attributes
    ----------
    date, command, version, machine : str
    quick : bool
    """

    date: str
    command: str
    version: str
    machine: str
    quick: bool


def section_text(item: Item, section: Section, rows: Sequence[Row], how: Circumstances) -> str:
    """A section as Markdown."""
    parts = [f"## {item.title}", item.repeats]
    if how.quick:
        parts.append(_QUICK.strip())
    parts.append(f"**Does it hold?** {section.verdict}")
    parts += [f"{caption}\n\n{as_markdown(table)}" for caption, table in section.tables]
    for drawing in section.drawings:
        files = f"[SVG]({drawing.name}.svg)"
        parts.append(f"![{drawing.caption}]({drawing.name}.png)\n\n{drawing.caption} ({files})")
    if section.missing:
        parts.append("Not measured:\n\n" + "\n".join(f"- {sentence}" for sentence in section.missing))
    networks = {row["network"]: row["weights"] for row in rows if row["network"]}
    named = ", ".join(f"{name} {weights}" for name, weights in networks.items())
    dates = sorted({row["date"] for row in rows})
    measured = (
        "Nothing is measured yet" if not dates else f"Measured {' to '.join(dict.fromkeys((dates[0], dates[-1])))}"
    )
    table = f" {len(rows)} rows in [{item.csv}]({item.csv})." if rows else ""
    parts.append(
        f"<small>{measured}; written {how.date} by `{how.command}`, {how.version}, {how.machine}.{table}"
        f"{' Networks: ' + named + '.' if named else ''}</small>"
    )
    return "\n\n".join(parts)


def update_page(folder: Path, items: Mapping[str, Item], sections: Mapping[str, str]) -> None:
    """Write the page with these sections by item; those of other items stay as they are.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path = folder / PAGE
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    kept = {
        name: found[1]
        for name in items
        if (found := re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end of {name} -->", before, re.DOTALL))
    }
    kept |= sections
    there = [name for name in items if name in kept]
    contents = "\n".join(f"- [{items[name].title}](#{_anchor(items[name].title)})" for name in there)
    if lacking := [name for name in items if name not in kept]:
        named = ", ".join(f"{items[name].title} (`{name}`)" for name in lacking)
        contents += f"\n\nNot measured in this folder yet: {named}."
    body = "\n\n".join(f"<!-- {name} -->\n{kept[name]}\n<!-- end of {name} -->" for name in there)
    write_text(path, f"{_HEAD}\n{contents}\n\n{body}\n")


def _anchor(title: str) -> str:
    """The name that a heading's anchor gets on a page."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
