"""The window of the queue: the list of photos, the choices, the progress and the results."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nerd_gui.denoising import RunError
from nerd_gui.denoising.photo_files import Treatment
from nerd_gui.denoising.time_left import about
from nerd_gui.imaging import PhotoError
from nerd_gui.window.described import described
from nerd_gui.window.files.open_dialogs import ask_folder, ask_photos, dropped_files
from nerd_gui.window.messages import Messages, question_box
from nerd_gui.window.queue.choices import QueueChoices
from nerd_gui.window.queue.queue import Phase, PhotoQueue
from nerd_gui.window.queue.table import PHOTO, QueueTable
from nerd_gui.window.run_bar.model_choice import ModelChoice

_MOST = 1000  # maximum value of the progress bar
_MOST_REASONS = 6  # lines shown at most; beyond that, the text scrolls


class QueueDialog(QDialog):
    """Shows a queue of photos and controls it; the queue continues when this window is closed.

    Parameters
    ----------
    models : ModelChoice
        The window's list of networks.
    treatment : callable
        Returns the treatment of each photo, given the name of a network.

    Signals
    -------
    openWanted : Path
        A person wants to open a photo or a result in the main window.
    """

    openWanted = Signal(object)

    def __init__(
        self, parent: QWidget, models: ModelChoice, treatment: Callable[[str], Treatment], messages: Messages
    ) -> None:
        super().__init__(parent)
        self.setObjectName("queueDialog")
        self.setWindowTitle("Queue of photos")
        self.setAcceptDrops(True)
        self.queue = PhotoQueue(self)
        self._treatment = treatment
        self._messages = messages
        self.table, self.choices = QueueTable(self.queue), QueueChoices(models)
        self._make_words()
        self._make_buttons()
        self._lay_out()
        self._connect()
        self.resize(780, 520)
        self._show_list()

    # ---- construction -------------------------------------------------------------------------------------------

    def _make_words(self) -> None:
        self.hint = QLabel("Drop photos or folders here.")
        self.hint.setObjectName("queueHint")
        self.note = QLabel()
        self.note.setObjectName("queueNote")
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.status = QLabel()
        self.status.setObjectName("queueStatus")
        self.bar = described(QProgressBar(), "queueProgress", "Progress of the queue", "How many photos are done.")
        self.bar.setRange(0, _MOST)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.reasons = described(
            QPlainTextEdit(), "queueReasons", "Why photos failed", "The photos that were not denoised, and why."
        )
        self.reasons.setReadOnly(True)

    def _make_buttons(self) -> None:
        def button(text: str, name: str, tip: str) -> QPushButton:
            made = described(QPushButton(text), name, text.rstrip("…"), tip)
            made.setAutoDefault(False)
            return made

        self.add_photos = button("Add photos…", "queueAddButton", "Add photos to the end of the list.")
        self.add_folder = button("Add folder…", "queueAddFolderButton", "Add all photos of a folder to the list.")
        self.remove = button("Remove", "queueRemoveButton", "Remove the selected photos from the list (Delete).")
        self.start = button("Start", "queueStartButton", "Denoise the photos one after another.")
        self.start.setDefault(True)
        self.pause = button("Pause", "queuePauseButton", "Pause the queue, even in the middle of a photo.")
        self.stop = button(
            "Stop", "queueStopButton", "Stop and discard the unfinished photo; saved results stay. Start continues."
        )
        for one in (self.start, self.pause, self.stop):
            one.setMinimumWidth(84)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for one in (self.add_photos, self.add_folder, self.remove):
            buttons.addWidget(one)
        buttons.addStretch(1)
        for one in (self.start, self.pause, self.stop):
            buttons.addWidget(one)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        inside = QVBoxLayout(self.table)
        inside.addWidget(self.hint, 0, Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self.table, 1)
        column.addWidget(self.note)
        column.addWidget(self.reasons)
        column.addWidget(self.choices)
        column.addWidget(self.bar)
        column.addWidget(self.status)
        column.addLayout(buttons)

    def _connect(self) -> None:
        queue = self.queue
        queue.listChanged.connect(self._show_list)
        queue.phaseChanged.connect(self._show_phase)
        queue.progressed.connect(self._show_progress)
        queue.ended.connect(self._on_ended)
        self.choices.folderWanted.connect(self._ask_folder)
        self.choices.skip.toggled.connect(self._show_phase)
        self.table.openWanted.connect(self._open)
        self.table.removeWanted.connect(self._remove)
        self.table.selectionModel().selectionChanged.connect(self._show_phase)
        self.add_photos.clicked.connect(self._ask_photos)
        self.add_folder.clicked.connect(self._ask_photo_folder)
        self.remove.clicked.connect(self._remove)
        self.start.clicked.connect(self._start)
        self.pause.clicked.connect(lambda: queue.pause(queue.phase is not Phase.PAUSED))
        self.stop.clicked.connect(queue.stop)

    # ---- adding photos ------------------------------------------------------------------------------------------

    def add(self, paths: Sequence[Path]) -> None:
        """Add photos and folders to the list, and show the window."""
        try:
            self.queue.add(paths)
        except PhotoError as error:
            self._messages.show_error(str(error))
        else:
            self.present()
            self.start.setFocus()

    def present(self) -> None:
        """Show the window in front of the others."""
        self.show()
        self.raise_()
        self.activateWindow()

    def _ask_photos(self) -> None:
        if paths := ask_photos(self, "Add photos", self._last_folder):
            self.add(paths)

    def _ask_photo_folder(self) -> None:
        if folder := ask_folder(self, "Add the photos of a folder", self._last_folder):
            self.add([folder])

    @property
    def _last_folder(self) -> Path | None:
        return self.queue.items[-1].job.source.parent if self.queue.items else None

    def _ask_folder(self) -> None:
        if folder := ask_folder(self, "The folder for the denoised photos", self.queue.folder):
            self.queue.set_folder(folder)

    def _remove(self) -> None:
        self.queue.remove(self.table.chosen)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept files and folders."""
        if dropped_files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add the dropped files and folders to the list."""
        if paths := dropped_files(event.mimeData()):
            event.acceptProposedAction()
            self.add(paths)

    # ---- running ------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        skip = self.choices.skip.isChecked()
        existing = 0 if skip else self.queue.existing
        if existing and not self._may_replace(existing):
            return
        try:
            treatment = self._treatment(self.choices.network.currentData())
            self.queue.start(treatment, skip_existing=skip, overwrite=bool(existing))
        except RunError as error:
            self._messages.show_error(str(error))

    def _may_replace(self, existing: int) -> bool:
        words = "One of the results is" if existing == 1 else f"{existing} of the results are"
        question = f"{words} in “{self.queue.folder}” already. Denoise these photos again and replace the results?"
        return self._box("queueReplaceDialog", question, "Replace", "Cancel").exec() == QMessageBox.StandardButton.Yes

    def _box(self, name: str, question: str, yes: str, no: str, parent: QWidget | None = None) -> QMessageBox:
        box = question_box(name, question, parent or self)
        box.setWindowTitle("Queue of photos")
        box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No)
        box.button(QMessageBox.StandardButton.Yes).setText(yes)
        box.button(QMessageBox.StandardButton.No).setText(no)
        box.setDefaultButton(QMessageBox.StandardButton.No)
        return box

    def may_close(self, window: QWidget) -> bool:
        """Whether the program may end. While the queue is running, ask the person; a yes then closes the window."""
        if self.queue.phase in (Phase.IDLE, Phase.STOPPING):
            return True
        if window.findChild(QMessageBox, "queueCloseDialog") is None:
            question = (
                f"{self.queue.done} of the {len(self.queue.items)} photos in the queue are done. Saved results stay, "
                "but the unfinished photo is discarded. Stop the queue and close?"
            )
            box = self._box("queueCloseDialog", question, "Stop and close", "Keep working", window)

            def answered(answer: int) -> None:
                if answer == QMessageBox.StandardButton.Yes:
                    self.queue.stop()
                    window.close()

            box.finished.connect(answered)
            box.open()
        return False

    def end(self) -> None:
        """Stop the queue, and return when its thread has ended; called when the program ends."""
        self.hide()
        self.queue.wait()

    def _on_ended(self) -> None:
        self._messages.say(f"Queue: {self.queue.summary}", 20_000)

    def _open(self, index: QModelIndex) -> None:
        item = self.queue.items[index.row()]
        result_is_there = item.state in ("saved", "skipped") and index.column() != PHOTO
        self.openWanted.emit(item.job.target if result_is_there else item.job.source)

    # ---- showing ------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Update the list of networks."""
        self.choices.refresh()
        super().showEvent(event)

    def _show_list(self) -> None:
        queue = self.queue
        self.hint.setVisible(not queue.items)
        self.note.setText(queue.note)
        self.note.setVisible(bool(queue.note))
        self.choices.folder.show_path(queue.folder)
        failed = [item for item in queue.items if item.state == "failed"]
        lines = [f"{item.job.source.name}: {item.reason}\n{item.details}".rstrip() for item in failed]
        self.reasons.setPlainText("\n".join(lines))
        rows = min(_MOST_REASONS, max(2, self.reasons.blockCount()))
        self.reasons.setFixedHeight(rows * self.reasons.fontMetrics().lineSpacing() + 12)
        self.reasons.setVisible(bool(failed) and queue.phase is Phase.IDLE)
        self._show_phase()

    def _show_phase(self) -> None:
        queue, phase = self.queue, self.queue.phase
        idle, unfinished = phase is Phase.IDLE, queue.unfinished
        self.start.setEnabled(idle and bool(unfinished or (queue.items and not self.choices.skip.isChecked())))
        again = unfinished and all(item.state == "failed" for item in unfinished)
        self.start.setText("Try again" if idle and again else "Start")
        self.pause.setEnabled(phase in (Phase.WORKING, Phase.HELD, Phase.PAUSED))
        self.pause.setText("Continue" if phase is Phase.PAUSED else "Pause")
        self.stop.setEnabled(phase in (Phase.WORKING, Phase.HELD, Phase.PAUSED))
        self.remove.setEnabled(bool(self.table.chosen))
        self.choices.setEnabled(idle)
        self._show_progress()

    def _show_progress(self) -> None:
        self.bar.setValue(round(_MOST * self.queue.fraction))
        self.status.setText(self.words())

    def words(self) -> str:
        """Return the progress of the queue as one line."""
        queue = self.queue
        if queue.phase is not Phase.IDLE:
            return self._far()
        if queue.done:
            return queue.summary
        count = len(queue.items)
        return "" if not count else "1 photo waits." if count == 1 else f"{count} photos wait."

    def _far(self) -> str:
        queue = self.queue
        far = f"{queue.done} of {len(queue.items)} photos done"
        if queue.phase is Phase.WORKING:
            left = queue.seconds_left
            return far if left is None else f"{far}, about {about(left)} left"
        now = {
            Phase.PAUSED: "paused",
            Phase.HELD: "waiting until the run in the window has ended",
            Phase.STOPPING: "stopping",
        }
        return f"{far}, {now[queue.phase]}"


class QueueButton(QToolButton):
    """A button in the status line that shows the progress of a running queue; a click shows the queue."""

    def __init__(self, dialog: QueueDialog, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(self, "queueButton", "Queue of photos", "Show the queue of photos.")
        self.setAutoRaise(True)
        self._dialog = dialog
        self.clicked.connect(dialog.present)
        dialog.queue.phaseChanged.connect(self._show)
        dialog.queue.progressed.connect(self._show)
        self._show()

    def _show(self) -> None:
        self.setVisible(self._dialog.queue.phase is not Phase.IDLE)
        self.setText(f"Queue: {self._dialog.words()}")
