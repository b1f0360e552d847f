"""The progress bar of a run."""

from PySide6.QtWidgets import QProgressBar, QWidget

from nerd_gui.window.session.session import Session


class RunProgress(QProgressBar):
    """The number of steps taken out of the most allowed; invisible, but with its space kept, while nothing runs."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runProgress")
        self.setAccessibleName("Progress of the run")
        self.setFixedHeight(4)
        self.setTextVisible(False)
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        self.hide()
        self._session = session
        session.controller.runningChanged.connect(self._show_run)
        session.iterateAdded.connect(self.setValue)

    def _show_run(self, running: bool) -> None:
        run = self._session.run
        if running and run is not None:
            self.setRange(0, run.settings.max_iter)
            self.setValue(0)
        self.setVisible(running and run is not None and not run.in_tiles)
