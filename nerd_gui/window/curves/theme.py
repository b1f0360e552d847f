"""The colours of the plots."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QPalette

from nerd_gui.window.style.tokens import is_dark, series_colour


@dataclass(frozen=True)
class Theme:
    """Colours of a plot; the runs have theirs from `series_colour`."""

    background: QColor
    text: QColor
    dark: bool

    @classmethod
    def of(cls, palette: QPalette) -> Theme:
        """Return the colours of plots in a window of this palette."""
        return cls(palette.base().color(), palette.text().color(), is_dark(palette))

    def faint(self, alpha: float) -> QColor:
        """The text's colour, `alpha` of it."""
        colour = QColor(self.text)
        colour.setAlphaF(alpha)
        return colour

    def of_run(self, slot: int) -> QColor:
        """The colour of a run's curves."""
        return series_colour(slot, dark=self.dark)


PAPER = Theme(QColor("white"), QColor("black"), False)
