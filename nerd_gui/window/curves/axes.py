"""The axes of a plot over the iterates."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg

_TICK_ROOM, _TICK_ROW = 30, 16  # pixels that a number on the x axis needs, and one on the y axis


class IterationAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no annotations
    """Ticks at whole numbers."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        """Return the whole numbers that are marked, as far apart as their words need room."""
        least = (maxVal - minVal) * _TICK_ROOM / max(size, 1)
        steps = (base * 10**power for power in range(9) for base in (1, 2, 5))
        step = next((step for step in steps if step >= least), 10**9)
        first = math.ceil(minVal / step) * step
        return [(step, [float(value) for value in np.arange(first, maxVal + 1e-9, step)])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Return the words at the ticks."""
        return [str(round(value)) for value in values]


class ValueAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no annotations
    """If it is logarithmic: ticks at powers of ten, and at 2 and 5 times them where there are few."""

    def logTickValues(
        self, minVal: float, maxVal: float, size: float, stdTicks: object
    ) -> list[tuple[float, list[float]]]:
        """Return the logarithms of the values that are marked."""
        least = (maxVal - minVal) * _TICK_ROW / max(size, 1)  # decades
        factors = (1, 2, 5) if least < math.log10(2) and maxVal - minVal < 2 else (1,)
        step = max(1, math.ceil(least))
        powers = range(math.floor(minVal / step) * step, math.ceil(maxVal) + 1, step)
        values = [power + math.log10(factor) for power in powers for factor in factors]
        return [(float(step), [value for value in values if minVal <= value <= maxVal])]


def value_range(drawn: list[float], *, log: bool) -> tuple[float, float]:
    """What the axis covers, logarithms if it is logarithmic."""
    if not drawn:
        return (-3.0, 0.0) if log else (0.0, 1.0)
    low, high = (math.log10(value) if log else value for value in (min(drawn), max(drawn)))
    least = 1e-3 if len(drawn) > 1 else 0.5  # a lone level says nothing of how near the curve will come to it
    span = max(high - low, 0.5 if log else least * abs(high), 1e-9)
    return low - 0.08 * span, high + 0.08 * span
