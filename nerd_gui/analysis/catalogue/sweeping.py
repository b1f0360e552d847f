"""The analysis of how the equilibrium depends on the noise, the attention window, the arithmetic and the amount."""

from __future__ import annotations

from typing import Any

from nerd_gui.analysis.catalogue.entry import Analysis, Question, analysed
from nerd_gui.analysis.catalogue.shown import Axis, Curve, Plot, Shown, Table
from nerd_gui.analysis.sweep import Over, sweep
from nerd_gui.denoising.analysed import Analysed
from nerd_gui.denoising.captions import scientific

_SIGMAS = (0.4, 0.6, 0.8, 1.0, 1.2, 1.6)  # multiples of the photo's sigma
_WINDOWS = (0.25, 0.5, 0.75, 1.0, 1.5)  # multiples of the run's window
_AMOUNTS = tuple(step / 10 for step in range(16))
_NAMES = {"sigma": "noise σ", "window": "window q", "precision": "arithmetic", "amount": "amount"}
_AMOUNTS_TOLD = (0.0, 0.5, 1.0, 1.5)  # rows of the table; the curve has all amounts
_CURVES = ("psnr", "noise_level", "moved", "residual")
_LABELS = {"psnr": "PSNR in dB", "moved": "z* moved by", "noise_level": "noise level"}


def _values(question: Question) -> dict[Over, list[float | str]]:
    """The quantities that are varied, each with its values."""
    found: dict[Over, list[float | str]] = {}
    sigma = question.trajectory.subject.sigma
    if sigma and question.clean is not None:
        found["sigma"] = [round(sigma * part, 2) for part in _SIGMAS]
    if question.at.net.non_local is not None:
        own = question.at.window
        found["window"] = sorted({own if part == 1 else max(1, int(own * part)) | 1 for part in _WINDOWS})
        found["precision"] = ["float32", "bfloat16"]
    found["amount"] = list(_AMOUNTS)
    return found


def _ask(question: Question) -> Analysed:
    numbers: dict[str, Any] = {}
    sigma = question.trajectory.subject.sigma
    for over, values in _values(question).items():
        swept = sweep(*question.of, over, values, clean=question.clean, sigma=sigma, **question.keywords)
        numbers[over] = {
            "values": [each.value for each in swept],
            "evaluations": [each.evaluations for each in swept],
            **{curve: [getattr(each, curve) for each in swept] for curve in _CURVES},
        }
    return analysed(numbers)


def _show(found: Analysed) -> Shown:
    rows = tuple(row for over, swept in found.numbers.items() for row in _rows(over, swept))
    # The plots of PSNR and of the movement of z* are the most informative, so they come first.
    plots = [
        plot
        for curve, label in _LABELS.items()
        for over, swept in found.numbers.items()
        if (plot := _plot(over, swept, curve, label)) is not None
    ]
    columns = ("", "PSNR", "noise level", "z* moved by", "residual")
    return Shown(_sentence(found), Table(columns, rows), plots=tuple(plots))


def _rows(over: str, swept: dict[str, Any]) -> list[tuple[str, ...]]:
    columns = [swept[curve] for curve in ("psnr", "noise_level", "moved", "residual")]
    rows: list[tuple[str, ...]] = []
    for value, psnr, level, moved, residual in zip(swept["values"], *columns, strict=True):
        if over == "amount" and value not in _AMOUNTS_TOLD:
            continue
        score = "–" if psnr is None else f"{psnr:.2f} dB"
        said = value if isinstance(value, str) else f"{value:g}"
        rows.append((f"{_NAMES[over]} {said}", score, f"{level:.2f}", f"{100 * moved:.1f} %", scientific(residual)))
    return rows


def _plot(over: str, swept: dict[str, Any], curve: str, label: str) -> Plot | None:
    """A plot, or None if it would show nothing: over two kinds of arithmetic, if z* stays, or without any values."""
    pairs = [(value, y) for value, y in zip(swept["values"], swept[curve], strict=True) if y is not None]
    if over == "precision" or (over == "amount" and curve == "moved") or not pairs:
        return None
    x, y = zip(*pairs, strict=True)
    name = _NAMES[over]
    return Plot(f"{over}_{curve}", f"{label} over {name}", Axis(name), Axis(label), (Curve(label, x, y),))


def _sentence(found: Analysed) -> str:
    said = []
    for over in ("sigma", "window", "precision"):
        if over in found.numbers:
            said.append(f"{100 * max(found.numbers[over]['moved']):.2g} % with the {_NAMES[over]}")
    if not said:
        return "How the picture changes when less or more of the noise is removed."
    return f"The equilibrium moves by up to {', '.join(said)}."


SWEEP = Analysis(
    "sweep",
    "What does it depend on?",
    "How the equilibrium, its noise level and its PSNR depend on the noise, the attention window, the arithmetic "
    "inside f, and the amount of noise that is removed.",
    "z = f(z) is solved for the same noise at 0.4 to 1.6 times its σ, for windows of 0.25 to 1.5 q, and in bfloat16, "
    "each time starting at the equilibrium of the neighbouring value. “z* moved by” is ‖z − z*‖/‖z*‖. With the amount "
    "a, the picture is x̂ = y + a n̂.",
    110,
    _ask,
    _show,
)
