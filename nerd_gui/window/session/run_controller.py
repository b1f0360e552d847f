"""Starts and stops runs, and keeps the trajectory of the newest one; knows no widget."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from nerd_gui import allocator
from nerd_gui.denoising import DenoisingRun, Equilibrium, Iterate, Recorder, RunSettings, Subject, Trajectory
from nerd_gui.equilibrium import StopReason
from nerd_gui.nerd import NERD, AttentionMaps, load_model
from nerd_gui.window.session.worker import RunWorker

_IDLE = 30_000  # milliseconds after a run in which a next one finds its memory ready


class RunController(QObject):
    """One run at a time, on a worker thread; what an older one still sends is dropped.

    Signals
    -------
    started : Subject, RunSettings
        Of a new run, which has no trajectory before it is prepared.
    prepared : Trajectory
        That of the new run, empty; iterates follow.
    noticed : str
        A sentence on how the run started, where that is not as asked for.
    iterateAdded : int
        The iterate of this index has arrived in `trajectory`.
    planned : str
        What was given up to make the run fit into memory; empty where nothing was.
    ended : StopReason
    failed : str, str
        A sentence and details.
    runningChanged : bool
    """

    started = Signal(object, object)
    prepared = Signal(object)
    noticed = Signal(str)
    iterateAdded = Signal(int)
    planned = Signal(str)
    ended = Signal(object)
    failed = Signal(str, str)
    runningChanged = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._recorder: Recorder | None = None
        self._last_equilibrium: Equilibrium | None = None
        self._net: NERD | None = None
        self._net_key: tuple[str, str] | None = None
        self._run_id = 0
        self._current: RunWorker | None = None
        self._workers: set[RunWorker] = set()
        self._idle = QTimer(self, singleShot=True, interval=_IDLE)
        self._idle.timeout.connect(allocator.trim)
        self.runningChanged.connect(lambda running: self._idle.stop() if running else self._idle.start())

    @property
    def trajectory(self) -> Trajectory | None:
        """That of the newest run; None where there is none, or it is not prepared yet."""
        return self._recorder.trajectory if self._recorder else None

    @property
    def running(self) -> bool:
        """Whether iterates of the newest run are still to come."""
        return self._current is not None

    def start(self, subject: Subject, settings: RunSettings) -> None:
        """Run in the background; a run under way is stopped and what it still sends is dropped."""
        self.forget()
        start_from = self._last_equilibrium if settings.start == "last" else None
        net = self._net if self._net_key == (settings.model, settings.device) else None
        worker = RunWorker(self._run_id, self._maker(subject, settings, net, start_from))
        worker.prepared.connect(self._on_prepared)
        worker.iterateReady.connect(self._on_iterate)
        worker.ended.connect(self._on_ended)
        worker.failed.connect(self._on_failed)
        worker.finished.connect(self._on_thread_finished)
        self._workers.add(worker)
        self._current = worker
        self.started.emit(subject, settings)
        self.runningChanged.emit(True)
        worker.start()

    @staticmethod
    def _maker(
        subject: Subject, settings: RunSettings, net: NERD | None, start_from: Equilibrium | None
    ) -> Callable[[], DenoisingRun]:
        def make() -> DenoisingRun:
            return DenoisingRun(subject, settings, net or load_model(settings.model, settings.device), start_from)

        return make

    def stop(self) -> None:
        """End the run now, as the window sees it; its thread ends at the solver's next evaluation."""
        if self._current is not None:
            self._current.request_stop()
            self._finish()

    def _finish(self) -> None:
        self._current = None
        reason = StopReason.CANCELLED
        if self._recorder is not None:
            self._recorder.finish(reason)
            reason = self._recorder.trajectory.stop_reason or reason
        self.ended.emit(reason)
        self.runningChanged.emit(False)

    def wait(self) -> None:
        """Stop, and return when every thread has ended."""
        self.stop()
        for worker in list(self._workers):
            worker.wait()
        self._idle.stop()

    def forget(self) -> None:
        """Stop and drop the trajectory, of which the equilibrium stays: what a run can start from."""
        self.stop()
        self._run_id += 1
        if self.trajectory is not None:
            self._last_equilibrium = self.trajectory.equilibrium() or self._last_equilibrium
        self._recorder = None

    def attention_maps(self, index: int, row: int, col: int) -> AttentionMaps | None:
        """Maps of the pixel at an iterate (Fig. 9); None while there is no iterate or no non-local block."""
        trajectory, net = self.trajectory, self._net
        if trajectory is None or net is None or net.non_local is None or not 0 <= index < len(trajectory):
            return None
        features = trajectory[index].features
        return None if features is None else features.attention_maps(net, row, col, trajectory.window)

    def _is_current(self, run_id: int) -> bool:
        return self._current is not None and run_id == self._run_id

    def _on_prepared(self, run_id: int, run: DenoisingRun) -> None:
        if self._is_current(run_id):
            self._net, self._net_key = run.net, (run.settings.model, run.settings.device)
            self._recorder = Recorder(run)
            self.prepared.emit(self._recorder.trajectory)
            self.planned.emit(" ".join(run.plan.steps))
            if run.notice is not None:
                self.noticed.emit(run.notice)

    def _on_iterate(self, run_id: int, iterate: Iterate) -> None:
        if self._is_current(run_id) and self._recorder is not None:
            self._recorder.add(iterate)
            self.iterateAdded.emit(iterate.index)

    def _on_ended(self, run_id: int) -> None:
        if self._is_current(run_id):
            self._finish()

    def _on_failed(self, run_id: int, sentence: str, details: str) -> None:
        if self._is_current(run_id):
            self._current = None
            self.failed.emit(sentence, details)
            self.runningChanged.emit(False)

    def _on_thread_finished(self) -> None:
        worker = self.sender()
        assert isinstance(worker, RunWorker)
        worker.wait()  # `finished` is sent from the thread's last lines; destroying it earlier is an error in Qt
        self._workers.discard(worker)
        worker.deleteLater()
