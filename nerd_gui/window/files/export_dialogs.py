"""Asking where to save what a run found, and saying what became of it."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMainWindow

from nerd_gui.imaging import PhotoError, denoised_name, save_picture, what_is_lost
from nerd_gui.window.curves.panel import Curves
from nerd_gui.window.files.export import denoised_photo, noise_photo, save_all_iterates, save_iterate, save_report
from nerd_gui.window.messages import Messages
from nerd_gui.window.scrubber.scrubber import Scrubber
from nerd_gui.window.session.run_controller import RunController

_PICTURES = "PNG (*.png);;TIFF (*.tif *.tiff);;JPEG (*.jpg *.jpeg);;WebP (*.webp)"


class ExportDialogs:
    """One dialog for each thing that can be saved; the file dialog itself asks before it replaces a file."""

    def __init__(
        self, window: QMainWindow, controller: RunController, scrubber: Scrubber, curves: Curves, messages: Messages
    ) -> None:
        self._window = window
        self._controller = controller
        self._scrubber = scrubber
        self._curves = curves
        self._messages = messages

    def _suggested(self, ending: str, suffix: str | None = None) -> Path:
        """NAME_denoised.png beside the photo, with another ending where asked."""
        trajectory = self._controller.trajectory
        assert trajectory is not None
        photo = trajectory.subject.photo
        folder = photo.path.parent if photo.path else Path.home()
        name = denoised_name(photo, folder, suffix or (photo.path.suffix if photo.path else ".png"))
        return name if ending == "denoised" else name.with_name(f"{photo.name}_{ending}{name.suffix}")

    def _ask(self, title: str, suggested: Path, kinds: str, save: Callable[[Path], object]) -> None:
        name, _ = QFileDialog.getSaveFileName(self._window, title, str(suggested), kinds)
        if name:
            path = Path(name)
            self._attempt(path if path.suffix else path.with_suffix(suggested.suffix), save)

    def _attempt(self, path: Path, save: Callable[[Path], object]) -> None:
        try:
            save(path)
        except (PhotoError, ValueError) as error:
            self._messages.show_error(str(error))
        else:
            self._window.statusBar().showMessage(f"Saved “{path}”.", 10_000)

    def ask_iterate(self) -> None:
        """Save the shown iterate."""
        if self._controller.trajectory is not None:
            self._ask("Save shown iterate", self._suggested("denoised"), _PICTURES, self.save_iterate)

    def save_iterate(self, path: Path) -> None:
        """Save the shown iterate; the person has agreed to replace the file if there is one."""
        trajectory, index = self._controller.trajectory, self._scrubber.index
        assert trajectory is not None
        save_iterate(trajectory, index, path, overwrite=True)
        if lost := what_is_lost(path.suffix, denoised_photo(trajectory, index)):
            self._messages.show_error(f"Saved “{path.name}”. " + " ".join(f"{sentence}." for sentence in lost))

    def ask_noise(self) -> None:
        """Save the shown noise estimate."""
        trajectory, index = self._controller.trajectory, self._scrubber.index
        if trajectory is not None:
            self._ask(
                "Save noise estimate",
                self._suggested("noise", ".png"),
                _PICTURES,
                lambda path: save_picture(path, noise_photo(trajectory, index), overwrite=True),
            )

    def ask_all_iterates(self) -> None:
        """Save every iterate into a folder."""
        trajectory = self._controller.trajectory
        folder = QFileDialog.getExistingDirectory(self._window, "Save all iterates into")
        if trajectory is not None and folder:
            suffix = trajectory.subject.photo.path.suffix if trajectory.subject.photo.path else ".png"
            self._attempt(Path(folder), lambda path: list(save_all_iterates(trajectory, path, suffix)))

    def ask_curves(self) -> None:
        """Save the curves."""
        if self._controller.trajectory is not None:
            kinds = "CSV (*.csv);;PNG (*.png);;SVG (*.svg)"
            self._ask("Save curves", self._suggested("curves", ".csv"), kinds, self._curves.export)

    def ask_report(self) -> None:
        """Save the report."""
        trajectory = self._controller.trajectory
        if trajectory is not None:
            suggested = self._suggested("report", ".json")
            self._ask("Save report", suggested, "JSON (*.json)", lambda path: save_report(trajectory, path))
