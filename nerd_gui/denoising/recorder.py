"""Collects the iterates of a run in a trajectory."""

from collections.abc import Callable

from nerd_gui import allocator
from nerd_gui.compiled import status
from nerd_gui.denoising.memory_plan import peak_memory_mb
from nerd_gui.denoising.run import DenoisingRun
from nerd_gui.denoising.settings import RunSettings
from nerd_gui.denoising.subject import Subject
from nerd_gui.denoising.trajectory import Iterate, Trajectory
from nerd_gui.denoising.warm_start import Equilibrium
from nerd_gui.equilibrium import StopReason
from nerd_gui.nerd import Network


class Recorder:
    """Collects the iterates of a prepared run as they arrive, on any thread.

    Parameters
    ----------
    run : DenoisingRun

    Attributes
    ----------
    trajectory : Trajectory
        What is known of the run before its first iterate, and the iterates so far.
    """

    def __init__(self, run: DenoisingRun) -> None:
        earlier = run.start_from.runs if run.start_from else ()
        self.trajectory = Trajectory(
            run.subject,
            run.settings,
            run.window,
            run.plan,
            earlier_runs=earlier,
            notice=run.notice,
            weights_sha256=run.net.weights_sha256,
        )

    def add(self, iterate: Iterate) -> None:
        """Append the next iterate.

        Raises
        ------
        ValueError
            If its index is not the next one.
        """
        self.trajectory.add(iterate)

    def finish(self, reason: StopReason = StopReason.CANCELLED) -> None:
        """Complete the trajectory; see `close`."""
        self.close(self.trajectory, reason)

    @staticmethod
    def close(trajectory: Trajectory, reason: StopReason = StopReason.CANCELLED) -> None:
        """Complete a trajectory after its last iterate: stop reason, peak memory, and whether compiled code was used.

        Parameters
        ----------
        trajectory : Trajectory
        reason : StopReason
            Why the run ended, in case its last iterate does not say so: it was cancelled between two iterates, or
            failed.
        """
        trajectory.stop_reason = trajectory.stop_reason or reason
        trajectory.peak_memory_mb = peak_memory_mb(trajectory.settings.device)
        trajectory.compiled = status(trajectory.settings.device)


def record(
    run: DenoisingRun,
    should_stop: Callable[[], bool] | None = None,
    *,
    keep_features: bool = True,
    watch: Callable[[Iterate], None] | None = None,
) -> Trajectory:
    """Run a prepared run to its end, return the trajectory, and release unused memory to the system.

    Parameters
    ----------
    run : DenoisingRun
    should_stop, keep_features
        See `DenoisingRun.iterates`.
    watch : callable, optional
        Called with every iterate as it arrives.

    Raises
    ------
    RunError
        If the run cannot continue.
    """
    recorder = Recorder(run)
    try:
        for iterate in run.iterates(should_stop, keep_features=keep_features):
            recorder.add(iterate)
            if watch is not None:
                watch(iterate)
    finally:
        allocator.trim()
    recorder.finish()
    return recorder.trajectory


def denoise(
    subject: Subject,
    settings: RunSettings,
    net: Network | None = None,
    should_stop: Callable[[], bool] | None = None,
    *,
    keep_features: bool = True,
    start_from: Equilibrium | None = None,
) -> Trajectory:
    """Prepare a run, run it to its end, and return the trajectory. See `DenoisingRun` and `record`."""
    return record(DenoisingRun(subject, settings, net, start_from), should_stop, keep_features=keep_features)
