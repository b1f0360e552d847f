"""The main window: builds the views of one session, lays them out and connects the menu."""

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QSettings, QSize
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from nerd_gui.imaging import sample_names
from nerd_gui.window.actions import Actions
from nerd_gui.window.analyses.panel import AnalysesPanel
from nerd_gui.window.attention.panel import AttentionPanel
from nerd_gui.window.clipboard import Clipboard
from nerd_gui.window.curves.panel import Curves
from nerd_gui.window.edit_actions import EditActions
from nerd_gui.window.files.closing import Closing
from nerd_gui.window.files.export_dialogs import ExportDialogs
from nerd_gui.window.files.left_photos import offer_left_photos
from nerd_gui.window.files.open_dialogs import OpenDialogs, dropped_files
from nerd_gui.window.files.opener import PhotoOpener
from nerd_gui.window.files.opening_line import OpeningLine
from nerd_gui.window.files.preview_cover import PreviewCover
from nerd_gui.window.files.recent_files import RecentFiles
from nerd_gui.window.files.saver import Saver
from nerd_gui.window.files.saving_line import SavingLine
from nerd_gui.window.files.session_files import SessionFiles, View
from nerd_gui.window.icons import program_icon
from nerd_gui.window.intentions import Intentions
from nerd_gui.window.layout import Layout, tools
from nerd_gui.window.look.panel import LookPanel
from nerd_gui.window.messages import Messages
from nerd_gui.window.modes import Mode, Modes
from nerd_gui.window.notice_bar import NoticeBar
from nerd_gui.window.picture.region_banner import RegionBanner
from nerd_gui.window.picture.view import PictureView
from nerd_gui.window.preferences import Preferences
from nerd_gui.window.queue.dialog import QueueButton, QueueDialog
from nerd_gui.window.run_bar.channel import ChannelRow
from nerd_gui.window.run_bar.controls import NoiseControls, RunControls
from nerd_gui.window.run_bar.differences import Differences
from nerd_gui.window.run_bar.notices import Notices
from nerd_gui.window.run_bar.photo_progress import PhotoProgressRow
from nerd_gui.window.run_bar.progress import RunProgress
from nerd_gui.window.run_bar.summary import RunSummary
from nerd_gui.window.runs.panel import RunsPanel
from nerd_gui.window.scrub_keys import ScrubKeys
from nerd_gui.window.scrubber.scrubber import Scrubber
from nerd_gui.window.session.analyst import Analyst
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session
from nerd_gui.window.strip.film_strip import FilmStrip
from nerd_gui.window.style.scheme import dress, set_colour_scheme
from nerd_gui.window.wheel import turn_only_with_focus

#: The window's size at the first start, on a screen with room for it.
FIRST_SIZE = QSize(1320, 860)
_LAYOUT_PASSES = 8  # more than the depth of nested layouts, each of which may ask the one around it for room


