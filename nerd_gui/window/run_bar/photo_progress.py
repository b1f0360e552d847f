"""The progress of a whole photo, the time left, and the button that pauses and continues it."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QToolButton, QWidget

from nerd_gui.denoising import PhotoProgress
from nerd_gui.denoising.time_left import about
from nerd_gui.window.described import described
from nerd_gui.window.session.session import Session

_STEPS = 1000  # maximum value of the progress bar


class PhotoProgressRow(QWidget):
    """Shown while tiles are being solved, and afterwards as long as some are left.

    Parameters
    ----------
    pause : QAction
        Pauses the run, or continues it.
    """

    def __init__(self, session: Session, pause: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("photoProgressRow")
        self.setAccessibleName("Progress of the whole photo")
        self._session = session
        self._bar = described(
            QProgressBar(), "photoProgress", "Part of the photo that is denoised", "How much of the work is done."
        )
        self._bar.setRange(0, _STEPS)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(8)
        self._words = described(
            QLabel(),
            "photoProgressText",
            "How far the photo has come",
            "Megapixels that are done, and the time left, estimated from the finished parts.",
        )
        button = described(QToolButton(), "pauseButton", "Pause or continue", "")
        button.setDefaultAction(pause)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._bar, 1)
        row.addWidget(self._words)
        row.addWidget(button)
        for changed in (session.runChanged, session.trajectoryChanged, session.progressed):
            changed.connect(self._show_state)
        for told in (session.controller.runningChanged, session.controller.pausedChanged):
            told.connect(self._show_state)
        self._show_state()

    def _show_state(self) -> None:
        run, running = self._session.run, self._session.controller.running
        there = run is not None and run.in_tiles and (running or run.unfinished)
        self.setVisible(there)
        if not there or run is None:
            return
        progress, megapixels = run.progress, run.subject.photo.rows * run.subject.photo.cols / 1e6
        counted = not running or (progress is not None and progress.fraction > 0)
        self._bar.setRange(0, _STEPS if counted else 0)  # with maximum 0 the bar moves to and fro, to show activity
        self._bar.setValue(0 if progress is None else round(_STEPS * progress.fraction))
        done = _done(progress, megapixels)
        if not running:
            self._words.setText(f"Stopped · {done}")
        elif self._session.controller.paused:
            self._words.setText(f"Paused · {done}")
        elif progress is None:
            self._words.setText("Loading …")
        elif progress.phase == "sample":
            self._words.setText("Measuring the photo …")
        else:
            left = progress.seconds_left
            self._words.setText(done if left is None else f"{done} · about {about(left)} left")


def _done(progress: PhotoProgress | None, megapixels: float) -> str:
    share = 0.0 if progress is None else progress.done / progress.count
    return f"{share * megapixels:.1f} of {megapixels:.1f} megapixels"
