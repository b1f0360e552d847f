"""Pins: the pixels of the photo that a person clicked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Okabe and Ito's colours, told apart by colour-blind eyes.
COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#D55E00", "#CC79A7")


@dataclass(frozen=True)
class Pin:
    """A marked pixel of the photo; `colour` is anything QColor understands, such as "#ff7f0e"."""

    row: int
    col: int
    colour: str


def with_pin(pins: Sequence[Pin], row: int, col: int) -> tuple[Pin, ...]:
    """The pins with one more as the last, in a colour that is free; of too many the oldest go."""
    kept = [pin for pin in pins if (pin.row, pin.col) != (row, col)]
    used = {pin.colour for pin in kept}
    colour = next((colour for colour in COLOURS if colour not in used), COLOURS[0])
    return (*kept, Pin(row, col, colour))[-len(COLOURS) :]
