"""The page of all items, `index.md`.

Each section stands between two HTML comments, so that it can be replaced when its item is measured again.
"""

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
# The paper's tables and figures, measured again

The command `nerd-gui reproduce` measures the tables and figures of the paper (Chen et al., *Equilibrium Image Denoising
with Implicit Differentiation*) with the networks that come with the program. This page shows its results beside the
numbers that the paper prints.

Our networks are smaller than the paper's. They have a quarter of its parameters (except for `nerd-25` in Table I, which
has as many) and a window of 17 instead of 65 pixels, and they were trained on a few hundredths of its samples at most.
All other differences are listed in `weights/DEVIATIONS.md`. We therefore expect lower numbers. The question of each
section is whether the paper's *claim* holds.

Each section names the CSV file that its numbers come from. A row of such a file says:

- which network was measured, with the first 16 digits of its file's SHA-256;
- which picture was measured, with the first 16 digits of the SHA-256 of its clean 8-bit pixels;
- which noise was added: white Gaussian noise from numpy's `default_rng`, started with the column "seed", and neither
  clipped nor rounded;
- when it was measured, and with which version of the program.

For PSNR and SSIM, results are clipped and rounded to 8 bits, and no border is cut off.

Networks named `…-ablation-…` were trained by the same recipe from random weights, on 19 368 samples with the same seed;
each has one setting changed. If one is missing below, this command trains it in about an hour on one processor core:
`nerd-gui train --config NAME --data bsd400 --resume runs/NAME --minutes 900 --release
weights/ablations/NAME.safetensors`.
"""
_QUICK = (
    "**This was a quick run, with a few steps on small pictures in place of the real ones. No number below means "
    "anything.**\n"
)


@dataclass(frozen=True)
class Circumstances:
    """When, how and on which machine an item was measured.

    Attributes
    ----------
    date, command, version, machine : str
    quick : bool
        Whether it was a quick run, whose numbers mean nothing.
    """

    date: str
    command: str
    version: str
    machine: str
    quick: bool


def section_text(item: Item, section: Section, rows: Sequence[Row], how: Circumstances) -> str:
    """Return an item's section as Markdown."""
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
    """Write the page with these sections, given by their items' names. The sections of other items stay as they are.

    Raises
    ------
    OSError
        If the page cannot be written.
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
        contents += f"\n\nNot measured yet in this folder: {named}."
    body = "\n\n".join(f"<!-- {name} -->\n{kept[name]}\n<!-- end of {name} -->" for name in there)
    write_text(path, f"{_HEAD}\n{contents}\n\n{body}\n")


def _anchor(title: str) -> str:
    """Return the anchor that Markdown gives to a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
