"""Asking where to save what a run found, and saying what became of it."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from nerd_gui.denoising import Trajectory
from nerd_gui.imaging import PhotoError, save_picture, usual_suffix
from nerd_gui.window.curves.panel import Curves
from nerd_gui.window.files.export import (
    noise_photo,
    save_all_iterates,
    save_iterate,
    save_report,
    suggested_path,
)
from nerd_gui.window.files.save_dialog import Target, ask_target
from nerd_gui.window.messages import Messages
from nerd_gui.window.session.session import Session

_PICTURES = {"PNG": "*.png", "TIFF": "*.tif *.tiff", "JPEG": "*.jpg *.jpeg", "WebP": "*.webp", "BMP": "*.bmp"}
_CURVES = {"CSV": "*.csv", "PNG": "*.png", "SVG": "*.svg"}


class ExportDialogs:
    """One dialog for each thing that can be saved; what is shown when it opens is what is saved."""

    def __init__(self, parent: QWidget, session: Session, curves: Curves, messages: Messages) -> None:
        self._parent = parent
        self._session = session
        self._curves = curves
        self._messages = messages

    def ask_iterate(self) -> None:
        """Save the shown iterate; of a photo that was not run whole, the region."""
        trajectory, index, look = self._session.trajectory, self._session.index, self._session.look
        if trajectory is None:
            return

        def save(target: Target) -> None:
            if lost := save_iterate(trajectory, index, target.path, look=look, overwrite=target.overwrite):
                self._messages.show_error(f"Saved “{target.path.name}”. " + " ".join(lost))

        suffix = usual_suffix(trajectory.subject.photo)
        self._ask(trajectory, "shown iterate", "denoised", suffix, _PICTURES, save)

    def ask_noise(self) -> None:
        """Save the shown noise estimate."""
        trajectory, index = self._session.trajectory, self._session.index
        if trajectory is None:
            return

        def save(target: Target) -> None:
            save_picture(target.path, noise_photo(trajectory, index), overwrite=target.overwrite)

        self._ask(trajectory, "noise estimate", "noise", ".png", _PICTURES, save)

    def ask_all_iterates(self) -> None:
        """Save every iterate into a folder."""
        trajectory, look = self._session.trajectory, self._session.look
        if trajectory is None:
            return
        folder = QFileDialog.getExistingDirectory(self._parent, f"{_title(trajectory, 'all iterates')}: the folder")
        if folder:
            suffix = usual_suffix(trajectory.subject.photo)
            done = _done(trajectory, "all iterates", f"in “{folder}”")
            self._attempt(lambda: save_all_iterates(trajectory, Path(folder), suffix, look), done)

    def ask_curves(self) -> None:
        """Save the curves."""
        trajectory = self._session.trajectory
        if trajectory is None:
            return

        def save(target: Target) -> None:
            self._curves.export(target.path, overwrite=target.overwrite)

        self._ask(trajectory, "curves", "curves", ".csv", _CURVES, save)

    def ask_report(self) -> None:
        """Save the report."""
        trajectory = self._session.trajectory
        if trajectory is None:
            return

        def save(target: Target) -> None:
            save_report(trajectory, target.path, overwrite=target.overwrite)

        self._ask(trajectory, "report", "report", ".json", {"JSON": "*.json"}, save)

    def _ask(
        self,
        trajectory: Trajectory,
        what: str,
        ending: str,
        suffix: str,
        kinds: dict[str, str],
        save: Callable[[Target], None],
    ) -> None:
        photo = trajectory.subject.photo
        folder = photo.path.parent if photo.path else Path.home()
        suggested = suggested_path(trajectory, folder, ending, suffix)
        target = ask_target(self._parent, _title(trajectory, what), suggested, kinds, photo.path)
        if target is not None:
            self._attempt(lambda: save(target), _done(trajectory, what, f"as “{target.path}”"))

    def _attempt(self, save: Callable[[], object], done: str) -> None:
        try:
            save()
        except (PhotoError, ValueError) as error:
            self._messages.show_error(str(error))
        else:
            self._messages.say(done, 10_000)


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
