"""The window: one current iterate, and every view that shows it."""

from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QSettings, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QLabel, QMainWindow, QProgressBar, QSplitter, QToolBar, QVBoxLayout, QWidget

from nerd_gui.denoising import RunError, RunSettings, Subject, Trajectory
from nerd_gui.equilibrium import StopReason
from nerd_gui.imaging import sample_names
from nerd_gui.window import preferences
from nerd_gui.window.actions import Actions
from nerd_gui.window.attention.inspector import AttentionInspector
from nerd_gui.window.attention.panel import AttentionPanel
from nerd_gui.window.curves.panel import Curves
from nerd_gui.window.files.export_dialogs import ExportDialogs
from nerd_gui.window.files.open_dialogs import OpenDialogs
from nerd_gui.window.icons import program_icon
from nerd_gui.window.messages import Messages
from nerd_gui.window.picture.iterate_pictures import noise_of, picture_of
from nerd_gui.window.picture.layers import Layer
from nerd_gui.window.picture.view import PictureView
from nerd_gui.window.run_bar import summary as run_summary
from nerd_gui.window.run_bar.controls import NoiseControls, RunControls
from nerd_gui.window.screen import scrolled
from nerd_gui.window.scrubber.scrubber import Scrubber
from nerd_gui.window.session.run_controller import RunController
from nerd_gui.window.session.workspace import Workspace
from nerd_gui.window.wheel import turn_only_with_focus

#: Of the window where nothing is remembered and the screen has room.
FIRST_SIZE = QSize(1320, 860)


