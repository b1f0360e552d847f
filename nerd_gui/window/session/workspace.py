"""The subject of the next run: the photo, its clean version, the noise to add and the region. No widgets."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from nerd_gui.denoising import RunError, Subject
from nerd_gui.imaging import Photo, PhotoNoise
from nerd_gui.window.session.history import History
from nerd_gui.window.session.regions import Region, centred

#: Photos with more pixels are explored by region, so that a run can be watched live and fits into memory.
REGION_THRESHOLD = 1_000_000


@dataclass(frozen=True, eq=False)
class Table:
    """A photo with everything that was chosen for it."""

    photo: Photo
    clean: Photo | None
    noise: PhotoNoise | None
    add_noise: bool
    sigma: float
    seed: int
    region: Region | None


class Workspace(QObject):
    """Holds the subject of the next run.

    Parameters
    ----------
    history : History
        Records changes of noise and region, so that they can be undone.

    Signals
    -------
    photoChanged
        Another photo is open.
    subjectChanged
        The noise to add or the clean reference has changed.
    regionChanged
        Another part of the photo is to be explored, or all of it.
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
        """Open another photo.

        Parameters
        ----------
        noise : PhotoNoise
            The result of `photo_noise` for the photo; computing it takes too long for the window's thread.
        add_noise : bool
            Whether noise is to be added to the photo; otherwise the photo counts as noisy.
        """
        self.photo, self.clean, self.add_noise = photo, None, add_noise
        self.region = centred(photo.rows, photo.cols, self.region_side) if self.needs_region else None
        self.noise = noise
        self.photoChanged.emit()

    def set_clean(self, clean: Photo) -> None:
        """Set the clean version of the noisy photo.

        Raises
        ------
        RunError
            If there is no photo, or if the clean version does not fit it.
        """
        if self.photo is None:
            raise RunError("Open the noisy photo first, then its clean version.")
        Subject.of(self.photo, clean=clean)  # raises an error if they do not fit
        self.clean, self.add_noise = clean, False
        self.subjectChanged.emit()

    @property
    def table(self) -> Table | None:
        """The present state, which `lay` can restore; None without a photo."""
        if self.photo is None:
            return None
        return Table(self.photo, self.clean, self.noise, self.add_noise, self.sigma, self.seed, self.region)

    def lay(self, table: Table) -> None:
        """Open a photo again with everything that was chosen for it."""
        self.photo, self.clean, self.noise, self.add_noise = table.photo, table.clean, table.noise, table.add_noise
        self.sigma, self.seed, self.region = table.sigma, table.seed, table.region
        self.photoChanged.emit()

    @property
    def needs_region(self) -> bool:
        """Whether the photo is too large to explore all of it live."""
        return self.photo is not None and self.photo.rows * self.photo.cols > REGION_THRESHOLD

    def set_region(self, region: Region | None) -> None:
        """Choose the part of the photo to explore, or all of it (None); this can be undone."""

        def apply(region: Region | None) -> None:
            self.region = region
            self.regionChanged.emit()

        self._history.record("choosing a region", self.region, region, apply)

    def set_noise(self, *, add_noise: bool, sigma: float, seed: int) -> None:
        """Choose the noise to add, or none; this can be undone."""

        def apply(noise: tuple[bool, float, int]) -> None:
            self.add_noise, self.sigma, self.seed = noise
            self.subjectChanged.emit()

        before, after = (self.add_noise, self.sigma, self.seed), (add_noise, sigma, seed)
        self._history.record("changing the noise", before, after, apply, merge=True)

    def has(self, subject: Subject) -> bool:
        """Whether a subject is the open photo with the chosen noise, or a region of it."""
        noise = (self.sigma, self.seed) if self.add_noise else (None, None)
        return subject.photo is self.photo and (subject.sigma, subject.seed) == noise

    def subject(self, *, whole: bool = False) -> Subject:
        """Return the subject of a run started now: the chosen region, or the whole photo.

        Raises
        ------
        RunError
            If there is no photo.
        """
        return self.maker(None if whole else self.region)()

    def maker(self, region: Region | None = None) -> Callable[[], Subject]:
        """Return a function that makes the subject of a run started now, on any thread: a region, or the whole photo.

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
        """Return the whole photo in a form that can be shown at once: noise that is to be added is not drawn yet."""
        if self.photo is None:
            raise RunError("Open a photo first.")
        if self.add_noise:
            return Subject(self.photo, self.photo.pixels, self.photo.pixels, self.sigma, self.seed)
        return self.subject(whole=True)
