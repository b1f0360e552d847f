"""Asks where to save the results of a run, and reports the outcome."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from nerd_gui.denoising import Trajectory
from nerd_gui.denoising.animation import AnimationSettings, save_animation
from nerd_gui.imaging import PhotoError, save_picture, usual_suffix
from nerd_gui.window.analyses.figure import AnalysisFigure
from nerd_gui.window.attention.figure import MapsFigure
from nerd_gui.window.curves.panel import Curves
from nerd_gui.window.files.animation_dialog import AnimationDialog
from nerd_gui.window.files.export import (
    noise_photo,
    save_all_iterates,
    save_iterate,
    save_report,
    suggested_path,
)
from nerd_gui.window.files.frame_drawer import FrameDrawer
from nerd_gui.window.files.save_dialog import Target, ask_target
from nerd_gui.window.files.saver import Saver, SavingCancelled, Tell
from nerd_gui.window.messages import Messages
from nerd_gui.window.picture.view import PictureView
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session
from nerd_gui.window.wording import picture_to_save

_PICTURES = {"PNG": "*.png", "TIFF": "*.tif *.tiff", "JPEG": "*.jpg *.jpeg", "WebP": "*.webp", "BMP": "*.bmp"}
_WORD_TIME = 10_000  # milliseconds for which a message stays
_MAPS = {"PNG": "*.png", "SVG": "*.svg", "NumPy arrays": "*.npz"}
_ITERATE_MAPS = {"PNG": "*.png", "NumPy arrays": "*.npz"}
_ANALYSES = {"PNG": "*.png", "SVG": "*.svg", "NumPy arrays": "*.npz", "JSON": "*.json"}
_CURVES = {"CSV": "*.csv", "PNG": "*.png", "SVG": "*.svg"}
_ANIMATIONS = {"Animated WebP": "*.webp", "Animated PNG": "*.png *.apng", "GIF": "*.gif"}


class ExportDialogs:
    """A dialog for each thing that can be saved; what is shown when the dialog opens is what is saved.

    Pictures are saved in the background.
    """

    def __init__(
        self,
        parent: QWidget,
        session: Session,
        view: PictureView,
        curves: Curves,
        saver: Saver,
        messages: Messages,
    ) -> None:
        self._parent = parent
        self._view = view
        self._animation = AnimationSettings()  # the last choice
        self.drawer = FrameDrawer(parent)
        self.drawer.failed.connect(messages.show_error)
        self._saver = saver
        self._session = session
        self._curves = curves
        self._messages = messages
        saver.saved.connect(self._on_saved)
        saver.failed.connect(messages.show_error)

    def ask_iterate(self) -> None:
        """Save the shown iterate; if only a region of the photo was run, this is the region."""
        run, trajectory = self._session.run, self._session.trajectory
        index, look = self._session.index, self._session.look
        if run is None or trajectory is None:
            return

        def save(target: Target) -> str:
            missing = _what_is_missing(run)
            lost = save_iterate(trajectory, index, target.path, look=look, overwrite=target.overwrite)
            run.saved = True
            return " ".join((*missing, *lost))

        self._ask_picture(
            trajectory, picture_to_save(trajectory), "denoised", usual_suffix(trajectory.subject.photo), save
        )

    def ask_noise(self) -> None:
        """Save the noise estimate of the shown iterate."""
        trajectory, index = self._session.trajectory, self._session.index
        if trajectory is None:
            return

        def save(target: Target) -> str:
            save_picture(target.path, noise_photo(trajectory, index), overwrite=target.overwrite)
            return ""

        self._ask_picture(trajectory, "noise estimate", "noise", ".png", save)

    def ask_all_iterates(self) -> None:
        """Save every iterate into a folder."""
        run, trajectory, look = self._session.run, self._session.trajectory, self._session.look
        if run is None or trajectory is None:
            return
        folder = QFileDialog.getExistingDirectory(self._parent, f"{_title(trajectory, 'all iterates')}: the folder")
        if folder:
            suffix = usual_suffix(trajectory.subject.photo)

            def save(tell: Tell) -> str:
                save_all_iterates(trajectory, Path(folder), suffix, look, tell)
                run.saved = True
                return ""

            self._saver.save("all iterates", _done(trajectory, "all iterates", f"in “{folder}”"), save, steps=True)

    def ask_animation(self) -> None:
        """Save the iterates that have arrived so far as an animation."""
        trajectory = self._session.trajectory
        if trajectory is None:
            return
        trajectory = replace(trajectory, iterates=list(trajectory.iterates))  # later iterates are not included
        part, whole = self._view.part_of_run(), (0, 0, *trajectory.subject.noisy.shape[1:])
        proposed = replace(self._animation, part=None if part == whole else part, look=self._session.look)
        dialog = AnimationDialog(trajectory, proposed, self.drawer, self._parent)
        try:
            if not dialog.exec():
                return
            self._animation = settings = dialog.settings
        finally:
            dialog.deleteLater()
        target = self._target(trajectory, "animation", "animation", ".webp", _ANIMATIONS)
        if target is None:
            return

        name = f"“{target.path.name}”"

        def save(tell: Tell) -> str:
            try:
                save_animation(target.path, trajectory, settings, overwrite=target.overwrite, tell=tell)
            except SavingCancelled:
                raise SavingCancelled(f"{name} was not saved, because you cancelled it.") from None
            return ""

        self._saver.save(name, _done(trajectory, "animation", f"as “{target.path}”"), save, steps=True)

    def ask_curves(self) -> None:
        """Save the curves."""
        trajectory = self._session.trajectory
        if trajectory is None:
            return

        def save(target: Target) -> None:
            self._curves.export(target.path, overwrite=target.overwrite)

        self._save_at_once(trajectory, "curves", ".csv", _CURVES, save)

    def ask_attention(self, figure: MapsFigure | None) -> None:
        """Save attention maps, as a picture or as numbers."""
        trajectory = self._session.trajectory
        if trajectory is None or figure is None:
            self._messages.say("There are no maps to save: run the denoiser and click a pixel first.", _WORD_TIME)
            return

        def save(target: Target) -> None:
            figure.save(target.path, overwrite=target.overwrite)

        self._save_at_once(trajectory, "attention maps", ".png", _MAPS, save)

    def ask_map(self) -> None:
        """Save the map that is shown as a layer of the picture, as a figure or as numbers."""
        trajectory, figure = self._session.trajectory, self._view.map_figure()
        if trajectory is None or figure is None:
            self._messages.say("There is no map to save: choose one in a list above the picture first.", _WORD_TIME)
            return

        def save(target: Target) -> None:
            figure.save(target.path, overwrite=target.overwrite)

        self._save_at_once(trajectory, f"{figure.kind} map", ".png", _ITERATE_MAPS, save)

    def ask_analysis(self, figure: AnalysisFigure) -> None:
        """Save the answer of an analysis, as a figure or as data."""
        trajectory = self._session.trajectory
        if trajectory is None:
            return

        def save(target: Target) -> None:
            figure.save(target.path, overwrite=target.overwrite)

        self._save_at_once(trajectory, figure.analysis.name, ".png", _ANALYSES, save)

    def ask_report(self) -> None:
        """Save the report."""
        trajectory = self._session.trajectory
        if trajectory is None:
            return

        def save(target: Target) -> None:
            save_report(trajectory, target.path, overwrite=target.overwrite)

        self._save_at_once(trajectory, "report", ".json", {"JSON": "*.json"}, save)

    def _ask_picture(
        self, trajectory: Trajectory, what: str, ending: str, suffix: str, save: Callable[[Target], str]
    ) -> None:
        target = self._target(trajectory, what, ending, suffix, _PICTURES)
        if target is not None:
            done = _done(trajectory, what, f"as “{target.path}”")
            self._saver.save(f"“{target.path.name}”", done, lambda _: save(target))

    def _save_at_once(
        self, trajectory: Trajectory, what: str, suffix: str, kinds: dict[str, str], save: Callable[[Target], object]
    ) -> None:
        """Save on the window's thread what takes no time, or is drawn with the window's widgets."""
        target = self._target(trajectory, what, what, suffix, kinds)
        if target is None:
            return
        try:
            save(target)
        except (PhotoError, ValueError) as error:
            self._messages.show_error(str(error))
        else:
            self._messages.say(_done(trajectory, what, f"as “{target.path}”"), _WORD_TIME)

    def _target(
        self, trajectory: Trajectory, what: str, ending: str, suffix: str, kinds: dict[str, str]
    ) -> Target | None:
        photo = trajectory.subject.photo
        folder = photo.path.parent if photo.path else Path.home()
        suggested = suggested_path(trajectory, folder, ending, suffix)
        return ask_target(self._parent, _title(trajectory, what), suggested, kinds, photo.path)

    def _on_saved(self, done: str, lost: str) -> None:
        self._messages.say(done, _WORD_TIME)
        if lost:
            self._messages.show_error(f"{done} {lost}")


def _what_is_missing(run: Run) -> tuple[str, ...]:
    """Return a sentence for a photo whose tiles are not all done, or nothing."""
    progress = run.progress
    if not run.in_tiles or progress is None or progress.done == progress.count:
        return ()
    return (f"{progress.done} of {progress.count} tiles are denoised so far; the rest of the photo is unchanged.",)


def _title(trajectory: Trajectory, what: str) -> str:
    region = trajectory.subject.region
    if region is None:
        return f"Save {what}"
    _, _, rows, cols = region
    words = f"region {cols} × {rows}"
    return f"Save {words}" if what == "shown iterate" else f"Save {what} of {words}"


def _done(trajectory: Trajectory, what: str, where: str) -> str:
    region = trajectory.subject.region
    if region is None:
        return f"Saved {what} {where}."
    row, col, rows, cols = region
    words = f"the region of {cols} × {rows} pixels at column {col}, row {row}"
    return f"Saved {words} {where}." if what == "shown iterate" else f"Saved {what} of {words} {where}."
