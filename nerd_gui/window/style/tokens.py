"""The window's colours, sizes and fonts, from which everything else is made."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont, QPalette

#: Distances in logical pixels: within a group, beside a control, around a panel, between panels.
TIGHT, SMALL, MEDIUM, LARGE = 4, 8, 12, 16
RADIUS = 6
CONTROL_HEIGHT = 28
#: Font sizes in pixels: captions and axes, text, headings.
CAPTION_PIXELS, TEXT_PIXELS, HEADING_PIXELS = 11, 13, 15
#: Colours of both schemes: the primary button below the mouse, a slider's handle, the bar at the left of a warning.
FILLED_HOVER, HANDLE, WARNING = "#185fd0", "#f0f2f4", "#f2b134"


@dataclass(frozen=True)
class Colours:
    """The colours of one scheme.

    Attributes
    ----------
    window, panel, raised : str
        Backgrounds of the window, of panels on it, and of controls.
    hover, picked : str
        Backgrounds of a control below the mouse, and of the chosen one of several.
    line, frame : str
        Thin lines between parts, and stronger ones around controls.
    text, second, disabled : str
        Text, less important text, and text of disabled controls.
    picture : str
        The background around the picture; neutral grey, because colours are judged against it.
    accent : str
        The colour of selection and focus.
    filled, on_filled : str
        The background of the primary button and of selected text, and the text on it.
    """

    window: str
    panel: str
    raised: str
    hover: str
    picked: str
    line: str
    frame: str
    text: str
    second: str
    disabled: str
    picture: str
    accent: str
    filled: str
    on_filled: str


DARK = Colours(
    window="#1e2023",
    panel="#26292d",
    raised="#2f3338",
    hover="#3b4046",
    picked="#555c64",
    line="#3b4046",
    frame="#555c64",
    text="#e7e9eb",
    second="#a8afb6",
    disabled="#7d858d",
    picture="#303030",
    accent="#3d8bfd",
    filled="#1f6feb",
    on_filled="#ffffff",
)
LIGHT = Colours(
    window="#f5f6f7",
    panel="#ffffff",
    raised="#ffffff",
    hover="#e9ecef",
    picked="#d9dde1",
    line="#d9dde1",
    frame="#b6bdc5",
    text="#1d2125",
    second="#5c646c",
    disabled="#8b939b",
    picture="#d0d0d0",
    accent="#1f6feb",
    filled="#1f6feb",
    on_filled="#ffffff",
)


def is_dark(palette: QPalette) -> bool:
    """Whether a palette belongs to the dark scheme."""
    return palette.color(QPalette.ColorRole.Window).lightness() < 128


def colours(palette: QPalette) -> Colours:
    """Return the colours of the scheme that a widget's palette belongs to."""
    return DARK if is_dark(palette) else LIGHT


def sized(font: QFont, pixels: int, *, strong: bool = False) -> QFont:
    """Return a font of the same family with another size."""
    made = QFont(font)
    made.setPixelSize(pixels)
    made.setWeight(QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
    return made


#: Okabe and Ito's colours, which colour-blind people can tell apart; on light grounds, darker ones of the same hues.
_ON_DARK = ("#56B4E9", "#E69F00", "#3CCBA0", "#F0E442", "#F07A4A", "#CC79A7")
_ON_LIGHT = ("#0072B2", "#B85C00", "#007A5A", "#776900", "#C4441C", "#A8477F")


def series_colour(slot: int, *, dark: bool) -> QColor:
    """Return the colour of a run or a pin.

    Parameters
    ----------
    slot : int
        The index of the colour from 0; after six, the colours repeat.
    dark : bool
        Whether the background is dark.
    """
    colours = _ON_DARK if dark else _ON_LIGHT
    return QColor(colours[slot % len(colours)])
