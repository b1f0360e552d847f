"""The report of a run: its settings and results as a JSON-ready dictionary."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nerd_gui.compiled import status
from nerd_gui.nerd.weights import are_foreign

if TYPE_CHECKING:
    from nerd_gui.denoising.trajectory import Trajectory

#: Settings at the top level of a report; the others are under "settings".
_NAMED = ("model", "solver", "device", "window", "precision")


def report(run: Trajectory) -> dict[str, Any]:
    """Make the report of a run, with everything that is needed to understand and to repeat it.

    "planned_memory_mb" is the estimated peak in addition to the memory that the process used before;
    "peak_memory_mb" is the measured peak of the whole process. "foreign_weights" says that the network is not one that
    is shipped with the program, even if it has the same name. "analyses" has the numbers of each analysis of the
    result. "earlier_runs" are the runs that the start "last" depends on, in order. To repeat this run, first repeat
    them, each starting from the result of the one before.
    """
    last, saving = run.iterates[-1] if run.iterates else None, run.saving()
    compiled = run.compiled or status(run.settings.device)
    return {
        **outline(run),
        "stop_reason": str(run.stop_reason) if run.stop_reason else None,
        "seconds": last.seconds if last else 0.0,
        "evaluations": last.evaluations if last else 0,
        "evaluations_saved": saving.saved if saving else None,
        "peak_memory_mb": run.peak_memory_mb,
        "planned_memory_mb": run.plan.needed / 1e6,
        "compiled": compiled.compiled,
        "compiled_reason": compiled.reason,
        "plan": list(run.plan.steps),
        "iterations": [iterate.as_record() for iterate in run.iterates],
        "analyses": {name: found.numbers for name, found in run.analyses.items()},
        "notice": run.notice,
        "earlier_runs": list(run.earlier_runs),
    }


def outline(run: Trajectory) -> dict[str, Any]:
    """The part of the report about the run's settings and photo, and the index of its result."""
    subject, settings = run.subject, run.settings
    return {
        **{name: getattr(settings, name) for name in _NAMED},
        "window": run.window,
        "weights_sha256": run.weights_sha256,
        "foreign_weights": run.weights_sha256 is None or are_foreign(run.weights_sha256),
        "result": run.result if run.iterates else None,
        "settings": {name: value for name, value in asdict(settings).items() if name not in _NAMED},
        "photo": {
            "name": subject.photo.name,
            "path": str(subject.photo.path) if subject.photo.path else None,
            "sha256": subject.photo.sha256,
            "rows": subject.rows,
            "cols": subject.cols,
            "region": subject.region,
            "sigma": subject.sigma,
            "seed": subject.seed,
        },
    }
