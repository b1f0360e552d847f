"""`nerd-gui reproduce`: measures items one after another, and writes each to the page as soon as it is finished."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch

from nerd_gui import __version__
from nerd_gui.reproduce.drawing import check_library, save_drawing
from nerd_gui.reproduce.item import ReproduceError
from nerd_gui.reproduce.items import ITEMS
from nerd_gui.reproduce.page import Circumstances, section_text, update_page
from nerd_gui.reproduce.store import Store
from nerd_gui.reproduce.workbench import Workbench, is_here


def reproduce(
    names: Sequence[str],
    out: Path,
    data: Path | None = None,
    *,
    quick: bool = False,
    fresh: bool = False,
    measures: bool = True,
    command: str = "nerd-gui reproduce",
    say: Callable[[str], None] = print,
) -> None:
    """Measure items and write their page, CSV files and figures into a folder.

    Rows that are in the CSV files already are not measured again. So a run that was stopped can be continued.

    Parameters
    ----------
    names : sequence of str
        Names of items, from `ITEMS`.
    out : Path
        The folder to write into; created if it does not exist.
    data : Path, optional
        The folder that holds one folder for each picture set.
    quick : bool
        Take a few steps on small pictures in place of the real ones, to see that everything works.
    fresh : bool
        Measure again the figures that the networks' cards hold already.
    measures : bool
        Whether to measure missing rows. If not, the page is written from the rows that exist.
    command : str
        The command that the page names as its origin.
    say : callable
        Called with a line of text before each measurement.

    Raises
    ------
    ReproduceError, PhotoError, ModelError
        If a picture, a network or matplotlib is missing (checked before the first measurement), or if a file cannot be
        written.
    """
    check_library()
    how = Circumstances(_today(), command, _version(), _machine(), quick)
    benches: list[Workbench] = []
    stores: dict[str, Store] = {}
    for name in names:
        item = ITEMS[name]
        if missing := [network for network in item.networks if not is_here(network)]:
            raise ReproduceError(
                f"{item.title} needs the network “{missing[0]}”, which is missing in the folder “weights”."
            )
        if item.csv not in stores:
            stores[item.csv] = Store(out / item.csv, item.key, item.values, (how.date, how.version))
        bench = Workbench(item, out, data, stores[item.csv], quick=quick, fresh=fresh, measures=measures, say=say)
        for pictures in item.pictures:
            bench.pictures(pictures)
        benches.append(bench)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for bench in benches:
            item = bench.item
            rows = item.measure(bench)
            if bench.lacks and not (rows and item.in_part):
                say(f"{item.name}: some of its rows are not measured yet, so its section is left as it is.")
                continue
            section = item.show(rows, bench)
            for drawing in section.drawings:
                save_drawing(drawing, out)
            update_page(out, ITEMS, {item.name: section_text(item, section, rows, how)})
            say(f"{item.name}: {section.verdict}")
    except OSError as error:
        raise ReproduceError(
            f"“{error.filename or out}” cannot be read or written ({error.strerror}); choose another folder."
        ) from error


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def _version() -> str:
    """Return the program's version, with the commit if it runs from a git checkout."""
    root = Path(__file__).resolve().parents[2]
    done = None
    if (root / ".git").exists():
        done = _git(root, "rev-parse", "--short=12", "HEAD")
    if not done:
        return __version__
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{__version__} at {done}" + (" with changes" if changed else "")


def _git(root: Path, *words: str) -> str:
    try:
        return subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=False
        ).stdout.strip()
    except OSError:  # git is not installed
        return ""


def _machine() -> str:
    return f"{torch.get_num_threads()} threads of a {platform.machine()}, torch {torch.__version__.partition('+')[0]}"
