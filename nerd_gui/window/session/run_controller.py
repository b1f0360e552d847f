"""Starts and stops runs on a thread of their own; knows no widget."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from nerd_gui import allocator
from nerd_gui.denoising import DenoisingRun, Equilibrium, Iterate, Recorder, RunSettings, Subject
from nerd_gui.equilibrium import StopReason
from nerd_gui.nerd import NERD, load_model
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.worker import RunWorker

_IDLE = 30_000  # milliseconds after a run in which a next one finds its memory ready


class RunController(QObject):
    """One run at a time, on a worker thread; what an older one still sends is dropped.

    Signals
    -------
    prepared
        The run has its network and its trajectory; iterates follow.
    iterateAdded : int
        The iterate of this index has arrived in the run's trajectory.
    ended : StopReason
    failed : str, str
        A sentence and details.
    runningChanged : bool
    """

    prepared = Signal()
    iterateAdded = Signal(int)
    ended = Signal(object)
    failed = Signal(str, str)
    runningChanged = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run: Run | None = None
        self._recorder: Recorder | None = None
        self._net: NERD | None = None
        self._net_key: tuple[str, str] | None = None
        self._run_id = 0
        self._current: RunWorker | None = None
        self._workers: set[RunWorker] = set()
        self._idle = QTimer(self, singleShot=True, interval=_IDLE)
        self._idle.timeout.connect(allocator.trim)
        self.runningChanged.connect(lambda running: self._idle.stop() if running else self._idle.start())

    @property
    def running(self) -> bool:
        """Whether iterates of the newest run are still to come."""
        return self._current is not None

    def start(self, run: Run, start_from: Equilibrium | None) -> None:
        """Let a run run in the background; one under way is stopped and what it still sends is dropped.

        Parameters
        ----------
        run : Run
            It is filled as network, trajectory and iterates come.
        start_from : Equilibrium or None
            Where it begins if its start is "last".
        """
        self.stop()
        self._run, self._run_id = run, self._run_id + 1
        net = self._net if self._net_key == (run.settings.model, run.settings.device) else None
        worker = RunWorker(self._run_id, self._maker(run.subject, run.settings, net, start_from))
        worker.prepared.connect(self._on_prepared)
        worker.iterateReady.connect(self._on_iterate)
        worker.ended.connect(self._on_ended)
        worker.failed.connect(self._on_failed)
        worker.finished.connect(self._on_thread_finished)
        self._workers.add(worker)
        self._current = worker
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
        recorder = self._recorder
        self._leave()
        reason = StopReason.CANCELLED
        if recorder is not None:
            recorder.finish(reason)
            reason = recorder.trajectory.stop_reason or reason
        self.ended.emit(reason)
        self.runningChanged.emit(False)

    def _leave(self) -> None:
        """Hold nothing of the run: whose features stay in memory is not decided here."""
        if self._run is not None:
            self._run.over = True
        self._run = self._recorder = self._current = None

    def wait(self) -> None:
        """Stop, and return when every thread has ended."""
        self.stop()
        for worker in list(self._workers):
            worker.wait()
        self._idle.stop()

    def _under_way(self, run_id: int) -> Run | None:
        """The run that a signal of a worker belongs to; None where it comes too late."""
        return self._run if run_id == self._run_id else None

    def _on_prepared(self, run_id: int, prepared: DenoisingRun) -> None:
        if (run := self._under_way(run_id)) is not None:
            self._net, self._net_key = prepared.net, (prepared.settings.model, prepared.settings.device)
            self._recorder = Recorder(prepared)
            run.net, run.trajectory = prepared.net, self._recorder.trajectory
            self.prepared.emit()

    def _on_iterate(self, run_id: int, iterate: Iterate) -> None:
        if self._under_way(run_id) is not None and self._recorder is not None:
            self._recorder.add(iterate)
            self.iterateAdded.emit(iterate.index)

    def _on_ended(self, run_id: int) -> None:
        if self._under_way(run_id) is not None:
            self._finish()

    def _on_failed(self, run_id: int, sentence: str, details: str) -> None:
        if self._under_way(run_id) is not None:
            recorder = self._recorder
            self._leave()
            if recorder is not None:
                recorder.finish(StopReason.FAILED)
            self.failed.emit(sentence, details)
            self.runningChanged.emit(False)

    def _on_thread_finished(self) -> None:
        worker = self.sender()
        assert isinstance(worker, RunWorker)
        worker.wait()  # `finished` is sent from the thread's last lines; destroying it earlier is an error in Qt
        self._workers.discard(worker)
        worker.deleteLater()
