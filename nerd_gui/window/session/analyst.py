"""Analyses the equilibrium of a run on a separate thread. Does not use widgets."""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, QThread, Signal

from nerd_gui.analysis import NotSolved
from nerd_gui.analysis.catalogue import CATALOGUE, Question
from nerd_gui.analysis.of_run import EquilibriumOfRun, equilibrium_of
from nerd_gui.denoising import RunError
from nerd_gui.denoising.analysed import Analysed
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.run_controller import RunController
from nerd_gui.window.threads import release

NEEDS_RUN = "Analyses need a run of this photo. Explore it first."
UNDER_WAY = "Analyses can begin when the run has ended."
IN_TILES = (
    "This run solved a whole photo tile by tile and kept no features. Choose a region, explore it, and analyse that "
    "run."
)
FROM_FILE = "This run was opened from a file, which does not hold features. Run it again to analyse it further."
NO_FEATURES = "This run kept no features of its result. Run it again to analyse it."
_PREPARING = 9  # evaluations needed to refine an equilibrium that was kept in half precision


class _Stopped(Exception):
    """Raised to abandon an analysis whose answer is no longer wanted."""


@dataclass(frozen=True, eq=False)
class Asked:
    """An analysis that a person asked for.

    Attributes
    ----------
    run : Run
    name : str
        The analysis's name in the catalogue.
    pixel : (row, col)
        Row and column in the picture that was run, which may be a region of the photo.
    channel : int
    """

    run: Run
    name: str
    pixel: tuple[int, int]
    channel: int


class _Worker(QThread):
    """Computes one analysis; its signals are dropped once it has been stopped.

    Signals
    -------
    soFar : str
        A sentence that says what is known by now.
    found : Analysed, EquilibriumOfRun
    failed : str, str
        A sentence for the person, and the details (empty for an expected error).
    """

    soFar = Signal(str)
    found = Signal(object, object)
    failed = Signal(str, str)

    def __init__(self, asked: Asked, at: EquilibriumOfRun | None, parent: QObject) -> None:
        super().__init__(parent)
        self._asked, self._at = asked, at
        self._stop = threading.Event()

    def request_stop(self) -> None:
        """Ask the thread to end at its next product; returns at once."""
        self._stop.set()

    def _interrupt(self) -> None:
        if self._stop.is_set():
            raise _Stopped

    def run(self) -> None:
        """Compute the analysis; Qt calls this on the thread itself."""
        asked, trajectory, net = self._asked, self._asked.run.trajectory, self._asked.run.net
        assert trajectory is not None and net is not None
        try:
            at = self._at or equilibrium_of(trajectory, net, asked.channel, interrupt=self._interrupt)
            question = Question(
                at, trajectory, asked.pixel, asked.channel, interrupt=self._interrupt, so_far=self.soFar.emit
            )
            answer = CATALOGUE[asked.name].ask(question)
        except _Stopped:
            return
        except (RunError, NotSolved) as error:
            self.failed.emit(str(error), "")
        except Exception as error:  # noqa: BLE001 - the thread's outermost frame: what escapes here would end the program
            sentence = f"The analysis ended with an unexpected error ({type(error).__name__}: {error})."
            self.failed.emit(sentence, traceback.format_exc())
        else:
            self.found.emit(answer, at)


