"""The report of a run: what it was asked to do and what came of it, as a dictionary that is ready for JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nerd_gui.compiled import status
from nerd_gui.nerd.weights import are_foreign

if TYPE_CHECKING:
    from nerd_gui.denoising.trajectory import Trajectory

#: Settings that stand in the first lines of a report; the others are its "settings".
_NAMED = ("model", "solver", "device", "window", "precision")


def report(run: Trajectory) -> dict[str, Any]:
    """Everything needed to read the run, and to run it again; JSON-ready.

    "planned_memory_mb" is what the run was to take at most, above what the process had already; "peak_memory_mb" is the
    most that all of the process had taken by the end.

    "foreign_weights" says that the network did not come with the program, whatever its name.
    "analyses" has the numbers of each analysis of its result, by name. "earlier_runs" are those that the start "last"
    depends on, the first one first: run them again, each from the result of the one before it, then this one.
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
    """What the run was asked to do, and which iterate is its result."""
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