class MainWindow(QMainWindow):
    """Shows a photo and the runs of it: open, watch the equilibrium form, scrub, click, save.

    Parameters
    ----------
    photo_path : Path or str, optional
        The photo to open, which is not run. Without one, a sample is opened and runs at once.
    model : str, optional
        The network to choose at the start.
    settings : QSettings, optional
        Where sizes and choices are remembered; by default the person's own settings.

    Attributes
    ----------
    session : Session
        The open photo, its runs, and what of them is shown.

    Examples
    --------
    >>> from PySide6.QtWidgets import QApplication
    >>> application = QApplication.instance() or QApplication([])
    >>> window = MainWindow("photo.png")
    >>> window.show()
    >>> window.session.trajectory is None  # nothing has been run yet
    True
    >>> application.exec()  # returns when the window is closed  # doctest: +SKIP
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
        store = settings or QSettings("NERD GUI", "nerd-gui")
        self.preferences, self.recent_files = Preferences(store), RecentFiles(store)
        dress()
        if self.preferences.scheme is not None:
            set_colour_scheme(self.preferences.scheme)  # before there are widgets that would have to change again
        self.setObjectName("mainWindow")
        self.setWindowIcon(program_icon())
        self.setAcceptDrops(True)
        self.messages = Messages(self)
        self.notice_bar = NoticeBar(self.messages)
        self.session = session = Session(self)
        self.noise, self.controls = NoiseControls(session), RunControls(session, model, self.preferences.network)
        self.picture_view, self.banner = PictureView(session), RegionBanner(session)
        self.look, self.film_strip = LookPanel(session), FilmStrip(session, self.picture_view)
        self.scrubber, self.progress, self.summary = Scrubber(session), RunProgress(session), RunSummary(session)
        self.curves, self.attention_panel = Curves(session), AttentionPanel(session)
        self.analyst = Analyst(session.controller, self)
        self.analyses = AnalysesPanel(session, self.analyst, self.messages)
        self.runs_panel, self.differences = RunsPanel(session), Differences(session, self.controls, self)
        self.intentions = Intentions(session, self.controls, self.messages, self)
        self.notices = Notices(session, self.controls.model, self.messages, self.intentions.run_again, self)
        self.modes = Modes(session, self)
        self.actions_ = Actions(self, session, self.analyst, self.controls.model, self.modes)
        self.clipboard = Clipboard(self, session, self.picture_view, self.curves, self.attention_panel, self.messages)
        self.edit_actions = EditActions(self, session, self.clipboard)
        self.photo_progress = PhotoProgressRow(session, self.actions_.pause)
        self.opener = PhotoOpener(self)
        self.preview_cover = PreviewCover(self.opener, self.picture_view.viewport())
        self.opening_line = OpeningLine(self.opener)
        self.open_dialogs = OpenDialogs(
            self, session.workspace, self.opener, self.controls.model, self.recent_files, self.messages
        )
        self.saver = Saver(self)
        self.saving_line = SavingLine(self.saver)
        self.queue = QueueDialog(self, self.controls.model, self.controls.treatment, self.messages)
        self._lay_out()
        views: dict[str, View] = {"mode": self.modes, "picture": self.picture_view, "side": self.layout_.pages}
        self.sessions = SessionFiles(self, session, views, self.open_dialogs, self.opener, self.saver, self.messages)
        self.export_dialogs = ExportDialogs(self, session, self.picture_view, self.curves, self.saver, self.messages)
        self.closing = Closing(self, session, self.sessions, self.export_dialogs, self.saver)
        self._connect()
        self.preferences.restore(self)
        if self.preferences.mode is not None:
            self.modes.choose(self.preferences.mode)
        if photo_path is not None:
            self.open_dialogs.open_file(Path(photo_path))
        else:
            self.open_dialogs.open_sample(sample_names()[0], then=self.actions_.run.trigger)

    # ---- construction -------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self.controls.settings_button.add_fields("Noise that is added", {"Seed": self.noise.seed})
        self.actions_.fill_samples(self.open_dialogs.open_sample)
        self.actions_.colour()
        self.addToolBar(tools(self.actions_, self.modes, self.noise, self.controls))
        self.layout_ = Layout(
            self.picture_view,
            above=[self.notice_bar, self.banner],
            exploring=[self.film_strip, self.scrubber],
            below=[self.look, self.photo_progress, self.progress, self.summary],
            heads=[self.runs_panel],
            panels=[(self.curves, 5), (self.attention_panel, 3)],
            analyses=self.analyses,
            parent=self,
        )
        self.runs_panel.add_beside_heading(ChannelRow(self.session))
        self.setCentralWidget(self.layout_)
        self.actions_.offer_pages([self.layout_.pages.curves, self.layout_.pages.analysis])
        self.statusBar().addPermanentWidget(QueueButton(self.queue))
        self.statusBar().addPermanentWidget(self.saving_line)
        self.statusBar().addPermanentWidget(self.opening_line)
        turn_only_with_focus(self)
        ScrubKeys(self, self.scrubber.handle_key)
        self.notice_bar.setFocusProxy(self.picture_view)
        self.picture_view.setFocus()
        self.resize(FIRST_SIZE)

    def _connect(self) -> None:
        do, session = self.actions_, self.session
        do.open.triggered.connect(self.open_dialogs.ask_photo)
        do.open_folder.triggered.connect(self.open_dialogs.ask_folder)
        do.queue.triggered.connect(self.queue.present)
        self.open_dialogs.severalChosen.connect(self.queue.add)
        self.queue.openWanted.connect(self._open_from_queue)
        session.controller.runningChanged.connect(self._hold_queue)
        self.analyst.changed.connect(self._hold_queue)
        do.open_session.triggered.connect(self.sessions.ask_open)
        do.save_session.triggered.connect(self.sessions.save)
        do.save_session_as.triggered.connect(self.sessions.save_as)
        self.open_dialogs.sessionChosen.connect(self.sessions.open)
        self.open_dialogs.networkLoaded.connect(session.controller.keep)
        self.sessions.changed.connect(self._show_title)
        do.open_clean.triggered.connect(self.open_dialogs.ask_clean)
        do.recent.aboutToShow.connect(lambda: self.open_dialogs.fill_recent(do.recent))
        offer_left_photos(do.left, session)
        for exploring in (do.run.triggered, do.region.triggered, self.picture_view.regionWanted):
            exploring.connect(lambda: self.modes.take(Mode.EXPLORE))  # first, because the picture's size changes
        do.run.triggered.connect(self.run)
        do.usual_region.triggered.connect(self.intentions.take_usual_region)
        do.largest_region.triggered.connect(self.intentions.take_largest_region)
        do.no_region.triggered.connect(lambda: session.workspace.set_region(None))
        self.picture_view.regionWanted.connect(self.intentions.take_region)
        do.denoise.triggered.connect(self.intentions.denoise_photo)
        self.look.strength.chosen.connect(self.intentions.change_strength)
        do.pause.triggered.connect(self.intentions.pause_or_go_on)
        do.stop.triggered.connect(session.controller.stop)
        do.stop.triggered.connect(self.analyst.stop)
        do.region.triggered.connect(self._ask_region)
        do.clear_pins.triggered.connect(session.pins.clear)
        do.hold.triggered.connect(self.picture_view.hold_iterate)
        do.film_strip.toggled.connect(self.film_strip.setVisible)
        do.shortcuts.triggered.connect(self.messages.show_shortcuts)
        do.about.triggered.connect(self.messages.show_about)
        do.quit.triggered.connect(self.close)
        do.export.triggered.connect(self.export_dialogs.ask_iterate)
        do.export_all.triggered.connect(self.export_dialogs.ask_all_iterates)
        do.export_animation.triggered.connect(self.export_dialogs.ask_animation)
        do.export_noise.triggered.connect(self.export_dialogs.ask_noise)
        do.export_map.triggered.connect(self.export_dialogs.ask_map)
        do.export_curves.triggered.connect(self.export_dialogs.ask_curves)
        edit = self.edit_actions
        edit.save_maps.triggered.connect(lambda: self.export_dialogs.ask_attention(self.attention_panel.figure()))
        self.clipboard.paste.triggered.connect(lambda: self.clipboard.open_pasted(self.open_dialogs))
        edit.offer_menus(do, self.picture_view.viewport(), self.curves, self.attention_panel)
        do.export_report.triggered.connect(self.export_dialogs.ask_report)
        do.schemes.triggered.connect(lambda action: set_colour_scheme(action.data()))
        models = self.controls.model
        models.checkpointWanted.connect(self.open_dialogs.ask_checkpoint)
        models.takenByHand.connect(self.preferences.remember_network)
        models.choiceChanged.connect(self._show_choice)
        self._show_choice()
        self.curves.exportRequested.connect(self.export_dialogs.ask_curves)
        self.differences.compared.connect(self.runs_panel.say_changed)
        self.differences.compared.connect(self.notices.say_changed)
        self.runs_panel.keepWanted.connect(self.picture_view.keep)
        self.runs_panel.saveWanted.connect(self._save_run)
        session.maps.failed.connect(self.messages.show_error)
        self.attention_panel.overlayChanged.connect(lambda *_: self._lay_over())
        self.analyses.overlayChanged.connect(self._lay_over)
        self.analyses.saveWanted.connect(self.export_dialogs.ask_analysis)
        session.photoChanged.connect(self.analyst.stop)
        session.photoChanged.connect(self._show_title)
        self.modes.changed.connect(self._show_mode)
        self.modes.chosenByHand.connect(self.preferences.remember_mode)

    # ---- commands -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Start a run of the region, or of the whole of a small photo."""
        self.intentions.explore()

    def _show_mode(self, mode: Mode) -> None:
        self.layout_.show_mode(mode)
        self.banner.want(mode is Mode.EXPLORE)
        self.picture_view.show_plainly(mode is Mode.PHOTO)
        self.summary.show_plainly(mode is Mode.PHOTO)
        self.notices.show_plainly(mode is Mode.PHOTO)

    def _lay_over(self) -> None:
        """Show the overlay of an analysis over the picture, or otherwise that of the attention heads."""
        laid = self.analyses.overlay() or self.attention_panel.overlay()
        self.picture_view.set_overlay(*(laid if laid is not None else (None,)))

    def _save_run(self, run: Run) -> None:
        self.session.show_run(run)
        self.export_dialogs.ask_iterate()

    def _ask_region(self) -> None:
        self.picture_view.ask_region()
        self.messages.say("Drag a rectangle to explore; Esc keeps the present region.", 8000)

    def _hold_queue(self) -> None:
        """Pause the queue while a run or an analysis of this window is under way."""
        self.queue.queue.hold(self.session.controller.running or self.analyst.asked is not None)

    def _open_from_queue(self, path: Path) -> None:
        self.open_dialogs.open_file(path)
        self.activateWindow()

    # ---- window events ------------------------------------------------------------------------------------------

    def _show_choice(self) -> None:
        models = self.controls.model
        self.summary.show_choice(models.reason, warns=models.network is None)

    def _show_title(self) -> None:
        photo, path = self.session.workspace.photo, self.sessions.path
        name = path.name if path is not None else photo.name if photo is not None else ""
        self.setWindowTitle(f"{name}[*] — NERD GUI" if name else "NERD GUI")
        self.setWindowModified(self.sessions.modified)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept files and folders."""
        if dropped_files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the dropped photo; several photos, or a folder, become a queue."""
        if paths := dropped_files(event.mimeData()):
            event.acceptProposedAction()
            self.open_dialogs.open_paths(paths)

    def event(self, event: QEvent) -> bool:
        """Settle all layouts before the window is painted.

        A change of size takes a pass for each layout that it goes through, and Qt would paint after each of them.
        """
        if event.type() == QEvent.Type.UpdateRequest:
            for _ in range(_LAYOUT_PASSES):
                QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        """Redraw the icons when the colours change."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "actions_"):
            self.actions_.colour()
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save the preferences and end all threads, once all files have been saved.

        A person is asked first if something would be lost, or while the queue is running.
        """
        if self.saver.busy:
            self.saver.when_idle(self.close)
            self.messages.say("The window closes when the file is saved.")
            event.ignore()
            return
        if not self.closing.may_close() or not self.queue.may_close(self):
            event.ignore()
            return
        self.preferences.save(self)
        self.hide()  # at once, although the solver may need a moment to end its evaluation
        self.queue.end()
        self.opener.wait()
        self.export_dialogs.drawer.wait()
        self.analyst.wait()
        self.session.controller.wait()
        self.session.maps.wait()
        super().closeEvent(event)
