"""The colours that runs, curves and pins share."""

from PySide6.QtGui import QColor

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