class Analyst(QObject):
    """Computes one analysis at a time, only for runs that have ended, and never while a run is under way.

    The answers are kept in the run's trajectory.

    Signals
    -------
    changed
        Another analysis has begun or waits, or the last one has ended.
    soFar : Run, str, str
        What the analysis of this name under way knows by now, in a sentence.
    found : Run, str
        The analysis of this name has its answer, which is in the run's trajectory.
    failed : Run, str, str, str
        An analysis failed: the run, the analysis's name, a sentence, and details.
    """

    changed = Signal()
    soFar = Signal(object, str, str)
    found = Signal(object, str)
    failed = Signal(object, str, str, str)

    def __init__(self, controller: RunController, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._waiting: deque[Asked] = deque()
        self._asked: Asked | None = None
        self._current: _Worker | None = None
        self._workers: set[_Worker] = set()
        self._begun = 0.0
        self._settled: WeakKeyDictionary[Run, tuple[int, EquilibriumOfRun]] = WeakKeyDictionary()  # of one run only
        controller.runningChanged.connect(lambda running: self.stop() if running else None)

    @property
    def asked(self) -> Asked | None:
        """The analysis under way; None if there is none."""
        return self._asked

    @property
    def waiting(self) -> tuple[Asked, ...]:
        """The analyses that wait for the one under way."""
        return tuple(self._waiting)

    @property
    def seconds(self) -> float:
        """The time since the analysis under way began; 0 if there is none."""
        return time.monotonic() - self._begun if self._asked is not None else 0.0

    def why_not(self, run: Run | None) -> str:
        """Return a sentence that says why a run cannot be analysed now, and what to do; empty if it can."""
        if run is None or run.trajectory is None:
            return NEEDS_RUN
        if run.from_file:
            return IN_TILES if run.in_tiles else FROM_FILE
        if run.in_tiles:
            return IN_TILES
        if self._controller.running:
            return UNDER_WAY
        if not len(run.trajectory):
            return NEEDS_RUN
        return "" if run.trajectory[run.trajectory.result].features is not None else NO_FEATURES

    def expected_seconds(self, run: Run, evaluations: int) -> float | None:
        """Return how long an analysis of this many evaluations takes at the run's speed; None if that is not known."""
        if not run.trajectory:
            return None
        last = run.trajectory[-1]
        if not last.evaluations or last.seconds <= 0:
            return None
        prepared = run in self._settled
        return last.seconds / last.evaluations * (evaluations + (0 if prepared else _PREPARING))

    def ask(self, run: Run, name: str, pixel: tuple[int, int], channel: int | None) -> None:
        """Ask for an analysis; it begins after those that were asked for before.

        Parameters
        ----------
        run : Run
            A run that can be analysed, see `why_not`.
        name : str
            The analysis's name in the catalogue.
        pixel : (row, col)
            Row and column in the picture that was run.
        channel : int or None
            The channel of a colour photo; None for the first.
        """
        if any(each.run is run and each.name == name for each in (*self._waiting, self._asked) if each is not None):
            return
        self._waiting.append(Asked(run, name, pixel, channel or 0))
        if self._asked is None:
            self._begin()
        self.changed.emit()

    def stop(self) -> None:
        """Cancel the analysis under way and those that wait. Returns at once; the thread ends at its next product."""
        if self._current is None:
            return
        self._waiting.clear()
        self._current.request_stop()
        self._current = self._asked = None
        self.changed.emit()

    def wait(self) -> None:
        """Stop, and return when all threads have ended."""
        self.stop()
        for worker in list(self._workers):
            worker.wait()

    # ---- inside -------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        asked = self._waiting.popleft()
        channel, at = self._settled.get(asked.run, (-1, None))
        worker = _Worker(asked, at if channel == asked.channel else None, self)
        worker.soFar.connect(self._on_so_far)
        worker.found.connect(self._on_found)
        worker.failed.connect(self._on_failed)
        worker.finished.connect(self._on_thread_finished)
        self._workers.add(worker)
        self._asked, self._current, self._begun = asked, worker, time.monotonic()
        worker.start()

    def _on_so_far(self, sentence: str) -> None:
        if self.sender() is self._current and self._asked is not None:
            self.soFar.emit(self._asked.run, self._asked.name, sentence)

    def _on_found(self, answer: Analysed, at: EquilibriumOfRun) -> None:
        if self.sender() is not self._current or self._asked is None:
            return
        asked = self._asked
        if asked.run not in self._settled or self._settled[asked.run][1] is not at:
            self._settled.clear()  # keep one only, because features are large
            self._settled[asked.run] = asked.channel, at
        if asked.run.trajectory is not None:
            asked.run.trajectory.analyses[asked.name] = answer
        self._go_on()
        self.found.emit(asked.run, asked.name)

    def _on_failed(self, sentence: str, details: str) -> None:
        if self.sender() is not self._current or self._asked is None:
            return
        asked = self._asked
        self._go_on()
        self.failed.emit(asked.run, asked.name, sentence, details)

    def _go_on(self) -> None:
        self._asked = self._current = None
        if self._waiting:
            self._begin()
        self.changed.emit()

    def _on_thread_finished(self) -> None:
        worker = self.sender()
        assert isinstance(worker, _Worker)
        release(worker)
        self._workers.discard(worker)
