"""Pins: the pixels of the photo that a person clicked."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from nerd_gui.window.session.history import History

MOST = 6  # pins; each has a number and a colour of its own


@dataclass(frozen=True)
class Pin:
    """A marked pixel, in rows and columns of the photo; the number says its colour, too."""

    number: int
    row: int
    col: int

    @property
    def pixel(self) -> tuple[int, int]:
        """Row and column."""
        return self.row, self.col


class PinBoard(QObject):
    """The pins of the photo, the one that is selected, and the pixel under the pointer.

    They stay where they are when another part of the photo or another run is shown.

    Signals
    -------
    changed
        `all` or `selected` is another one.
    hoveredChanged
    """

    changed = Signal()
    hoveredChanged = Signal()

    def __init__(self, history: History, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self._all: tuple[Pin, ...] = ()
        self._selected: int | None = None
        self._hovered: tuple[int, int] | None = None
        self._previews = False

    @property
    def all(self) -> tuple[Pin, ...]:
        """The pins, the oldest first."""
        return self._all

    @property
    def selected(self) -> Pin | None:
        """The pin whose maps are shown; there is one as soon as there are pins."""
        return next((pin for pin in self._all if pin.number == self._selected), None)

    @property
    def hovered(self) -> tuple[int, int] | None:
        """Row and column, in the photo, of the pixel under the pointer."""
        return self._hovered

    @property
    def previews(self) -> bool:
        """Whether the hovered pixel is looked at in place of the selected pin."""
        return self._previews and self._hovered is not None and self.selected is not None

    @property
    def active(self) -> tuple[int, int] | None:
        """The pixel whose attention is shown: the selected pin's; without a pin, or in a preview, the hovered one."""
        return self._hovered if self.previews or self.selected is None else self.selected.pixel

    def at(self, row: int, col: int) -> Pin | None:
        """The pin on a pixel."""
        return next((pin for pin in self._all if pin.pixel == (row, col)), None)

    def put(self, row: int, col: int, *, beside: bool = False) -> None:
        """Pin a pixel, in place of the pins there are or beside them, and select it; of too many the oldest goes."""
        if (there := self.at(row, col)) is not None:
            self.select(there)
            if beside:
                return
            kept: tuple[Pin, ...] = (there,)
        else:
            kept = self._all[-(MOST - 1) :] if beside else ()
            used = {pin.number for pin in kept}
            kept = (*kept, Pin(next(number for number in range(1, MOST + 1) if number not in used), row, col))
        self._record("pins", kept, kept[-1].number)

    def select(self, pin: Pin) -> None:
        """Show the maps of a pin."""
        if pin.number != self._selected or self._previews:
            self._selected, self._previews = pin.number, False
            self.changed.emit()

    def move(self, pin: Pin, row: int, col: int) -> None:
        """Move a pin to another pixel, unless a pin is there."""
        if self.at(row, col) is None:
            moved = tuple(replace(other, row=row, col=col) if other is pin else other for other in self._all)
            self._record("moving a pin", moved, pin.number, merge=True)

    def remove(self, pin: Pin) -> None:
        """Remove a pin and select the newest of the others."""
        kept = tuple(other for other in self._all if other is not pin)
        selected = self._selected if self._selected != pin.number else kept[-1].number if kept else None
        self._record("removing a pin", kept, selected)

    def clear(self) -> None:
        """Remove all pins."""
        self._record("removing the pins", (), None)

    def hover(self, pixel: tuple[int, int] | None, *, preview: bool = False) -> None:
        """Say which pixel the pointer is over, None for none, and whether it is looked at in place of a pin."""
        if (pixel, preview) != (self._hovered, self._previews):
            self._hovered, self._previews = pixel, preview
            self.hoveredChanged.emit()

    def set(self, pins: tuple[Pin, ...], selected: int | None) -> None:
        """Show other pins, those of another photo or of a session file; there is nothing to take back."""
        self._all, self._selected, self._previews = pins, selected, False
        self.changed.emit()

    def _record(self, text: str, pins: tuple[Pin, ...], selected: int | None, *, merge: bool = False) -> None:
        before, after = (self._all, self._selected), (pins, selected)
        self._history.record(text, before, after, lambda state: self.set(*state), merge=merge)
