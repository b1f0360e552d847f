"""The axes of a plot over the iterates."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg

_TICK_ROOM, _TICK_ROW = 30, 13  # pixels needed by a number on the x axis, and by one on the y axis
_LEAST_DECADES = 0.8  # a logarithmic axis of this length always holds two of the numbers 1, 2, 5, 10 …


class IterationAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no annotations
    """An axis with ticks at whole numbers."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        """Return the whole numbers to mark, far enough apart for their labels."""
        least = (maxVal - minVal) * _TICK_ROOM / max(size, 1)
        steps = (base * 10**power for power in range(9) for base in (1, 2, 5))
        step = next((step for step in steps if step >= least), 10**9)
        first = math.ceil(minVal / step) * step
        return [(step, [float(value) for value in np.arange(first, maxVal + 1e-9, step)])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Return the labels of the ticks."""
        return [str(round(value)) for value in values]


class ValueAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no annotations
    """An axis that, if logarithmic, has ticks at powers of ten, and in a small range also at 2 and 5 times them."""

    def logTickValues(
        self, minVal: float, maxVal: float, size: float, stdTicks: object
    ) -> list[tuple[float, list[float]]]:
        """Return the logarithms of the values to mark."""
        least = (maxVal - minVal) * _TICK_ROW / max(size, 1)  # decades between two ticks
        factors = (1, 2, 5) if least < math.log10(2) and maxVal - minVal < 2 else (1,)
        step = max(1, math.ceil(least))
        powers = range(math.floor(minVal / step) * step, math.ceil(maxVal) + 1, step)
        values = [power + math.log10(factor) for power in powers for factor in factors]
        return [(float(step), [value for value in values if minVal <= value <= maxVal])]


def value_range(drawn: list[float], *, log: bool) -> tuple[float, float]:
    """Return the range of the axis, as logarithms to base 10 if the axis is logarithmic."""
    if not drawn:
        return (-3.0, 0.0) if log else (0.0, 1.0)
    low, high = (math.log10(value) if log else value for value in (min(drawn), max(drawn)))
    least = 1e-3 if len(drawn) > 1 else 0.5  # a single value does not tell how near the curve will come to it
    span = max(high - low, 0.5 if log else least * abs(high), 1e-9)
    margin = max(0.08 * span, (_LEAST_DECADES - high + low) / 2 if log else 0)
    return low - margin, high + margin


def show_range(view: pg.ViewBox, x: tuple[float, float], y: tuple[float, float]) -> None:
    """Let a view show these ranges; nothing is computed if it does already."""
    if view.viewRange() != [list(x), list(y)]:
        view.setRange(xRange=x, yRange=y, padding=0)
