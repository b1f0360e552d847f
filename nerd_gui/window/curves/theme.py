"""The colours of the plots."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QPalette

from nerd_gui.window.style.tokens import is_dark, series_colour


@dataclass(frozen=True)
class Theme:
    """Colours of a plot; the runs' colours come from `series_colour`."""

    background: QColor
    text: QColor
    dark: bool

    @classmethod
    def of(cls, palette: QPalette) -> Theme:
        """Return the colours of a plot in a window with this palette."""
        return cls(palette.base().color(), palette.text().color(), is_dark(palette))

    def faint(self, alpha: float) -> QColor:
        """Return the text's colour with an opacity of `alpha`."""
        colour = QColor(self.text)
        colour.setAlphaF(alpha)
        return colour

    def of_run(self, slot: int) -> QColor:
        """Return the colour of a run's curves."""
        return series_colour(slot, dark=self.dark)


PAPER = Theme(QColor("white"), QColor("black"), False)
