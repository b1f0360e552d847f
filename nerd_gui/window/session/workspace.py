"""What is on the table: the photo, its clean version, the noise to add and the region to run; knows no widget."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from nerd_gui.denoising import RunError, Subject
from nerd_gui.imaging import Photo, estimate_sigma, open_photo, open_sample

#: Photos larger than this are run by region, so that watching stays live and memory finite.
REGION_THRESHOLD = 1_000_000
Region = tuple[int, int, int, int]


class Workspace(QObject):
    """The subject of the next run.

    Signals
    -------
    photoChanged
        Another photo, or another clean reference of it.
    subjectChanged
        Noise or region changed.
    """

    photoChanged = Signal()
    subjectChanged = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.photo: Photo | None = None
        self.clean: Photo | None = None
        self.estimated_sigma: float | None = None
        self.add_noise = False
        self.sigma = 25.0
        self.seed = 0
        self.region: Region | None = None
        self.region_side = 256

    def open_file(self, path: Path) -> None:
        """Open a photo, which counts as noisy already.

        Raises
        ------
        PhotoError
            If it cannot be opened; what was open stays.
        """
        self._set(open_photo(path), add_noise=False)

    def open_sample(self, name: str) -> None:
        """Open a built-in sample, to which noise is added."""
        self._set(open_sample(name), add_noise=True)

    def open_clean(self, path: Path) -> None:
        """Open the clean version of the noisy photo.

        Raises
        ------
        PhotoError, RunError
            If it cannot be opened or does not fit the photo.
        """
        if self.photo is None:
            raise RunError("Open the noisy photo first, then its clean version.")
        clean = open_photo(path)
        Subject.of(self.photo, clean=clean)  # raises where they do not fit
        self.clean, self.add_noise = clean, False
        self.photoChanged.emit()

    def _set(self, photo: Photo, *, add_noise: bool) -> None:
        self.photo, self.clean, self.add_noise = photo, None, add_noise
        self.region = self.centred_region() if self.needs_region else None
        row, col, rows, cols = self.region or (0, 0, min(photo.rows, 2048), min(photo.cols, 2048))
        self.estimated_sigma = estimate_sigma(photo.crop(row, col, rows, cols).pixels)
        self.photoChanged.emit()

    @property
    def needs_region(self) -> bool:
        """Whether the photo is too large to be run whole while one watches."""
        return self.photo is not None and self.photo.rows * self.photo.cols > REGION_THRESHOLD

    def region_size(self) -> tuple[int, int]:
        """Rows and columns of the region, at most the photo's."""
        assert self.photo is not None
        return min(self.region_side, self.photo.rows), min(self.region_side, self.photo.cols)

    def centred_region(self) -> Region:
        """The region in the middle of the photo."""
        assert self.photo is not None
        rows, cols = self.region_size()
        return (self.photo.rows - rows) // 2, (self.photo.cols - cols) // 2, rows, cols

    def set_region(self, region: Region | None) -> None:
        if region != self.region:
            self.region = region
            self.subjectChanged.emit()

    def set_noise(self, *, add_noise: bool, sigma: float, seed: int) -> None:
        if (add_noise, sigma, seed) != (self.add_noise, self.sigma, self.seed):
            self.add_noise, self.sigma, self.seed = add_noise, sigma, seed
            self.subjectChanged.emit()

    def subject(self) -> Subject:
        """The subject of a run started now.

        Raises
        ------
        RunError
            If there is no photo.
        """
        if self.photo is None:
            raise RunError("Open a photo first.")
        if self.add_noise:
            return Subject.of(self.photo, sigma=self.sigma, seed=self.seed, region=self.region)
        return Subject.of(self.photo, clean=self.clean, region=self.region)
