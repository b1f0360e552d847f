"""Draws the residual over the iterates, with a logarithmic axis, for the frames of an animation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageColor, ImageDraw

from nerd_gui.denoising.animation_layout import font_of, text_width
from nerd_gui.denoising.trajectory import Trajectory

_FINER = 3  # antialiasing, which Pillow's lines lack: everything is drawn this many times as large and reduced
_MOST_TICKS = 6
_EDGES = (0.25, 0.5, 0.75)  # fractions of the background in the colours of antialiased edges
_LEAST_DECADES = 1.0  # least span of the axis
_BELOW, _ABOVE = 0.14, 0.06  # margins as fractions of the span; the mark of the result is below the curve


@dataclass(frozen=True)
class Colours:
    """The colours of a frame as "#rrggbb": background, text, secondary text, lines, and accent."""

    ground: str = "#1e2023"
    text: str = "#e7e9eb"
    second: str = "#9da4ab"
    line: str = "#3b4046"
    accent: str = "#3d8bfd"

    @property
    def pale(self) -> str:
        """The colour halfway between secondary text and background."""
        return _between(self.second, self.ground, 0.5)

    def all(self) -> list[str]:
        """All colours, including those of the antialiased edges of curve and text."""
        edges = [_between(ink, self.ground, part) for ink in (self.accent, self.text, self.second) for part in _EDGES]
        return [self.ground, self.text, self.second, self.pale, self.line, self.accent, *edges]


@dataclass(frozen=True)
class Axes:
    """The scales of a residual plot inside a box of width x height pixels.

    Attributes
    ----------
    left, top, right, bottom : int
        The edges of the plot itself; tick labels are left of it and below.
    low, high : float
        Exponents of ten at the bottom and at the top.
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
        """Fit axes to the residuals that a logarithmic axis can show, which are those above 0."""
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
        """Return the horizontal position of an iterate in pixels."""
        return self.left + index / self.last * (self.right - self.left)

    def y(self, residual: float) -> float:
        """Return the vertical position of a residual in pixels."""
        part = (math.log10(residual) - self.low) / (self.high - self.low)
        return self.bottom - part * (self.bottom - self.top)

    def ticks(self) -> list[tuple[float, str]]:
        """The ticks of the residual axis: values and labels."""
        return _ticks(self.low, self.high)

    def steps(self) -> range:
        """The ticks of the iterate axis."""
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
    """Draw the residuals: up to the iterate `index` in the accent colour, the later ones pale, with a cursor there.

    A triangle on the axis marks the result; hollow points are restarted steps.

    Parameters
    ----------
    size : (width, height)
    letters : int
        The font's height in pixels.

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
    for i in sorted(points, reverse=True):  # accented points are drawn last, above pale ones
        colour = colours.accent if i <= index else colours.pale
        if i - 1 in points:
            draw.line((*points[i - 1], *points[i]), colour, thick)
        draw.circle(points[i], radius, colours.ground if trajectory[i].restarted else colour, colour, thick)
    if index in points:
        draw.circle(points[index], 1.6 * radius, colours.accent, colours.text, thick)
    return fine.reduce(_FINER)


def _drawable(residuals: Sequence[float | None]) -> list[tuple[int, float]]:
    """The residuals that a logarithmic axis can show, with the indices of their iterates."""
    return [(i, value) for i, value in enumerate(residuals) if value is not None and 0 < value < math.inf]


def _between(one: str, other: str, part: float) -> str:
    pairs = zip(ImageColor.getrgb(one), ImageColor.getrgb(other), strict=True)
    return "#" + "".join(f"{round(a + part * (b - a)):02x}" for a, b in pairs)


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """The ticks between two exponents: powers of ten, for a short axis also their multiples by 2 and 5."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    step = max(1, math.ceil((high - low) / _MOST_TICKS))
    values = [10.0**power for power in decades if power % step == 0]
    if high - low < 2:
        values = sorted(factor * 10.0**power for power in decades for factor in (1, 2, 5))
    inside = [value for value in values if low <= math.log10(value) <= high]
    return [(value, f"{value:.0e}".replace("e-0", "e-") if value < 1e-4 else f"{value:g}") for value in inside]