class MainWindow(QMainWindow):
    """Open a photo, watch its equilibrium form, scrub, click, save.

    Parameters
    ----------
    photo_path : Path or str, optional
        Photo to open, not run. Without one, a sample is opened and runs at once.
    model : str, optional
        Network to choose at the start.
    settings : QSettings, optional
        Where sizes and choices are remembered; the person's own if left out.
    """

    def __init__(
        self,
        photo_path: Path | str | None = None,
        *,
        model: str | None = None,
        settings: QSettings | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("mainWindow")
        self.setWindowIcon(program_icon())
        self.setAcceptDrops(True)
        self.preferences = preferences.Preferences(settings)
        self.workspace = Workspace(self)
        self.controller = RunController(self)
        self.messages = Messages(self)
        self.noise, self.controls = NoiseControls(), RunControls(model)
        self.picture_view, self.scrubber = PictureView(), Scrubber()
        self.curves, self.attention_panel = Curves(), AttentionPanel()
        self.inspector = AttentionInspector(self.controller, self.picture_view, self.attention_panel, self)
        self.actions_ = Actions(self)
        self.open_dialogs = OpenDialogs(self, self.workspace, self.controls.model, self.preferences, self.messages)
        self.export_dialogs = ExportDialogs(self, self.controller, self.scrubber, self.curves, self.messages)
        self._reference: Trajectory | None = None
        self._build()
        self._connect()
        self.preferences.restore(self)
        self._update_enabled()
        self._on_index(-1)
        if photo_path is not None:
            # Once the event loop turns, so that a bad file meets a window that can say so.
            QTimer.singleShot(0, self, lambda: self.open_dialogs.open_file(Path(photo_path)))
        else:
            self.workspace.open_sample(sample_names()[0])
            QTimer.singleShot(0, self, self._run_if_possible)

    # ---- construction -------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.banner = QLabel()
        self.banner.setObjectName("regionBanner")
        self.banner.setWordWrap(True)
        self.banner.setMargin(6)
        self.summary = QLabel()
        self.summary.setObjectName("runSummary")
        self.summary.setAccessibleName("State of the run")
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.summary.setWordWrap(True)  # its text must not set the least width of the window
        self.progress = QProgressBar()
        self.progress.setObjectName("runProgress")
        self.progress.setAccessibleName("Progress of the run")
        self.progress.setFixedHeight(4)
        self.progress.setTextVisible(False)
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(policy)
        self.progress.hide()
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(8, 4, 4, 6)
        column.setSpacing(4)
        column.addWidget(self.banner)
        column.addWidget(self.picture_view, 1)
        column.addWidget(self.scrubber)
        column.addWidget(self.progress)
        column.addWidget(self.summary)
        self.right = QSplitter(Qt.Orientation.Vertical)
        self.right.setObjectName("rightSplitter")
        self.right.addWidget(self.curves)
        self.right.addWidget(self.attention_panel)
        self.right.setStretchFactor(0, 3)
        self.right.setStretchFactor(1, 2)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("mainSplitter")
        self.splitter.addWidget(left)
        self.splitter.addWidget(scrolled(self.right))
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setChildrenCollapsible(False)
        self.setCentralWidget(self.splitter)
        bar = QToolBar("Run")
        bar.setObjectName("mainToolBar")
        bar.setMovable(False)
        self.actions_.fill_samples(self.open_dialogs.open_sample)
        self.actions_.fill_tool_bar(bar, self.noise, self.controls)
        self.actions_.colour(self)
        self.addToolBar(bar)
        turn_only_with_focus(self)
        self.resize(FIRST_SIZE)
        self.splitter.setSizes([800, 520])
        self.right.setSizes([460, 340])

    def _connect(self) -> None:
        do = self.actions_
        do.open.triggered.connect(self.open_dialogs.ask_photo)
        do.open_clean.triggered.connect(self.open_dialogs.ask_clean)
        do.recent.aboutToShow.connect(lambda: self.open_dialogs.fill_recent(do.recent))
        do.run.triggered.connect(self.run)
        do.stop.triggered.connect(lambda _: self.controller.stop())
        do.region.triggered.connect(self._choose_region)
        do.clear_pins.triggered.connect(self.inspector.clear_pins)
        do.compare_runs.toggled.connect(self._show_reference)
        do.hold.triggered.connect(self._hold_iterate)
        do.shortcuts.triggered.connect(self.messages.show_shortcuts)
        do.about.triggered.connect(self.messages.show_about)
        do.quit.triggered.connect(self.close)
        do.export.triggered.connect(self.export_dialogs.ask_iterate)
        do.export_all.triggered.connect(self.export_dialogs.ask_all_iterates)
        do.export_noise.triggered.connect(self.export_dialogs.ask_noise)
        do.export_curves.triggered.connect(self.export_dialogs.ask_curves)
        do.export_report.triggered.connect(self.export_dialogs.ask_report)
        do.schemes.triggered.connect(self._on_scheme)
        self.workspace.photoChanged.connect(self._on_photo)
        self.workspace.subjectChanged.connect(self._on_subject)
        self.controls.channel.currentIndexChanged.connect(self._on_channel)
        self.noise.changed.connect(self._on_noise)
        self.controls.modelChanged.connect(self._update_enabled)
        self.controls.model.checkpointWanted.connect(self.open_dialogs.ask_checkpoint)
        self.controller.started.connect(self._on_started)
        self.controller.prepared.connect(self._on_prepared)
        self.controller.noticed.connect(lambda notice: self.statusBar().showMessage(notice, 8000))
        self.controller.iterateAdded.connect(self._on_iterate_added)
        self.controller.planned.connect(self.statusBar().showMessage)
        self.controller.ended.connect(self._on_ended)
        self.controller.failed.connect(self._on_failed)
        self.controller.runningChanged.connect(self._update_enabled)
        self.scrubber.indexChanged.connect(self._on_index)
        self.curves.exportRequested.connect(self.export_dialogs.ask_curves)
        self.curves.iterateRequested.connect(self.scrubber.set_index)
        self.picture_view.regionChosen.connect(self._on_region)
        self.picture_view.regionCancelled.connect(self._show_subject)

    # ---- the subject --------------------------------------------------------------------------------------------

    def _on_photo(self) -> None:
        workspace = self.workspace
        assert workspace.photo is not None
        self._reference = None
        self.noise.show_photo(add_noise=workspace.add_noise, estimated_sigma=workspace.estimated_sigma)
        self.controls.channel.setVisible(workspace.photo.channels == 3)
        self.controls.channel.setCurrentIndex(0)
        self.setWindowTitle(f"{workspace.photo.name} — NERD GUI")
        self._on_noise()
        self._on_subject()
        better = None if workspace.add_noise else self.controls.model.better_for_photos(workspace.photo.channels)
        if better is not None:
            self.statusBar().showMessage(
                f"Opened as noisy already. For the noise that cameras make there is the network {better}.", 15_000
            )

    def _on_channel(self) -> None:
        channel = self.controls.channel.currentData()
        self.curves.set_channel(channel)
        self.inspector.set_channel(channel)

    def _on_noise(self) -> None:
        noise = self.noise
        self.workspace.set_noise(add_noise=noise.adds_noise, sigma=noise.sigma.value(), seed=noise.seed.value())

    def _on_subject(self) -> None:
        """Another picture to run: what the last run found belongs to another one."""
        self.controller.forget()
        self.curves.set_trajectory(None)
        self.scrubber.reset()
        self.inspector.clear_pins()
        self._show_subject()
        self._update_enabled()

    def _show_subject(self) -> None:
        """Show what a run would start from."""
        if self.workspace.photo is None:
            return
        try:
            subject = self.workspace.subject()
        except RunError as error:
            self.messages.show_error(str(error))
            return
        self._show_subject_layers(subject.noisy, subject.clean)
        self._show_banner()
        self._on_index(self.scrubber.index)

    def _show_subject_layers(self, noisy: np.ndarray, clean: np.ndarray | None) -> None:
        """Show what a run starts from, and nothing of an earlier run."""
        self.picture_view.set_picture(Layer.NOISY, noisy)
        self.picture_view.set_picture(Layer.CLEAN, clean)
        for layer in (Layer.ITERATE, Layer.COMPARED, Layer.NOISE, Layer.RESULT):
            self.picture_view.set_picture(layer, None)
        self.picture_view.set_region(None)

    def _show_banner(self) -> None:
        workspace = self.workspace
        self.banner.setVisible(workspace.needs_region)
        if workspace.needs_region and workspace.photo is not None and workspace.region is not None:
            photo, (row, col, rows, cols) = workspace.photo, workspace.region
            megapixels = photo.rows * photo.cols / 1e6
            self.banner.setText(
                f"A photo of {megapixels:.1f} megapixels: its region of {cols} × {rows} pixels at column {col}, "
                f"row {row} is run. Region (Ctrl+R) chooses another one."
            )

    def _choose_region(self) -> None:
        """Show the whole photo and let the person click where to run."""
        photo = self.workspace.photo
        if photo is None:
            return
        self._show_subject_layers(photo.pixels, None)
        if self.workspace.region is not None:
            self.picture_view.set_region(*self.workspace.region)
        self.picture_view.choose_region(*self.workspace.region_size())
        self.statusBar().showMessage("Click where to run; Esc keeps the region.", 8000)

    def _on_region(self, row: int, col: int, rows: int, cols: int) -> None:
        self.workspace.set_region((row, col, rows, cols))
        self._show_subject()

    # ---- the run ------------------------------------------------------------------------------------------------

    def _run_if_possible(self) -> None:
        if self.actions_.run.isEnabled():
            self.run()

    def run(self) -> None:
        """Start a run of what is on the table."""
        try:
            subject, settings = self.workspace.subject(), self.controls.settings()
        except RunError as error:
            self.messages.show_error(str(error))
            return
        self._reference = self.controller.trajectory
        self.controller.start(subject, settings)

    def _on_started(self, subject: Subject, settings: RunSettings) -> None:
        self.scrubber.reset()
        self._show_subject_layers(subject.noisy, subject.clean)
        self._on_index(-1)
        self.progress.setRange(0, settings.max_iter)
        self.progress.setValue(0)
        self.progress.show()
        self.summary.setText(f"Loading {_model_label(settings)} …")

    def _on_prepared(self, trajectory: Trajectory) -> None:
        self.curves.set_trajectory(trajectory)  # not before: the plots would come and go
        self._show_reference(self.actions_.compare_runs.isChecked())

    def _on_iterate_added(self, index: int) -> None:
        trajectory = self.controller.trajectory
        assert trajectory is not None
        self.progress.setValue(index)
        self.curves.refresh()
        restarted = [iterate.index for iterate in trajectory.iterates if iterate.restarted]
        self.scrubber.set_marks(trajectory.result, restarted)
        self.picture_view.set_picture(Layer.RESULT, picture_of(trajectory, trajectory.result))
        self.picture_view.set_caption(Layer.RESULT, f"result (iterate {trajectory.result})")
        self.scrubber.set_maximum(index)
        self._show_summary()
        self._update_enabled()

    def _on_ended(self, reason: StopReason | None) -> None:
        self._show_end()
        self._show_summary()

    def _on_failed(self, sentence: str, details: str) -> None:
        self._show_end()
        self.summary.setText("The run failed.")
        self.messages.show_error(sentence, details)

    def _show_end(self) -> None:
        self.progress.hide()
        if self.controller.trajectory is None:  # the run was never prepared
            self.curves.set_trajectory(None)
        self.curves.refresh()

    def _show_reference(self, shown: bool) -> None:
        reference = self._reference if shown and self._reference is not None and len(self._reference) else None
        label = f"{reference.settings.solver}, {_model_label(reference.settings)}" if reference else ""
        self.curves.set_reference(reference, label)

    # ---- the current iterate ------------------------------------------------------------------------------------

    def _on_index(self, index: int) -> None:
        """Show one iterate everywhere."""
        trajectory = self.controller.trajectory
        if trajectory is not None and 0 <= index < len(trajectory):
            iterate = trajectory[index]
            score = "" if iterate.psnr is None else f" · {iterate.psnr:.2f} dB"
            self.picture_view.set_picture(Layer.ITERATE, picture_of(trajectory, index))
            self.picture_view.set_caption(Layer.ITERATE, f"iterate {index}{score}")
            self.picture_view.set_picture(Layer.NOISE, noise_of(trajectory, index))
            self.picture_view.set_caption(Layer.NOISE, f"noise estimate {index}")
            self.curves.set_index(index)
        self.inspector.set_index(index)
        self._show_summary()

    def _hold_iterate(self) -> None:
        """Keep the shown iterate in view as “iterate j”, to compare others with."""
        trajectory, index = self.controller.trajectory, self.scrubber.index
        if trajectory is not None and 0 <= index < len(trajectory):
            self.picture_view.set_picture(Layer.COMPARED, picture_of(trajectory, index))
            self.picture_view.set_caption(Layer.COMPARED, f"held: iterate {index}")
            self.picture_view.set_compare(self.picture_view.compare()[0], Layer.COMPARED, Layer.ITERATE)

    def _show_summary(self) -> None:
        trajectory, index = self.controller.trajectory, self.scrubber.index
        if trajectory is None or not 0 <= index < len(trajectory):
            self.summary.setToolTip(run_summary.MEANING)
            if trajectory is None and not self.controller.running:
                self.summary.setText("Ready. Run finds the equilibrium." if self.workspace.photo else "Open a photo.")
            return
        self.summary.setText(run_summary.summary(trajectory, index))
        self.summary.setToolTip(run_summary.explanation(trajectory))

    # ---- the window itself --------------------------------------------------------------------------------------

    def _update_enabled(self) -> None:
        do, running = self.actions_, self.controller.running
        trajectory = self.controller.trajectory
        has_photo, has_model = self.workspace.photo is not None, self.controls.model.network is not None
        do.run.setEnabled(has_photo and has_model and not running)
        do.stop.setEnabled(running)
        do.region.setEnabled(self.workspace.needs_region and not running)
        do.open_clean.setEnabled(has_photo)
        for action in do.exports:
            action.setEnabled(trajectory is not None and len(trajectory) > 0)
        if not has_model:
            self.statusBar().showMessage("No trained network is there; open a checkpoint from the list of networks.")

    def _on_scheme(self, action: QAction) -> None:
        QGuiApplication.styleHints().setColorScheme(action.data())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Forward the scrubber's keys from wherever the focus is."""
        if not self.scrubber.handle_key(event):
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept a file."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the first file that was dropped."""
        files = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            self.open_dialogs.open_file(Path(files[0]))

    def changeEvent(self, event: QEvent) -> None:
        """Redraw the icons when the colours change."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "actions_"):
            self.actions_.colour(self)
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the window and end its threads."""
        self.preferences.save(self)
        self.hide()  # at once, though the solver may be in the middle of an evaluation
        self.controller.wait()
        super().closeEvent(event)


def _model_label(settings: RunSettings) -> str:
    return Path(settings.model).stem
