"""Pins: the pixels of the photo that a person clicked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pin:
    """A marked pixel of the photo; `colour` is anything QColor understands, such as "#ff7f0e"."""

    row: int
    col: int
    colour: str
