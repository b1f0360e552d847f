"""The window's commands, each defined once for menus, tool bar and shortcuts."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QIcon
from PySide6.QtWidgets import QMainWindow, QMenu

from nerd_gui.imaging import describe_sample, sample_names
from nerd_gui.window.icons import icon
from nerd_gui.window.modes import Modes
from nerd_gui.window.run_bar.model_choice import ModelChoice
from nerd_gui.window.session.analyst import Analyst
from nerd_gui.window.session.session import Session
from nerd_gui.window.shortcuts import Shortcut
from nerd_gui.window.wording import picture_to_save


class Actions:
    """Makes the actions, puts them into the menu bar, and enables those that are possible at the moment.

    The main window connects them to what they do.
    """

    def __init__(
        self, window: QMainWindow, session: Session, analyst: Analyst, models: ModelChoice, modes: Modes
    ) -> None:
        self._window = window
        self._session = session
        self._analyst = analyst
        self._models = models
        self._modes = modes
        self._icons: dict[str, QIcon] = {"run": QIcon(), "pause": QIcon()}
        self.open = self._make(
            "openAction",
            "&Open photo…",
            "Open a photo, which counts as noisy. Several photos become a queue.",
            Shortcut.OPEN,
        )
        self.open_folder = self._make(
            "openFolderAction", "Open &folder…", "Put the photos of a folder into the queue, to denoise them in turn."
        )
        self.open_session = self._make(
            "openSessionAction",
            "Open s&ession…",
            "Open a saved session: a photo with its runs, pins and view.",
            Shortcut.OPEN_SESSION,
        )
        self.save_session = self._make(
            "saveSessionAction",
            "Save sess&ion",
            "Save the photo with its runs, pins and view to one file, so that you can continue later.",
            Shortcut.SAVE_SESSION,
        )
        self.save_session_as = self._make(
            "saveSessionAsAction", "Save session &as…", "Save the session to another file."
        )
        self.queue = self._make(
            "queueAction", "&Queue of photos", "Show the queue of photos that are denoised one after another."
        )
        self.open_clean = self._make(
            "openCleanAction",
            "Open &clean reference…",
            "Open the clean version of the noisy photo, so that PSNR and SSIM can be shown.",
        )
        self._make_region_actions()
        self.run = self._make(
            "runAction",
            "&Explore",
            "Run the region, or the whole of a small photo, and see every iterate as it arrives.",
            Shortcut.RUN,
        )
        self.denoise = self._make(
            "denoiseAction",
            "&Denoise photo",
            "Denoise the whole photo, beginning with the part in view. Afterwards you can save the photo.",
            Shortcut.DENOISE,
        )
        self.pause = self._make("pauseAction", "&Pause", "", Shortcut.PAUSE)
        self.stop = self._make(
            "stopAction", "&Stop", "Stop the run or the analysis; the results so far stay.", Shortcut.STOP
        )
        self.export = self._make(
            "exportAction",
            "&Save shown iterate…",
            "Save the picture of the shown iterate next to the photo; if only a region was run, save the region.",
            Shortcut.SAVE,
        )
        self.export_all = self._make("exportAllAction", "Save &all iterates…", "Save every iterate to a numbered file.")
        self.export_animation = self._make(
            "exportAnimationAction",
            "Save anima&tion…",
            "Save the iterates as an animation with their numbers and the residual curve, as WebP, PNG or GIF.",
        )
        self.export_noise = self._make(
            "exportNoiseAction", "Save &noise estimate…", "Save the noise estimate n̂ around mid-grey."
        )
        self.export_map = self._make(
            "exportMapAction", "Save &map…", "Save the map that is shown, as a figure (PNG) or as numbers (NPZ)."
        )
        self.export_curves = self._make("exportCurvesAction", "Save &curves…", "Save the curves as CSV, PNG or SVG.")
        self.export_report = self._make(
            "exportReportAction", "Save r&eport…", "Save settings, residuals and noise levels as JSON."
        )
        self.quit = self._make("quitAction", "&Quit", "Close the window.", Shortcut.QUIT)
        self.clear_pins = self._make("clearPinsAction", "&Clear pins", "Remove all pins.", Shortcut.CLEAR_PINS)
        self.hold = self._make(
            "holdIterateAction",
            "&Keep this iterate for comparison",
            "Keep the shown iterate, so that you can compare it with other iterates and other runs.",
            Shortcut.HOLD,
        )
        self.film_strip = self._make(
            "filmStripAction",
            "&Film strip",
            "Show a small picture of every iterate below the picture, and how much it changed from the previous one.",
        )
        self.film_strip.setCheckable(True)
        self.film_strip.setChecked(True)
        self.shortcuts = self._make("shortcutsAction", "&Keyboard shortcuts", "List the shortcuts.", Shortcut.HELP)
        self.about = self._make("aboutAction", "&About NERD GUI", "About this program and its paper.")
        self.samples = QMenu("&Sample", window)
        self.samples.setObjectName("sampleMenu")
        self.samples.setToolTipsVisible(True)
        self.recent = QMenu("Open &recent", window)
        self.recent.setObjectName("recentMenu")
        self.left = QMenu("&Go back to", window)
        self.left.setObjectName("leftPhotosMenu")
        self.schemes = QActionGroup(window)
        self._build_menus()
        session.subjectChanged.connect(self._update_enabled)
        session.regionChanged.connect(self._update_enabled)
        session.trajectoryChanged.connect(self._update_enabled)
        session.iterateAdded.connect(self._update_enabled)
        session.progressed.connect(self._update_enabled)
        session.controller.runningChanged.connect(self._update_enabled)
        analyst.changed.connect(self._update_enabled)
        models.choiceChanged.connect(self._update_enabled)
        session.controller.pausedChanged.connect(self._update_enabled)
        self._update_enabled()

    def _make(self, name: str, text: str, tip: str, shortcut: Shortcut | None = None) -> QAction:
        action = QAction(text, self._window)
        action.setObjectName(name)
        if shortcut is not None and shortcut.text:
            action.setShortcut(shortcut.sequence)
        self._describe(action, tip, shortcut)
        return action

    @staticmethod
    def _describe(action: QAction, tip: str, shortcut: Shortcut | None) -> None:
        if shortcut is not None and shortcut.text:
            tip = f"{tip.removesuffix('.')} ({shortcut.text})."
        action.setToolTip(tip)
        action.setStatusTip(tip)

    def _make_region_actions(self) -> None:
        self.region = self._make(
            "regionAction",
            "Choose &region",
            "Drag a rectangle in the photo, and Explore runs this part. A click chooses 256 × 256 pixels.",
            Shortcut.REGION,
        )
        self.usual_region = self._make(
            "usualRegionAction", "&Usual size", "Explore 256 × 256 pixels around the middle of the region."
        )
        self.largest_region = self._make(
            "largestRegionAction",
            "&Largest that runs live",
            "Explore the largest part that can be watched live, given the network's speed and the free memory.",
        )
        self.no_region = self._make("noRegionAction", "&Whole photo", "Explore the whole photo, if it is small.")
        self.regions = QMenu("Re&gion", self._window)
        self.regions.setObjectName("regionMenu")
        self.regions.setToolTipsVisible(True)
        self.regions.addActions([self.region, self.usual_region, self.largest_region, self.no_region])

    def fill_samples(self, open_sample: Callable[[str], None]) -> None:
        """List the built-in pictures in the sample menu."""
        for name in sample_names():
            action = self.samples.addAction(name)
            action.setToolTip(describe_sample(name))
            action.triggered.connect(lambda _=False, name=name: open_sample(name))

    def _build_menus(self) -> None:
        bar = self._window.menuBar()
        file, view, run, help_ = (bar.addMenu(title) for title in ("&File", "&View", "&Run", "&Help"))
        file.addActions([self.open, self.open_folder, self.open_session])
        file.addMenu(self.recent)
        file.addMenu(self.left)
        file.addMenu(self.samples)
        file.addAction(self.open_clean)
        file.addSeparator()
        file.addAction(self.queue)
        file.addSeparator()
        file.addActions(self.exports)
        file.addSeparator()
        file.addActions([self.save_session, self.save_session_as])
        file.addSeparator()
        file.addAction(self.quit)
        run.addActions([self.denoise, self.run, self.pause, self.stop])
        run.addSeparator()
        run.addMenu(self.regions)
        view.addActions(list(self._modes.actions.values()))
        self._view, self._view_middle = view, view.addSeparator()
        view.addAction(self.clear_pins)
        view.addActions([self.hold, self.film_strip])
        scheme_menu = view.addMenu("&Appearance")
        for name, label, scheme in (
            ("systemAppearanceAction", "As the &system", Qt.ColorScheme.Unknown),
            ("lightAppearanceAction", "&Light", Qt.ColorScheme.Light),
            ("darkAppearanceAction", "&Dark", Qt.ColorScheme.Dark),
        ):
            action = scheme_menu.addAction(label)
            action.setObjectName(name)
            action.setCheckable(True)
            action.setChecked(scheme is Qt.ColorScheme.Unknown)
            action.setData(scheme)
            self.schemes.addAction(action)
        help_.addActions([self.shortcuts, self.about])

    def offer_pages(self, pages: list[QAction]) -> None:
        """Add the pages beside the picture to the menu “View”."""
        self._view.insertSeparator(self._view_middle)
        self._view.insertActions(self._view_middle, pages)

    @property
    def exports(self) -> list[QAction]:
        """The actions that save something and need an iterate."""
        return [
            self.export,
            self.export_all,
            self.export_animation,
            self.export_noise,
            self.export_map,
            self.export_curves,
            self.export_report,
        ]

    def _update_enabled(self) -> None:
        session, workspace, running = self._session, self._session.workspace, self._session.controller.running
        has_photo, has_model = workspace.photo is not None, self._models.network is not None
        for action in (self.denoise, self.run):
            action.setEnabled(has_photo and has_model and not running)
        self._show_pause()
        self.stop.setEnabled(running or self._analyst.asked is not None)
        for action in (self.region, self.usual_region, self.largest_region):
            action.setEnabled(has_photo and not running)
        self.no_region.setEnabled(workspace.region is not None and not workspace.needs_region and not running)
        for action in (self.open_clean, self.save_session, self.save_session_as):
            action.setEnabled(has_photo)
        for action in self.exports:
            action.setEnabled(session.newest >= 0)
        region = session.trajectory.subject.region if session.trajectory is not None else None
        what = picture_to_save(session.trajectory) if region is None else f"region {region[3]} × {region[2]}"
        self.export.setText(f"&Save {what}…")

    def _show_pause(self) -> None:
        """Set the one action to pause the tiles under way, or to continue with the remaining ones."""
        run, controller = self._session.run, self._session.controller
        in_tiles = run is not None and run.in_tiles
        unfinished = run is not None and run.unfinished
        goes_on = controller.paused or not controller.running
        words = (
            ("&Continue", "Continue denoising the photo where it was paused.")
            if goes_on
            else ("&Pause", "Pause denoising the photo; you can look at the finished part and continue later.")
        )
        self.pause.setText(words[0])
        self.pause.setIconText(words[0].removeprefix("&"))
        self._describe(self.pause, words[1], Shortcut.PAUSE)
        self.pause.setIcon(self._icons["run" if goes_on else "pause"])
        self.pause.setEnabled((controller.running and in_tiles) or unfinished)

    def colour(self) -> None:
        """Draw the icons in the palette's text colour."""
        colour = self._window.palette().buttonText().color()
        self._icons = {name: icon(name, colour) for name in ("run", "pause")}
        named = {
            "open": self.open,
            "run": self.run,
            "stop": self.stop,
            "export": self.export,
            "region": self.region,
        }
        for name, action in named.items():
            action.setIcon(icon(name, colour))
        # The only filled button, for what most people come for.
        self.denoise.setIcon(icon("denoise", self._window.palette().highlightedText().color(), colour))
        self._show_pause()
