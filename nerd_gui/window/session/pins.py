"""Pins: pixels of the photo that a person has marked."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from nerd_gui.window.session.history import History

MOST = 6  # pins; each has its own number and colour


@dataclass(frozen=True)
class Pin:
    """A marked pixel, in rows and columns of the photo; its number determines its colour."""

    number: int
    row: int
    col: int

    @property
    def pixel(self) -> tuple[int, int]:
        """The row and the column."""
        return self.row, self.col


class PinBoard(QObject):
    """The pins of the photo, the selected pin, and the pixel under the pointer.

    Pins keep their places when another part of the photo or another run is shown.

    Signals
    -------
    changed
        `all` or `selected` has changed.
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
        """The pin whose maps are shown; None only if there are no pins."""
        return next((pin for pin in self._all if pin.number == self._selected), None)

    @property
    def hovered(self) -> tuple[int, int] | None:
        """Row and column in the photo of the pixel under the pointer; None if it is over no pixel."""
        return self._hovered

    @property
    def previews(self) -> bool:
        """Whether the attention of the hovered pixel is shown instead of the selected pin's."""
        return self._previews and self._hovered is not None and self.selected is not None

    @property
    def active(self) -> tuple[int, int] | None:
        """The pixel whose attention is shown: the selected pin's, or the hovered one in a preview or without a pin."""
        return self._hovered if self.previews or self.selected is None else self.selected.pixel

    def at(self, row: int, col: int) -> Pin | None:
        """Return the pin on a pixel, or None."""
        return next((pin for pin in self._all if pin.pixel == (row, col)), None)

    def put(self, row: int, col: int, *, beside: bool = False) -> None:
        """Pin a pixel and select it. `beside` keeps the other pins, except the oldest if there would be too many."""
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
        """Select a pin, so that its maps are shown."""
        if pin.number != self._selected or self._previews:
            self._selected, self._previews = pin.number, False
            self.changed.emit()

    def move(self, pin: Pin, row: int, col: int) -> None:
        """Move a pin to another pixel, unless that pixel has a pin."""
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
        """Set the pixel under the pointer, or None; `preview` shows its attention instead of the selected pin's."""
        if (pixel, preview) != (self._hovered, self._previews):
            self._hovered, self._previews = pixel, preview
            self.hoveredChanged.emit()

    def set(self, pins: tuple[Pin, ...], selected: int | None) -> None:
        """Replace all pins, for another photo or from a session file; this cannot be undone."""
        self._all, self._selected, self._previews = pins, selected, False
        self.changed.emit()

    def _record(self, text: str, pins: tuple[Pin, ...], selected: int | None, *, merge: bool = False) -> None:
        before, after = (self._all, self._selected), (pins, selected)
        self._history.record(text, before, after, lambda state: self.set(*state), merge=merge)
