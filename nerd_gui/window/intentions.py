"""What a person can do with a photo: denoise all of it, or explore a region, and which region."""

from PySide6.QtCore import QObject

from nerd_gui.denoising import PICTURE, RunError, RunSettings, plan_run
from nerd_gui.denoising.errors import TooLittleMemory
from nerd_gui.equilibrium import StopReason
from nerd_gui.nerd import ModelError, load_config
from nerd_gui.window.messages import Messages
from nerd_gui.window.run_bar.controls import RunControls
from nerd_gui.window.session.regions import LIVE_PIXELS, Region, centred, fitted, largest, live_pixels
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session


class Intentions(QObject):
    """Starts runs with the chosen settings, and keeps regions small enough to be explored live."""

    def __init__(
        self, session: Session, controls: RunControls, messages: Messages, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._workspace = session.workspace
        self._controls = controls
        self._messages = messages
        session.controller.ended.connect(self._show_result)

    def explore(self) -> None:
        """Run the chosen region, or the whole photo if there is none, and show every iterate as it arrives."""
        try:
            self._session.start(self._controls.settings())
        except RunError as error:
            self._messages.show_error(str(error))

    def denoise_photo(self) -> None:
        """Run the whole photo; if an earlier run of it was stopped before its end, continue that run."""
        try:
            settings = self._controls.settings(for_photo=True)
            self._session.denoise_photo(settings, self._controls.choice().grain, fits=self._fits(settings))
        except RunError as error:
            self._messages.show_error(str(error))

    def change_strength(self, level: float) -> None:
        """Set the strength; unless the shown run is one of many tiles, run again from where it ended."""
        self._controls.set_strength(level)
        run = self._session.run
        if self._session.controller.running:  # a touch of the slider must not end a run
            return
        if run is not None and run.trajectory is not None and not run.in_tiles:
            self._session.change_strength(run, level)

    def run_again(self) -> None:
        """Start a run of the same kind as the shown one, with the settings chosen now."""
        run = self._session.run
        if run is not None and run.settings.stop_on == PICTURE:
            self.denoise_photo()
        else:
            self.explore()

    def _show_result(self, _: StopReason, run: Run) -> None:
        """Show the result of a run that denoises the photo, which may not be the last iterate: the result is saved."""
        trajectory = self._session.trajectory
        if run is self._session.run and trajectory and trajectory.settings.stop_on == PICTURE and self._session.follow:
            self._session.go(trajectory.result)

    def _fits(self, settings: RunSettings) -> bool:
        """Whether the memory suffices to run the photo in one piece."""
        photo = self._workspace.photo
        if photo is None or self._workspace.needs_region:
            return False
        try:
            config = load_config(settings.model)
            plan_run(config, settings, photo.channels if config.channels == 1 else 1, photo.rows, photo.cols)
        except TooLittleMemory:
            return False
        except ModelError:  # the run reports this error when it loads the network
            return True
        return True

    def pause_or_go_on(self) -> None:
        """Pause the run of a whole photo, or continue it."""
        controller = self._session.controller
        if controller.running:
            controller.pause(not controller.paused)
        else:
            self._session.go_on()

    # ---- the region ---------------------------------------------------------------------------------------------

    def take_region(self, row: int, col: int, rows: int, cols: int) -> None:
        """Choose a part of the photo; if it is too large to be explored live, choose its middle."""
        photo = self._workspace.photo
        if photo is None:
            return
        most = self._most_pixels()
        region = fitted((row, col, rows, cols), photo.rows, photo.cols, most)
        self._workspace.set_region(region)
        if rows * cols > most:
            self._messages.keep(
                "region",
                f"{cols} × {rows} pixels are too many to watch live on this machine, so the middle {region[3]} × "
                f"{region[2]} pixels were chosen. “Denoise photo” denoises the whole photo.",
            )
        else:
            self._messages.drop("region")

    def take_usual_region(self) -> None:
        """Choose a square of the usual size in the middle of the present region, or of the photo."""
        side, photo = self._workspace.region_side, self._workspace.photo
        if photo is not None:
            self._workspace.set_region(largest(self._around(), photo.rows, photo.cols, side**2))

    def take_largest_region(self) -> None:
        """Choose the largest region around the present one that can be explored live, perhaps the whole photo."""
        photo = self._workspace.photo
        if photo is None:
            return
        most = self._most_pixels()
        region = largest(self._around(), photo.rows, photo.cols, most)
        self._workspace.set_region(None if region[2:] == (photo.rows, photo.cols) else region)
        self._messages.say(f"{region[3]} × {region[2]} pixels are the most that this machine can show live.", 8000)

    def _around(self) -> Region:
        photo = self._workspace.photo
        assert photo is not None
        return self._workspace.region or centred(photo.rows, photo.cols, self._workspace.region_side)

    def _most_pixels(self) -> int:
        """Return the most pixels that can be explored live as set, or a default if the settings are invalid."""
        assert self._workspace.photo is not None
        try:
            settings = self._controls.settings()
            return live_pixels(load_config(settings.model), settings, self._workspace.photo.channels)
        except (RunError, ModelError):  # starting a run reports this error
            return LIVE_PIXELS
