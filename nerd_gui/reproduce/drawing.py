"""Draw figures as SVG and PNG with matplotlib, which `pip install "nerd-gui[reproduce]"` installs."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from nerd_gui.files import write_file
from nerd_gui.reproduce.item import Drawing, ReproduceError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe and Ito's colours, which colour-blind readers can tell apart, each with a marker for black-and-white print.
SERIES = (("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "^"), ("#cc79a7", "D"), ("#e69f00", "v"), ("#56b4e9", "P"))
_STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "lines.markersize": 3.5,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "image.interpolation": "none",  # an SVG holds the pixels as they are
    "svg.hashsalt": "nerd-gui",  # so that equal figures give equal files
    "svg.fonttype": "none",
}
#: Dots per inch and number of colours of a PNG. The first pair that gives a file below `_SMALL` is taken.
_FORMS, _SMALL = ((150, 64), (130, 24), (100, 12)), 95_000  # bytes


def check_library() -> None:
    """Check that matplotlib, which draws the figures, is installed.

    Raises
    ------
    ReproduceError
        If matplotlib is missing.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise ReproduceError(
            'matplotlib, which draws the figures, is not installed. Install it: pip install "nerd-gui[reproduce]".'
        )


@contextmanager
def _style() -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context(_STYLE):
        yield


def save_drawing(drawing: Drawing, folder: Path) -> None:
    """Write a figure as NAME.svg and NAME.png.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    from matplotlib import figure as drawn

    with _style():
        figure = drawn.Figure(figsize=drawing.size, layout="constrained")
        drawing.draw(figure)
        content = io.BytesIO()
        figure.savefig(content, format="svg", metadata={"Date": None})
        figure.set_layout_engine("none")  # the SVG has fixed the layout; computing it again would double the time
        write_file(folder / f"{drawing.name}.svg", content.getvalue())
        write_file(folder / f"{drawing.name}.png", _small_png(figure))


def _small_png(figure: Figure) -> bytes:
    for dots, colours in _FORMS:
        whole, content = io.BytesIO(), io.BytesIO()
        figure.savefig(whole, format="png", dpi=dots)
        with Image.open(whole) as image:
            image.convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
        if len(content.getvalue()) < _SMALL:
            break
    return content.getvalue()


def curve(axes: Axes, x: Sequence[float], y: Sequence[float | None], label: str, series: int, **options: Any) -> None:
    """Plot y against whole numbers x, as a line with markers and with a gap where y is None."""
    colour, mark = SERIES[series % len(SERIES)]
    values = [np.nan if value is None else value for value in y]
    axes.plot(x, values, color=colour, marker=mark, label=label, **options)
    axes.locator_params(axis="x", integer=True)


def level(axes: Axes, y: float, label: str, colour: str = "#555555") -> None:
    """Draw a dashed horizontal line at y, for a number that the paper prints."""
    axes.axhline(y, color=colour, linestyle="--", linewidth=1.0, label=label)


def shown(axes: Axes, pixels: np.ndarray, title: str, **options: Any) -> Any:
    """Show a picture (rows, cols) without axes, grey unless `options` name a colour map; return matplotlib's image."""
    axes.set_title(title, fontsize=8)
    axes.set_axis_off()
    return axes.imshow(pixels, **{"cmap": "gray", **options})


def as_png(pixels: np.ndarray) -> bytes:
    """Encode 8-bit grey pixels (rows, cols) as a PNG file."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG", optimize=True)
    return content.getvalue()
