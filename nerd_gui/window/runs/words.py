"""The texts in a row of the list of runs."""

import math

from nerd_gui.equilibrium import StopReason
from nerd_gui.window.session.run import Run
from nerd_gui.window.wording import noise_words, scientific, short_name, solver_name

_ENDS = {
    StopReason.CONVERGED: "converged",
    StopReason.SETTLED: "settled",
    StopReason.STEP_LIMIT: "all steps taken",
    StopReason.STALLED: "stalled",
    StopReason.DIVERGED: "diverged",
    StopReason.CANCELLED: "stopped",
    StopReason.FAILED: "failed",
}


def asked(run: Run) -> str:
    """Return network, solver, noise and region; and the attention window, if it is not the network's own."""
    words = [short_name(run.settings.model), solver_name(run.settings.solver), noise_words(run.subject)]
    own = run.net.config.window if run.net is not None else None
    window = run.trajectory.window if run.trajectory is not None else run.settings.window
    if window is not None and window != own and run.settings.window is not None:
        words.append(f"q {window}")
    if run.subject.region is not None:
        words.append(f"region {run.subject.cols} × {run.subject.rows}")
    return " · ".join(words)


def found(run: Run) -> str:
    """Return steps, time, and the result's residual and PSNR so far; empty before the first iterate."""
    trajectory = run.trajectory
    if not trajectory:
        return ""
    result, steps = trajectory[trajectory.result], run.newest
    words = [f"{steps} step{'' if steps == 1 else 's'}"]
    if math.isfinite(result.residual):
        words.append(f"residual {scientific(result.residual)}")
    if result.psnr is not None:
        words.append(f"{result.psnr:.2f} dB")
    words.append(f"{trajectory[-1].seconds:.1f} s")
    return " · ".join(words)


def state(run: Run, *, under_way: bool, paused: bool = False) -> str:
    """Return the progress of a run, or why it ended."""
    share = f" · {progress(run):.0%}" if run.in_tiles and (under_way or run.unfinished) else ""
    if paused:
        return f"paused{share}"
    if under_way:
        if run.trajectory is None:
            return "loading …"
        return f"running{share}" if run.in_tiles else f"running · {max(run.newest, 0)} of {run.settings.max_iter}"
    reason = run.trajectory.stop_reason if run.trajectory is not None else None
    return _ENDS.get(reason or StopReason.CANCELLED, "stopped") + share


def progress(run: Run) -> float:
    """Return a run's progress as a fraction of the most steps or tiles that it may take."""
    if run.in_tiles:
        return run.progress.fraction if run.progress is not None else 0.0
    return min(1.0, max(run.newest, 0) / run.settings.max_iter)
