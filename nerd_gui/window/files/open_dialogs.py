"""Opens photos, sessions, clean references and checkpoints: dialogs, recent files, and error messages."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from nerd_gui.denoising import RunError
from nerd_gui.denoising.session_file import SUFFIX, SavedSession
from nerd_gui.imaging import Photo, PhotoNoise
from nerd_gui.imaging.raw import RAW_SUFFIXES
from nerd_gui.imaging.save import SUFFIXES
from nerd_gui.nerd import Network
from nerd_gui.window.files.opener import Opened, PhotoOpener
from nerd_gui.window.files.pasted import NAME, photo_of
from nerd_gui.window.files.recent_files import RecentFiles
from nerd_gui.window.messages import Messages
from nerd_gui.window.run_bar.model_choice import ModelChoice
from nerd_gui.window.session.workspace import Workspace

_PHOTOS = f"Photos ({' '.join(f'*{suffix}' for suffix in (*SUFFIXES, *RAW_SUFFIXES))});;All files (*)"


def ask_photos(parent: QWidget, title: str, folder: Path | None) -> list[Path]:
    """Ask for photos, starting in a folder; return an empty list if the person cancels."""
    names, _ = QFileDialog.getOpenFileNames(parent, title, str(folder or ""), _PHOTOS)
    return [Path(name) for name in names]


def ask_folder(parent: QWidget, title: str, folder: Path | None) -> Path | None:
    """Ask for a folder, starting in another one; return None if the person cancels."""
    name = QFileDialog.getExistingDirectory(parent, title, str(folder or ""))
    return Path(name) if name else None


def dropped_files(data: QMimeData) -> list[Path]:
    """Return the files and folders of this computer that are being dragged or dropped."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


class OpenDialogs(QObject):
    """Handles every way to open a file. A bad file shows a dialog; what is open stays until the next file is ready.

    Signals
    -------
    severalChosen : list of Path
        Several photos, or a folder of photos, from which a queue is made.
    sessionChosen : Path
        A session file.
    networkLoaded : Network, str, str
        A network of the person's own, its path, and the device that it was loaded to.
    """

    severalChosen = Signal(object)
    sessionChosen = Signal(object)
    networkLoaded = Signal(object, str, str)

    def __init__(
        self,
        parent: QWidget,
        workspace: Workspace,
        opener: PhotoOpener,
        models: ModelChoice,
        recent: RecentFiles,
        messages: Messages,
    ) -> None:
        super().__init__(parent)
        self._parent = parent
        self._workspace = workspace
        self._opener = opener
        self._models = models
        self._recent = recent
        self._messages = messages
        self._take: Callable[[Any, Any], None] = workspace.set_photo
        opener.opened.connect(self._on_opened)
        opener.failed.connect(messages.show_error)

    def open_file(self, path: Path) -> None:
        """Open a session, or a photo, which counts as noisy."""
        if path.suffix.lower() == SUFFIX:
            self.sessionChosen.emit(path)
            return

        def take(photo: Photo, noise: PhotoNoise) -> None:
            self._workspace.set_photo(photo, noise)
            self._recent.add(path)

        self._take = take
        self._opener.open(path)

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open a single photo; several photos or a folder are passed on by `severalChosen`."""
        if len(paths) == 1 and not paths[0].is_dir():
            self.open_file(paths[0])
        elif paths:
            self.severalChosen.emit(list(paths))

    def open_sample(self, name: str, then: Callable[[], None] | None = None) -> None:
        """Open a built-in picture, to which noise is added; `then` is called when it is open."""

        def take(photo: Photo, noise: PhotoNoise) -> None:
            self._workspace.set_photo(photo, noise, add_noise=True)
            if then is not None:
                then()

        self._take = take
        self._opener.open_sample(name)

    def open_session(
        self,
        path: Path,
        name: str,
        take: Callable[[SavedSession, PhotoNoise], None],
        photo: Path | None = None,
    ) -> None:
        """Open a session under a display name and pass it to `take`; `photo` is where its photo is now."""
        self._take = take
        self._opener.open_session(path, name, photo)

    def remember(self, path: Path) -> None:
        """Put a file at the top of the recent files."""
        self._recent.add(path)

    def open_pasted(self, image: QImage) -> None:
        """Open a picture from the clipboard, which counts as noisy."""
        self._take = self._workspace.set_photo
        self._opener.open_made(NAME, lambda: photo_of(image))

    def open_clean(self, path: Path) -> None:
        """Open the clean version of the photo."""
        self._take = lambda clean, _: self._workspace.set_clean(clean)
        self._opener.open(path)

    def _on_opened(self, opened: Opened, noise: PhotoNoise | None) -> None:
        try:
            self._take(opened, noise)
        except RunError as error:
            self._messages.show_error(str(error))

    def ask_photo(self) -> None:
        """Ask for a photo, or for several."""
        self.open_paths(ask_photos(self._parent, "Open photo", self._last_folder))

    def ask_folder(self) -> None:
        """Ask for a folder of photos."""
        if folder := ask_folder(self._parent, "Open a folder of photos", self._last_folder):
            self.open_paths([folder])

    def ask_clean(self) -> None:
        """Ask for the clean version of the photo."""
        if path := self._ask("Open the clean version of this photo", _PHOTOS):
            self.open_clean(path)

    def ask_checkpoint(self) -> None:
        """Ask for the file of a network that the person has trained or downloaded."""
        if path := self._ask("Open checkpoint", "Networks (*.safetensors)"):
            self.open_checkpoint(path)

    def open_checkpoint(self, path: Path) -> None:
        """Add a network to the list and choose it; show an error if the file is not a network."""
        name, device = str(path), self._models.device

        def take(network: Network, _: None) -> None:
            self.networkLoaded.emit(network, name, device)
            self._models.take(name)

        self._take = take
        self._opener.open_network(path, device)

    def _ask(self, title: str, kinds: str) -> Path | None:
        name, _ = QFileDialog.getOpenFileName(self._parent, title, str(self._last_folder or ""), kinds)
        return Path(name) if name else None

    @property
    def _last_folder(self) -> Path | None:
        recent = self._recent.paths
        return recent[0].parent if recent else None

    def _open_recent(self, path: Path, checked: bool = False) -> None:
        self.open_file(path)

    def fill_recent(self, menu: QMenu) -> None:
        """List the recently opened photos and sessions in a menu."""
        menu.clear()
        for path in self._recent.paths:
            menu.addAction(str(path)).triggered.connect(partial(self._open_recent, path))
        if menu.isEmpty():
            menu.addAction("None yet").setEnabled(False)
