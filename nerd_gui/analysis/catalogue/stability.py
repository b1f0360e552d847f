"""The analysis of stability: the leading eigenvalues at the equilibrium."""

from __future__ import annotations

import math
from typing import Any

from nerd_gui.analysis.catalogue.entry import Analysis, Question, analysed
from nerd_gui.analysis.catalogue.shown import Axis, Curve, Picture, Plot, Scale, Shown, Table
from nerd_gui.analysis.linearised import NotSolved
from nerd_gui.analysis.spectrum import decoded_direction, field_of_values_abscissa, spectrum
from nerd_gui.denoising import Trajectory
from nerd_gui.denoising.analysed import Analysed

_COUNT = 2  # eigenvalues
_WORTH_TELLING = 0.25  # the leading eigenvalue is reported during the computation once its relative error is below this


def _ask(question: Question) -> Analysed:
    def told(value: complex, error: float) -> None:
        if question.so_far is not None and error < _WORTH_TELLING * abs(value):
            question.so_far(f"So far, the leading eigenvalue is {_complex(value.real, value.imag)} ± {error:.3f}.")

    keywords: dict[str, Any] = {"seed": question.seed, **question.keywords}
    found = spectrum(*question.of, count=_COUNT, vectors=1, told=told, **keywords)
    direction = found.vectors[0].real.contiguous()
    numbers = {
        "radius": found.radius,
        "error": float(found.errors[0]),
        "eigenvalues": [[float(value.real), float(value.imag)] for value in found.eigenvalues],
        "attracts": found.radius < 1,
        "abscissa": _abscissa(question, keywords),
        "run_contraction": _contraction(question.trajectory),
    }
    picture = decoded_direction(question.at.net, question.at.z, direction)
    return analysed(numbers, leading_vector_decoded=picture)


def _abscissa(question: Question, keywords: dict[str, Any]) -> float | None:
    """The field of values' abscissa; None if it cannot be found."""
    try:
        return field_of_values_abscissa(*question.of, **keywords)
    except NotSolved:
        return None


def _complex(real: float, imaginary: float) -> str:
    words = f"{real:.3f}" if imaginary == 0 else f"{real:.3f} {imaginary:+.3f} i"
    return words.replace("-", "−")


def _contraction(trajectory: Trajectory) -> float | None:
    """The geometric mean of the factors by which the run's steps multiplied the residual; None if undefined."""
    first, last = trajectory[0].residual, trajectory[trajectory.result].residual
    if trajectory.result == 0 or not (math.isfinite(first) and math.isfinite(last) and first > 0 and last > 0):
        return None
    return float((last / first) ** (1 / trajectory.result))


def _show(found: Analysed) -> Shown:
    numbers = found.numbers
    radius, seen = numbers["radius"], numbers["run_contraction"]
    error = numbers.get("error")  # older session files lack it, and the abscissa
    rows = [("Spectral radius", f"{radius:.3f}" if not error or error < 5e-4 else f"{radius:.3f} ± {error:.3f}")]
    rows += [
        (f"Eigenvalue {index}", _complex(real, imaginary))
        for index, (real, imaginary) in enumerate(numbers["eigenvalues"], 1)
    ]
    if numbers.get("abscissa") is not None:
        rows.append(("Abscissa of the field of values", f"{numbers['abscissa']:.2f}"))
    if seen is not None:
        rows.append(("Residual per step of the run", f"× {seen:.2f}"))
    rows += _steps(radius, seen)
    says = (
        f"The equilibrium is stable, with a spectral radius of {radius:.2f}: plain iteration would also converge to it."
        if numbers["attracts"]
        else f"The equilibrium is not stable: its spectral radius is {radius:.2f}, so plain iteration would move away "
        "from it. Only the solver reaches it."
    )
    plot = Plot(
        "plane",
        "eigenvalues",
        Axis("real part"),
        Axis("imaginary part"),
        (
            Curve(
                "eigenvalues",
                tuple(real for real, _ in numbers["eigenvalues"]),
                tuple(imaginary for _, imaginary in numbers["eigenvalues"]),
                joined=False,
            ),
        ),
        unit_circle=True,
    )
    picture = Picture(
        "",
        "slowest direction",
        found.arrays["leading_vector_decoded"].mean(0),
        Scale.SIGNED,
        tip="The leading eigenvector as a picture, by f_decode: this part of the picture settles last",
    )
    return Shown(says, Table((), tuple(rows)), (picture,), (plot,))


def _steps(radius: float, seen: float | None) -> list[tuple[str, str]]:
    """Table rows: the steps that reduce the residual to a tenth, by plain iteration near the end and in the run."""
    rows = []
    if 0 < radius < 1:
        rows.append(("Plain steps to a tenth of it", f"{-1 / math.log10(radius):.1f}"))
    if seen is not None and 0 < seen < 1:
        rows.append(("Run's steps to a tenth of it", f"{-1 / math.log10(seen):.1f}"))
    return rows


SPECTRUM = Analysis(
    "spectrum",
    "Is it stable?",
    "Whether plain iteration would also converge to this equilibrium, and which part of the picture settles last.",
    "The eigenvalues of largest modulus of J = ∂f/∂z at z*, by the Krylov–Schur method on products with Jᵀ, with the "
    "error ‖Jᵀv − λv‖. If the spectral radius ρ = max |λ| is below 1, each step z ← f(z) near z* multiplies the error "
    "by about ρ. The abscissa of the field of values is the largest eigenvalue of (J + Jᵀ)/2; if it is above 1, an "
    "error can grow for a while before it shrinks.",
    170,
    _ask,
    _show,
)
