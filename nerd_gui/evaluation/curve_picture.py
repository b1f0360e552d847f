"""Draws a training curve as an SVG that is legible on light and dark pages."""

import math
from collections.abc import Callable, Iterable, Sequence

_WIDTH, _LEFT, _RIGHT = 720, 64, 16
_PANEL, _GAP, _TOP, _BOTTOM = 170, 34, 26, 44
_INK = "#7d8590"  # a grey with enough contrast on white and on near-black
_PSNR, _RESIDUAL = "#2f81f7", "#db6d28"


def curve_svg(samples: Sequence[float], psnr: Sequence[float], residual: Sequence[float]) -> str:
    """Draw PSNR (dB, as in Fig. 7) and, on a logarithmic axis, the residual over the samples; return the SVG as text.

    Raises
    ------
    ValueError
        If the sequences are empty or have different lengths, or a residual is not above 0.
    """
    scores, residuals = list(zip(samples, psnr, strict=True)), list(zip(samples, residual, strict=True))
    height = _TOP + 2 * _PANEL + _GAP + _BOTTOM
    across = _scale(samples, _LEFT, _WIDTH - _RIGHT)
    bottom = _TOP + 2 * _PANEL + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        f'font-size="12" fill="{_INK}">',
        "<title>PSNR and residual on validation pictures over the samples seen</title>",
        *_panel(scores, _TOP, across, "PSNR (dB)", _PSNR, _ticks, lambda value: value),
        *_panel(residuals, _TOP + _PANEL + _GAP, across, "residual", _RESIDUAL, _log_ticks, math.log10),
    ]
    for tick in _ticks(*_range(samples)):
        parts.append(_text(across(tick), bottom + 18, f"{tick:,.0f}", "middle"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, bottom + 36, "samples", "middle"))
    return "\n".join([*parts, "</svg>", ""])


def _panel(
    points: Sequence[tuple[float, float]],
    top: float,
    across: Callable[[float], float],
    title: str,
    colour: str,
    ticks: Callable[[float, float], list[float]],
    measure: Callable[[float], float],
) -> list[str]:
    """Draw one panel with title, ticks and line; `measure` maps values to the scale of the vertical axis."""
    down = _scale([measure(y) for _, y in points], top + _PANEL - 8, top + 8)
    wide = _WIDTH - _LEFT - _RIGHT
    parts = [
        f'<rect x="{_LEFT}" y="{top}" width="{wide}" height="{_PANEL}" fill="none" stroke="{_INK}"/>',
        _text(_LEFT, top - 8, title, "start"),
    ]
    for tick in ticks(*_range(y for _, y in points)):
        y = down(measure(tick))
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="{_INK}" stroke-opacity="0.3"/>')
        parts.append(_text(_LEFT - 6, y + 4, f"{tick:g}", "end"))
    line = " ".join(f"{across(x):.1f},{down(measure(y)):.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{across(x):.1f}" cy="{down(measure(y)):.1f}" r="2.5"/>' for x, y in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return [*parts, f'<g fill="{colour}">{dots}</g>']


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def _range(values: Iterable[float]) -> tuple[float, float]:
    found = list(values)
    return min(found), max(found)


def _scale(values: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    """Return the linear map from the range of the values to `start` ... `end`; equal values map to the middle."""
    low, high = _range(values)
    if low == high:
        return lambda value: (start + end) / 2
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _ticks(low: float, high: float) -> list[float]:
    """Two to six round numbers between two values; if they are equal, the value itself."""
    if low == high:
        return [low]
    step = 10 ** math.floor(math.log10((high - low) / 2))
    step = next(step * k for k in (5, 2, 1) if (high - low) / (step * k) >= 2)
    return [round(i * step, 12) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten between two values, or round numbers if there are fewer than two."""
    powers = [10.0**i for i in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
    return powers if len(powers) > 1 else _ticks(low, high)
