"""The colours, sizes and letters of the window: everything else is made from these."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont, QPalette

#: Room between things and around them, in logical pixels: within a group, beside a control, around a panel, between.
TIGHT, SMALL, MEDIUM, LARGE = 4, 8, 12, 16
RADIUS = 6
CONTROL_HEIGHT = 28
#: Heights of letters: captions and axes, text, headings.
CAPTION_PIXELS, TEXT_PIXELS, HEADING_PIXELS = 11, 13, 15


@dataclass(frozen=True)
class Colours:
    """The colours of one scheme.

    Attributes
    ----------
    window, panel, raised : str
        Grounds: of the window, of what lies on it, of what is turned and typed into.
    line, frame : str
        Hairlines between things, and the stronger ones around what can be operated.
    text, second, disabled : str
        Letters: the usual, what matters less, what cannot be used now.
    picture : str
        Around the picture, untinted, because colours are judged against it.
    accent : str
        Selection and focus.
    filled, filled_hover, on_filled : str
        The primary action, and letters on it; also selected text.
    notice, warning, error : str
        The bar of a message that stays.
    """

    window: str
    panel: str
    raised: str
    line: str
    frame: str
    text: str
    second: str
    disabled: str
    picture: str
    accent: str
    filled: str
    filled_hover: str
    on_filled: str
    notice: str
    warning: str
    error: str


DARK = Colours(
    window="#1e2023",
    panel="#26292d",
    raised="#2f3338",
    line="#3b4046",
    frame="#555c64",
    text="#e7e9eb",
    second="#a8afb6",
    disabled="#7d858d",
    picture="#303030",
    accent="#3d8bfd",
    filled="#1f6feb",
    filled_hover="#2c7af0",
    on_filled="#ffffff",
    notice="#3d8bfd",
    warning="#f2b134",
    error="#e5534b",
)
LIGHT = Colours(
    window="#f5f6f7",
    panel="#ffffff",
    raised="#ffffff",
    line="#d9dde1",
    frame="#b6bdc5",
    text="#1d2125",
    second="#5c646c",
    disabled="#8b939b",
    picture="#d0d0d0",
    accent="#1f6feb",
    filled="#1f6feb",
    filled_hover="#185fd0",
    on_filled="#ffffff",
    notice="#1f6feb",
    warning="#f2b134",
    error="#e5534b",
)


def is_dark(palette: QPalette) -> bool:
    """Whether a palette is that of a dark scheme."""
    return palette.color(QPalette.ColorRole.Window).lightness() < 128


def colours(palette: QPalette) -> Colours:
    """The colours that go with a widget's palette."""
    return DARK if is_dark(palette) else LIGHT


def sized(font: QFont, pixels: int, *, strong: bool = False) -> QFont:
    """A font of the same family with letters of another height."""
    made = QFont(font)
    made.setPixelSize(pixels)
    made.setWeight(QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
    return made


#: Okabe and Ito's colours, told apart by colour-blind eyes: on dark, and darker ones of the same hues on light.
_ON_DARK = ("#56B4E9", "#E69F00", "#3CCBA0", "#F0E442", "#F07A4A", "#CC79A7")
_ON_LIGHT = ("#0072B2", "#B85C00", "#007A5A", "#8A7A00", "#C4441C", "#A8477F")


def series_colour(slot: int, *, dark: bool) -> QColor:
    """The colour of a run or a pin.

    Parameters
    ----------
    slot : int
        Its number, from 0; colours come again after the sixth.
    dark : bool
        Whether it is drawn on a dark ground.
    """
    colours = _ON_DARK if dark else _ON_LIGHT
    return QColor(colours[slot % len(colours)])
