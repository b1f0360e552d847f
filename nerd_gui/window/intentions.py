"""What a person wants of a photo: to denoise all of it, to explore a region of it; and which region."""

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
    """Starts runs with the settings that are chosen, and sees to it that a region can be explored live."""

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
        """Run the region, or the whole photo where none is chosen, and show every iterate as it comes."""
        try:
            self._session.start(self._controls.settings())
        except RunError as error:
            self._messages.show_error(str(error))

    def denoise_photo(self) -> None:
        """Run the whole photo; where that was stopped with a part left, go on with it."""
        try:
            settings = self._controls.settings(for_photo=True)
            self._session.denoise_photo(settings, self._controls.choice().grain, fits=self._fits(settings))
        except RunError as error:
            self._messages.show_error(str(error))

    def run_again(self) -> None:
        """Start a run like the shown one, with what is chosen now."""
        run = self._session.run
        if run is not None and run.settings.stop_on == PICTURE:
            self.denoise_photo()
        else:
            self.explore()

    def _show_result(self, _: StopReason, run: Run) -> None:
        """Go to the result of a run for the picture, also where it is not the last iterate: what is shown is saved."""
        trajectory = self._session.trajectory
        if run is self._session.run and trajectory and trajectory.settings.stop_on == PICTURE and self._session.follow:
            self._session.go(trajectory.result)

    def _fits(self, settings: RunSettings) -> bool:
        """Whether memory suffices for the photo in one piece."""
        photo = self._workspace.photo
        if photo is None or self._workspace.needs_region:
            return False
        try:
            config = load_config(settings.model)
            plan_run(config, settings, photo.channels if config.channels == 1 else 1, photo.rows, photo.cols)
        except TooLittleMemory:
            return False
        except ModelError:  # said when the run loads it
            return True
        return True

    def pause_or_go_on(self) -> None:
        """Pause the run of a whole photo, or go on with it."""
        controller = self._session.controller
        if controller.running:
            controller.pause(not controller.paused)
        else:
            self._session.go_on()

    # ---- the region ---------------------------------------------------------------------------------------------

    def take_region(self, row: int, col: int, rows: int, cols: int) -> None:
        """Choose a part of the photo; of one that is too large to be explored live, its middle."""
        photo = self._workspace.photo
        if photo is None:
            return
        most = self._most_pixels()
        region = fitted((row, col, rows, cols), photo.rows, photo.cols, most)
        self._workspace.set_region(region)
        if rows * cols > most:
            self._messages.keep(
                "region",
                f"{cols} × {rows} pixels are too many to be watched live here: the middle {region[3]} × {region[2]} of "
                "them are taken. Denoise photo denoises all of it.",
            )
        else:
            self._messages.drop("region")

    def take_usual_region(self) -> None:
        """Choose a square of the usual size where the region is now, or in the middle of the photo."""
        side, photo = self._workspace.region_side, self._workspace.photo
        if photo is not None:
            self._workspace.set_region(largest(self._around(), photo.rows, photo.cols, side**2))

    def take_largest_region(self) -> None:
        """Choose the largest part that can be explored live where the region is now; all of the photo if it can be."""
        photo = self._workspace.photo
        if photo is None:
            return
        most = self._most_pixels()
        region = largest(self._around(), photo.rows, photo.cols, most)
        self._workspace.set_region(None if region[2:] == (photo.rows, photo.cols) else region)
        self._messages.say(f"{region[3]} × {region[2]} pixels are the most that can be watched live here.", 8000)

    def _around(self) -> Region:
        photo = self._workspace.photo
        assert photo is not None
        return self._workspace.region or centred(photo.rows, photo.cols, self._workspace.region_side)

    def _most_pixels(self) -> int:
        """The most that can be explored live with the chosen settings; by patience alone where they cannot be used."""
        assert self._workspace.photo is not None
        try:
            settings = self._controls.settings()
            return live_pixels(load_config(settings.model), settings, self._workspace.photo.channels)
        except (RunError, ModelError):  # said when a run is asked for
            return LIVE_PIXELS
