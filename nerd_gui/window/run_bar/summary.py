"""The line below the picture that reports on the run."""

import math

from PySide6.QtCore import QElapsedTimer, Qt, QTimer
from PySide6.QtWidgets import QLabel, QWidget

from nerd_gui.compiled import SLOWER, Status, status
from nerd_gui.denoising import Saving, Trajectory
from nerd_gui.equilibrium import StopReason
from nerd_gui.window.run_bar.photo_words import photo_summary, size
from nerd_gui.window.session.session import Session
from nerd_gui.window.wording import scientific, short_name

_READY = "Denoise removes the noise of the whole photo; Explore shows step by step how the noise is found."
_PATIENCE = 3  # seconds of loading after which an explanation is shown
_FIRST_TIME = ". The first run on a computer compiles code for its processor, which takes a while; later runs skip it."
MEANING = "Evaluations of f, time, residual ‖g‖/‖f(z)‖ and estimated noise level of the iterate."


class RunSummary(QLabel):
    """The line below the picture, on the shown iterate and the whole run."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runSummary")
        self.setAccessibleName("State of the run")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)  # otherwise the text would set the least width of the window
        self._session = session
        self._choice = self._warning = ""
        self._plain = False
        self._since = QElapsedTimer()
        self._clock = QTimer(self, interval=1000)
        self._clock.timeout.connect(self._show_state)
        session.subjectChanged.connect(self._show_state)
        session.runChanged.connect(self._show_state)
        session.iterateAdded.connect(self._show_state)
        session.progressed.connect(self._show_state)
        session.indexChanged.connect(self._show_state)
        session.controller.ended.connect(self._show_state)
        session.controller.pausedChanged.connect(self._show_state)
        session.controller.runningChanged.connect(lambda running: self._show_state() if running else None)
        session.controller.failed.connect(self._show_failure)
        self._show_state()

    def _show_state(self) -> None:
        session = self._session
        run, trajectory, index = session.run, session.trajectory, session.index
        if run is None or run.over or trajectory is not None:
            self._clock.stop()
        self.setToolTip(MEANING)
        if self._plain:
            self._show_photo()
        elif trajectory is not None and index >= 0:
            self.setText(summary(trajectory, index, paused=session.controller.paused))
            self.setToolTip(explanation(trajectory))
        elif run is not None and not run.over:
            network = short_name(run.settings.model)
            self.setText(
                self._loading(network) if trajectory is None else f"Denoising the whole photo with {network} …"
            )
        else:
            ready = f"Ready. {self._choice or _READY}"
            self.setText(ready if session.workspace.photo else "Open a photo.")

    def _loading(self, network: str) -> str:
        """Return the text shown before the first iterate, with the time so far; it is updated every second."""
        if not self._clock.isActive():
            self._since.start()
            self._clock.start()
        seconds = self._since.elapsed() // 1000
        why = "" if seconds < _PATIENCE else _FIRST_TIME
        return f"Loading {network} … {seconds} s{why}"

    def _show_photo(self) -> None:
        session, run = self._session, self._session.run
        photo, noise = session.workspace.photo, session.workspace.noise
        self.setToolTip("How large the photo is, how long it took, and the strength of its noise (0–255 scale).")
        if photo is None:
            self.setText("Open a photo.")
        elif run is None:
            level = "" if noise is None else f" Its noise level is about {noise.level:.1f}."
            self.setText(self._warning or f"{photo.name}, {size(photo)}.{level} Denoise removes the noise.")
        else:
            paused = run is session.controller.run and session.controller.paused
            self.setText(photo_summary(run, paused=paused))

    def show_plainly(self, plain: bool) -> None:
        """Report on the photo instead of the solver, or on the solver again."""
        self._plain = plain
        self._show_state()

    def show_choice(self, reason: str, *, warns: bool = False) -> None:
        """Set the reason for the choice of network, which is shown while there is no run to report on."""
        self._choice, self._warning = reason, reason if warns else ""
        self._show_state()

    def _show_failure(self) -> None:
        self.setText("The run failed.")


def summary(trajectory: Trajectory, index: int, *, paused: bool = False) -> str:
    """Return the figures of an iterate and of the whole run, in one line."""
    iterate, last = trajectory[index], trajectory[-1]
    state = str(trajectory.stop_reason or ("paused" if paused else "running …"))
    residual = scientific(iterate.residual) if math.isfinite(iterate.residual) else "not finite"
    return (
        f"Iterate {index}: residual {residual}, noise level {iterate.noise_level:.1f}"
        f"  |  {_evaluations(last.evaluations)}{_start(trajectory)} · {last.seconds:.1f} s · {state}, "
        f"result {trajectory.result}{_slowness(trajectory)}"
    )


def explanation(trajectory: Trajectory) -> str:
    """Return the meaning of the line's figures, and how the start of the run compares with others."""
    sentences = [MEANING]
    if trajectory.notice:
        sentences.append(trajectory.notice)
    if path := _path(trajectory):
        sentences.append(str(path))
    if saving := _saving(trajectory):
        first = trajectory.earlier_runs[0]
        photo = first["photo"]
        noise = "" if photo["sigma"] is None else f"σ {photo['sigma']:g}, "
        sentences.append(
            f"Started from the last equilibrium, this run reached residual {scientific(saving.residual)} after "
            f"{_evaluations(saving.evaluations)}; the last run from zero ({photo['name']}, {noise}q {first['window']}, "
            f"{first['precision']}) took {saving.from_zero}."
        )
    return "\n".join(sentences)


def _evaluations(count: int) -> str:
    return f"{count} evaluation{'' if count == 1 else 's'}"


def _path(trajectory: Trajectory) -> Status | None:
    """Return whether the run's code is compiled, and if not why; None on an accelerator, which needs no such code."""
    device = trajectory.settings.device
    return (trajectory.compiled or status(device)) if device == "cpu" else None


def _slowness(trajectory: Trajectory) -> str:
    """Return a remark that the run lacks compiled code; empty if the run has it."""
    path = _path(trajectory)
    return "" if path is None or path.compiled else f" · no compiled code: takes {SLOWER} times as long"


def _saving(trajectory: Trajectory) -> Saving | None:
    """Return what the start saved, once the run has ended by itself."""
    cut_short = (None, StopReason.CANCELLED, StopReason.FAILED)
    return trajectory.saving() if trajectory.stop_reason not in cut_short else None


def _start(trajectory: Trajectory) -> str:
    """Return what the start at the last equilibrium saved, or that the run started from zero; empty otherwise."""
    if trajectory.notice:
        return " from zero"
    if not trajectory.earlier_runs:
        return ""
    saving = _saving(trajectory)
    if saving is None:
        return " from the last equilibrium"
    # A run that continued beyond the residual that both runs reached is compared at that residual, not at its end.
    there = "" if saving.evaluations == trajectory[-1].evaluations else f" to {scientific(saving.residual)}"
    if saving.saved == 0:
        return f", as many as from zero{there}"
    return f", {abs(saving.saved)} {'fewer' if saving.saved > 0 else 'more'} than from zero{there}"
