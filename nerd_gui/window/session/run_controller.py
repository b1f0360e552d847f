"""Starts, pauses and stops runs on separate threads. Does not use widgets."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from nerd_gui import allocator
from nerd_gui.denoising import (
    DenoisingRun,
    Equilibrium,
    Iterate,
    PhotoProgress,
    PhotoRun,
    Recorder,
    RunError,
    Subject,
)
from nerd_gui.equilibrium import StopReason
from nerd_gui.nerd import Network, load_model
from nerd_gui.window.session.regions import Region
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.worker import PhotoWorker, RunWorker, Worker
from nerd_gui.window.threads import release, wait_for

_IDLE = 30_000  # milliseconds for which a finished run's memory is kept ready for a next run


class RunController(QObject):
    """Runs one run at a time on a worker thread; signals from older threads are dropped.

    Signals
    -------
    prepared : Run
        The run has its network and its trajectory; iterates will follow.
    iterateAdded : int, Run
        The iterate with this index has arrived in the run's trajectory.
    progressed : Run, PhotoProgress
        More tiles of a run are done; the last may arrive after the run was stopped, if it was being solved then.
    ended : StopReason, Run
    failed : str, str, Run
        A sentence for the person, the details, and the run.
    runningChanged : bool
    pausedChanged : bool
    """

    prepared = Signal(object)
    iterateAdded = Signal(int, object)
    progressed = Signal(object, object)
    ended = Signal(object, object)
    failed = Signal(str, str, object)
    runningChanged = Signal(bool)
    pausedChanged = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run: Run | None = None
        self._recorder: Recorder | None = None
        self._net: Network | None = None
        self._net_key: tuple[str, str] | None = None
        self._count = 0
        self._current: Worker | None = None
        self._paused = False
        self._workers: set[Worker] = set()
        self._idle = QTimer(self, singleShot=True, interval=_IDLE)
        self._idle.timeout.connect(allocator.trim)
        self.runningChanged.connect(lambda running: self._idle.stop() if running else self._idle.start())

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return self._current is not None

    @property
    def run(self) -> Run | None:
        """The run under way; None if there is none."""
        return self._run

    @property
    def paused(self) -> bool:
        """Whether the run under way is paused; a paused run still counts as running."""
        return self._paused

    def keep(self, net: Network, model: str, device: str) -> None:
        """Take a network that has been loaded for the next run with this name and device."""
        self._net, self._net_key = net, (model, device)

    def start(self, run: Run, start_from: Equilibrium | None) -> None:
        """Start a run in the background; the one under way is stopped, and its later signals are dropped.

        Parameters
        ----------
        run : Run
            Its network, trajectory and iterates are set as they arrive.
        start_from : Equilibrium or None
            The equilibrium to begin at if the run's setting `start` is "last".
        """
        self.stop()
        subject, settings, net = run.subject, run.settings, self._loaded(run)

        def make() -> DenoisingRun:
            return DenoisingRun(subject, settings, net or load_model(settings.model, settings.device), start_from)

        worker = RunWorker(self._next_number(), make)
        worker.iterateReady.connect(self._on_iterate)
        self._let_work(run, worker)

    def start_photo(self, run: Run, make_subject: Callable[[], Subject], view: Callable[[], Region | None]) -> None:
        """Start a run of a whole photo in the background, tile by tile, with the tiles in view first.

        Parameters
        ----------
        make_subject : callable
            Makes the run's subject; called on the run's thread, because drawing noise takes a while.
        view : callable
            See `PhotoWorker`.
        """
        self.stop()
        settings, grain, net = run.settings, run.grain, self._loaded(run)

        def make() -> PhotoRun:
            return PhotoRun(make_subject(), settings, net or load_model(settings.model, settings.device), grain=grain)

        self._let_tiles_work(run, make, view)

    def go_on(self, run: Run, view: Callable[[], Region | None]) -> None:
        """Continue a stopped run with its remaining tiles."""
        self.stop()
        photo_run, net = run.photo_run, self._loaded(run)
        assert run.trajectory is not None
        run.over, run.trajectory.stop_reason = False, None

        def make() -> PhotoRun:
            return photo_run or _taken_up(run, net)

        self._let_tiles_work(run, make, view)

    def pause(self, paused: bool) -> None:
        """Pause the run under way between evaluations if it is solved in tiles, or let it continue."""
        if isinstance(self._current, PhotoWorker) and paused != self._paused:
            self._current.pause(paused)
            self._set_paused(paused)

    def stop(self) -> None:
        """End the run, at once for the window; its thread ends at the solver's next evaluation."""
        if self._current is not None:
            self._current.request_stop()
            self._finish()

    def wait(self) -> None:
        """Stop, and return when all threads have ended."""
        self.stop()
        for worker in list(self._workers):
            wait_for(worker)
        self._idle.stop()

    # ---- inside -------------------------------------------------------------------------------------------------

    def _loaded(self, run: Run) -> Network | None:
        return self._net if self._net_key == (run.settings.model, run.settings.device) else None

    def _next_number(self) -> int:
        self._count += 1
        return self._count

    def _let_tiles_work(self, run: Run, make: Callable[[], PhotoRun], view: Callable[[], Region | None]) -> None:
        worker = PhotoWorker(self._next_number(), run, make, view)
        worker.progressed.connect(self._on_progressed)
        self._let_work(run, worker)

    def _let_work(self, run: Run, worker: Worker) -> None:
        worker.prepared.connect(self._on_prepared)
        worker.ended.connect(self._on_ended)
        worker.failed.connect(self._on_failed)
        worker.finished.connect(self._on_thread_finished)
        self._workers.add(worker)
        self._run, self._current = run, worker
        self.runningChanged.emit(True)
        worker.start()

    def _finish(self) -> None:
        run, reason = self._close(StopReason.CANCELLED)
        self.ended.emit(reason, run)
        self.runningChanged.emit(False)

    def _close(self, reason: StopReason) -> tuple[Run, StopReason]:
        """Record why the run ended unless it has its own reason, and release it, since others decide what to keep."""
        run, recorder = self._run, self._recorder
        assert run is not None
        run.over = True
        self._run = self._recorder = self._current = None
        self._set_paused(False)
        if recorder is not None:
            recorder.finish(reason)
        elif run.photo_run is not None:
            run.photo_run.finish(reason)
        elif run.trajectory is not None:  # a run from a file that could not be continued
            Recorder.close(run.trajectory, reason)
        return run, (run.trajectory.stop_reason if run.trajectory is not None else None) or reason

    def _set_paused(self, paused: bool) -> None:
        if paused != self._paused:
            self._paused = paused
            self.pausedChanged.emit(paused)

    def _under_way(self, number: int) -> Run | None:
        """Return the run that a worker's signal belongs to; None if the worker is no longer the current one."""
        return self._run if self._current is not None and self._current.number == number else None

    def _on_prepared(self, number: int, prepared: DenoisingRun | PhotoRun) -> None:
        if (run := self._under_way(number)) is None:
            return
        self.keep(prepared.net, prepared.settings.model, prepared.settings.device)
        if isinstance(prepared, PhotoRun):
            run.photo_run, run.subject, run.trajectory = prepared, prepared.subject, prepared.trajectory
        else:
            self._recorder = Recorder(prepared)
            run.trajectory = self._recorder.trajectory
        run.net = prepared.net
        self.prepared.emit(run)

    def _on_iterate(self, number: int, iterate: Iterate) -> None:
        run = self._under_way(number)
        if run is not None and self._recorder is not None:
            self._recorder.add(iterate)
            self.iterateAdded.emit(iterate.index, run)

    def _on_progressed(self, number: int, progress: PhotoProgress) -> None:
        for worker in self._workers:
            if worker.number == number and isinstance(worker, PhotoWorker):
                self.progressed.emit(worker.of, progress)
                return

    def _on_ended(self, number: int) -> None:
        if self._under_way(number) is not None:
            self._finish()

    def _on_failed(self, number: int, sentence: str, details: str) -> None:
        if self._under_way(number) is not None:
            run, _ = self._close(StopReason.FAILED)
            self.failed.emit(sentence, details, run)
            self.runningChanged.emit(False)

    def _on_thread_finished(self) -> None:
        worker = self.sender()
        assert isinstance(worker, Worker)
        release(worker)
        self._on_failed(worker.number, "The run ended for an unknown reason; run it again.", "")  # if it is under way
        self._workers.discard(worker)


def _taken_up(run: Run, net: Network | None) -> PhotoRun:
    """Prepare a run in tiles that was opened with a session, so that it continues where it was stopped."""
    trajectory, settings = run.trajectory, run.settings
    assert trajectory is not None
    net = net or load_model(settings.model, settings.device)
    if net.weights_sha256 != trajectory.weights_sha256:
        raise RunError("The network of this run has changed since; denoise the photo again.")
    n_hats = [iterate.n_hat for iterate in trajectory.iterates]
    return PhotoRun(run.subject, settings, net, grain=run.grain, stopped=run.stopped, n_hats=n_hats)
