"""The residual over the iterates as a picture: a logarithmic axis, drawn for one iterate after another."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageColor, ImageDraw

from nerd_gui.denoising.animation_layout import font_of, text_width
from nerd_gui.denoising.trajectory import Trajectory

_FINER = 3  # drawn so many times as large, and reduced: Pillow's lines have hard edges
_MOST_TICKS = 6
_EDGES = (0.25, 0.5, 0.75)  # of the ground in the colours of soft edges
_LEAST_DECADES = 1.0  # that the axis spans
_BELOW, _ABOVE = 0.14, 0.06  # room in parts of the span; the mark of the result stands below the curve


@dataclass(frozen=True)
class Colours:
    """What a frame is drawn with, as "#rrggbb": of the ground, of words, of second words, of lines, and the accent."""

    ground: str = "#1e2023"
    text: str = "#e7e9eb"
    second: str = "#9da4ab"
    line: str = "#3b4046"
    accent: str = "#3d8bfd"

    @property
    def pale(self) -> str:
        """Halfway between the second words and the ground."""
        return _between(self.second, self.ground, 0.5)

    def all(self) -> list[str]:
        """Every colour, and those at the soft edges of curve and words."""
        edges = [_between(ink, self.ground, part) for ink in (self.accent, self.text, self.second) for part in _EDGES]
        return [self.ground, self.text, self.second, self.pale, self.line, self.accent, *edges]


@dataclass(frozen=True)
class Axes:
    """The scales of a residual plot inside a box of width x height pixels.

    Attributes
    ----------
    left, top, right, bottom : int
        The edges of the plot itself; the ticks stand left of it and below.
    low, high : float
        Powers of ten at the bottom and at the top.
    last : int
        The iterate at the right edge.
    """

    left: int
    top: int
    right: int
    bottom: int
    low: float
    high: float
    last: int

    @classmethod
    def of(cls, size: tuple[int, int], residuals: Sequence[float | None], letters: int) -> "Axes":
        """Axes for all the residuals that a logarithmic axis can show: those above 0."""
        logs = [math.log10(value) for _, value in _drawable(residuals)] or [0.0]
        low, high = min(logs), max(logs)
        missing = max(0.0, _LEAST_DECADES - (high - low))
        low, high = low - missing / 2, high + missing / 2
        low, high = low - _BELOW * (high - low), high + _ABOVE * (high - low)
        widest = max(text_width(label, letters) for _, label in _ticks(low, high))
        width, height = size
        return cls(
            letters + widest + letters // 2,
            round(2.8 * letters),
            width - round(1.2 * letters),
            height - round(3.2 * letters),
            low,
            high,
            max(1, len(residuals) - 1),
        )

    def x(self, index: float) -> float:
        """Return the column of the drawing, in pixels, at which an iterate stands."""
        return self.left + index / self.last * (self.right - self.left)

    def y(self, residual: float) -> float:
        """Return the row of the drawing, in pixels, at which a residual stands."""
        part = (math.log10(residual) - self.low) / (self.high - self.low)
        return self.bottom - part * (self.bottom - self.top)

    def ticks(self) -> list[tuple[float, str]]:
        """Residuals that are marked at the axis, and what stands beside them."""
        return _ticks(self.low, self.high)

    def steps(self) -> range:
        """The iterates that are marked at the axis."""
        step = next(
            step * scale
            for scale in (1, 10, 100, 1000)
            for step in (1, 2, 5)
            if self.last <= step * scale * _MOST_TICKS
        )
        return range(0, self.last + 1, step)


def residual_plot(
    size: tuple[int, int], trajectory: Trajectory, index: int, letters: int, colours: Colours
) -> Image.Image:
    """Draw the residuals up to an iterate in the accent colour, those after it pale, and a cursor at it.

    A triangle on the axis marks the result, and hollow points are restarted steps.

    Parameters
    ----------
    size : (width, height)
    letters : int
        Height of the letters in pixels.

    Returns
    -------
    RGB image
    """
    axes = Axes.of(size, trajectory.curve("residual"), letters)
    image = _lines(size, axes, trajectory, index, letters, colours)
    draw, font = ImageDraw.Draw(image), font_of(letters)
    draw.text((axes.left, letters), "residual", colours.text, font, anchor="lt")
    for value, label in axes.ticks():
        draw.text((axes.left - letters // 2, axes.y(value)), label, colours.second, font, anchor="rm")
    for step in axes.steps():
        draw.text((axes.x(step), axes.bottom + letters // 2), str(step), colours.second, font, anchor="mt")
    draw.text(((axes.left + axes.right) / 2, size[1] - letters // 2), "iterate", colours.second, font, anchor="mb")
    return image


def _lines(
    size: tuple[int, int], axes: Axes, trajectory: Trajectory, index: int, letters: int, colours: Colours
) -> Image.Image:
    fine = Image.new("RGB", (_FINER * size[0], _FINER * size[1]), colours.ground)
    draw = ImageDraw.Draw(fine)

    def at(x: float, y: float) -> tuple[float, float]:
        return _FINER * x, _FINER * y

    for value, _ in axes.ticks():
        draw.line((*at(axes.left, axes.y(value)), *at(axes.right, axes.y(value))), colours.line, _FINER)
    draw.line((*at(axes.left, axes.bottom), *at(axes.right, axes.bottom)), colours.second, _FINER)
    draw.line((*at(axes.x(index), axes.top), *at(axes.x(index), axes.bottom)), colours.second, _FINER)
    peak, half = at(axes.x(trajectory.result), axes.bottom - 0.7 * letters), _FINER * letters / 2.4
    foot = _FINER * axes.bottom
    draw.polygon([peak, (peak[0] - half, foot), (peak[0] + half, foot)], colours.text)
    points = {i: at(axes.x(i), axes.y(value)) for i, value in _drawable(trajectory.curve("residual"))}
    thick, radius = round(_FINER * letters / 7), _FINER * letters / 4.5
    for i in sorted(points, reverse=True):  # what has been reached lies above what is still to come
        colour = colours.accent if i <= index else colours.pale
        if i - 1 in points:
            draw.line((*points[i - 1], *points[i]), colour, thick)
        draw.circle(points[i], radius, colours.ground if trajectory[i].restarted else colour, colour, thick)
    if index in points:
        draw.circle(points[index], 1.6 * radius, colours.accent, colours.text, thick)
    return fine.reduce(_FINER)


def _drawable(residuals: Sequence[float | None]) -> list[tuple[int, float]]:
    """The residuals that a logarithmic axis can show, with their iterates."""
    return [(i, value) for i, value in enumerate(residuals) if value is not None and 0 < value < math.inf]


def _between(one: str, other: str, part: float) -> str:
    pairs = zip(ImageColor.getrgb(one), ImageColor.getrgb(other), strict=True)
    return "#" + "".join(f"{round(a + part * (b - a)):02x}" for a, b in pairs)


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Powers of ten between two logarithms, with 2 and 5 times as much where they are few."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    step = max(1, math.ceil((high - low) / _MOST_TICKS))
    values = [10.0**power for power in decades if power % step == 0]
    if high - low < 2:
        values = sorted(factor * 10.0**power for power in decades for factor in (1, 2, 5))
    inside = [value for value in values if low <= math.log10(value) <= high]
    return [(value, f"{value:.0e}".replace("e-0", "e-") if value < 1e-4 else f"{value:g}") for value in inside]
