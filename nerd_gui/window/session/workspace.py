"""What is on the table: the photo, its clean version, the noise to add and the region; knows no widget."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from nerd_gui.denoising import RunError, Subject
from nerd_gui.imaging import Photo, PhotoNoise
from nerd_gui.window.session.history import History
from nerd_gui.window.session.regions import Region, centred

#: Photos larger than this are run by region, so that watching stays live and memory finite.
REGION_THRESHOLD = 1_000_000


@dataclass(frozen=True, eq=False)
class Table:
    """What lies on the table: a photo and all that was chosen for it."""

    photo: Photo
    clean: Photo | None
    noise: PhotoNoise | None
    add_noise: bool
    sigma: float
    seed: int
    region: Region | None


class Workspace(QObject):
    """The subject of the next run.

    Parameters
    ----------
    history : History
        Where changes of noise and region are noted, to be taken back.

    Signals
    -------
    photoChanged
        Another photo.
    subjectChanged
        Its noise or its clean reference changed.
    regionChanged
        Another part of it is to be explored, or all of it.
    """

    photoChanged = Signal()
    subjectChanged = Signal()
    regionChanged = Signal()

    def __init__(self, history: History, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self.photo: Photo | None = None
        self.clean: Photo | None = None
        self.noise: PhotoNoise | None = None
        self.add_noise = False
        self.sigma = 25.0
        self.seed = 0
        self.region: Region | None = None
        self.region_side = 256

    def set_photo(self, photo: Photo, noise: PhotoNoise, *, add_noise: bool = False) -> None:
        """Take up another photo.

        Parameters
        ----------
        noise : PhotoNoise
            What `photo_noise` makes of it; it takes too long for the thread of the window.
        add_noise : bool
            Noise is to be added to it; else it counts as noisy already.
        """
        self.photo, self.clean, self.add_noise = photo, None, add_noise
        self.region = centred(photo.rows, photo.cols, self.region_side) if self.needs_region else None
        self.noise = noise
        self.photoChanged.emit()

    def set_clean(self, clean: Photo) -> None:
        """Take up the clean version of the noisy photo.

        Raises
        ------
        RunError
            If there is no photo or it does not fit the photo.
        """
        if self.photo is None:
            raise RunError("Open the noisy photo first, then its clean version.")
        Subject.of(self.photo, clean=clean)  # raises where they do not fit
        self.clean, self.add_noise = clean, False
        self.subjectChanged.emit()

    @property
    def table(self) -> Table | None:
        """All of it, to be taken up again by `lay`; None without a photo."""
        if self.photo is None:
            return None
        return Table(self.photo, self.clean, self.noise, self.add_noise, self.sigma, self.seed, self.region)

    def lay(self, table: Table) -> None:
        """Take up a photo again with all that was chosen for it."""
        self.photo, self.clean, self.noise, self.add_noise = table.photo, table.clean, table.noise, table.add_noise
        self.sigma, self.seed, self.region = table.sigma, table.seed, table.region
        self.photoChanged.emit()

    @property
    def needs_region(self) -> bool:
        """Whether the photo is too large for all of it to be explored while one watches."""
        return self.photo is not None and self.photo.rows * self.photo.cols > REGION_THRESHOLD

    def set_region(self, region: Region | None) -> None:
        """Choose another part of the photo to be explored, or all of it (None); it can be taken back."""

        def apply(region: Region | None) -> None:
            self.region = region
            self.regionChanged.emit()

        self._history.record("choosing a region", self.region, region, apply)

    def set_noise(self, *, add_noise: bool, sigma: float, seed: int) -> None:
        """Choose the noise to add, or none; it can be taken back."""

        def apply(noise: tuple[bool, float, int]) -> None:
            self.add_noise, self.sigma, self.seed = noise
            self.subjectChanged.emit()

        before, after = (self.add_noise, self.sigma, self.seed), (add_noise, sigma, seed)
        self._history.record("changing the noise", before, after, apply, merge=True)

    def has(self, subject: Subject) -> bool:
        """Whether a subject is the photo with its noise, or a region of it."""
        noise = (self.sigma, self.seed) if self.add_noise else (None, None)
        return subject.photo is self.photo and (subject.sigma, subject.seed) == noise

    def subject(self, *, whole: bool = False) -> Subject:
        """The subject of a run started now: the region, or the whole photo.

        Raises
        ------
        RunError
            If there is no photo.
        """
        return self.maker(None if whole else self.region)()

    def maker(self, region: Region | None = None) -> Callable[[], Subject]:
        """What makes the subject of a run started now, on any thread: of a region, or of the whole photo.

        Raises
        ------
        RunError
            If there is no photo.
        """
        if self.photo is None:
            raise RunError("Open a photo first.")
        photo, clean, sigma, seed = self.photo, self.clean, self.sigma, self.seed
        if self.add_noise:
            return lambda: Subject.of(photo, sigma=sigma, seed=seed, region=region)
        return lambda: Subject.of(photo, clean=clean, region=region)

    def quick_subject(self) -> Subject:
        """The whole photo as it can be shown at once: noise that is to be added is not drawn yet."""
        if self.photo is None:
            raise RunError("Open a photo first.")
        if self.add_noise:
            return Subject(self.photo, self.photo.pixels, self.photo.pixels, self.sigma, self.seed)
        return self.subject(whole=True)
