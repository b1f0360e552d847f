"""Folders of pictures for measurements: clean pictures, or pairs of real photos and clean pictures."""

from dataclasses import dataclass
from pathlib import Path

from nerd_gui.denoising import Subject
from nerd_gui.evaluation.figures import EvaluationError
from nerd_gui.imaging import Photo, open_photo, picture_files
from nerd_gui.nerd import Network

_REAL, _MEAN = "_real", "_mean"


@dataclass(frozen=True)
class PictureSet:
    """The pictures of a folder, sorted by name.

    Attributes
    ----------
    name : str
        Name of the folder.
    pictures : tuple of Path
        Clean pictures, to which noise is added, or noisy real photos.
    means : tuple of Path, or None
        The clean picture of each real photo, the mean of many shots; None for a folder of clean pictures.
    """

    name: str
    pictures: tuple[Path, ...]
    means: tuple[Path, ...] | None = None

    @classmethod
    def of(cls, folder: Path, limit: int | None = None) -> "PictureSet":
        """List the (first `limit`) pictures of a folder; if it has files NAME_real and NAME_mean, it is one of pairs.

        Raises
        ------
        EvaluationError
            If the folder is missing or has no pictures, or has pairs and also a picture without a partner.
        """
        files, name = picture_files(folder), folder.resolve().name
        by_stem = {path.stem: path for path in files}
        pairs = {
            path: by_stem[mean]
            for stem, path in by_stem.items()
            if stem.endswith(_REAL) and (mean := stem.removesuffix(_REAL) + _MEAN) in by_stem
        }
        if not pairs:
            return cls(name, tuple(files[:limit]))
        for path in files:
            if path not in pairs and path not in pairs.values():
                raise EvaluationError(
                    f"“{path.name}” in the folder of pairs “{folder}” has no partner; such a folder may hold only "
                    f"photos NAME{_REAL} and their clean pictures NAME{_MEAN}."
                )
        return cls(name, tuple(pairs)[:limit], tuple(pairs.values())[:limit])

    def __len__(self) -> int:
        return len(self.pictures)

    def name_of(self, index: int) -> str:
        """The name of a picture, without the suffix of a pair."""
        stem = self.pictures[index].stem
        return stem if self.means is None else stem.removesuffix(_REAL)

    def subject(self, index: int, sigma: float | None, net: Network) -> Subject:
        """Make the subject for a network: a clean picture with noise, whose seed is the index, or a real photo.

        For a grey network, clean pictures are converted to grey; the channels of a real photo become a batch.

        Raises
        ------
        PhotoError, RunError
            If a picture cannot be opened, or those of a pair differ in size.
        """
        photo = open_photo(self.pictures[index])
        if self.means is not None:
            return Subject.of(photo, clean=open_photo(self.means[index]))
        return Subject.of(_as_seen_by(net, photo), sigma=sigma, seed=index)


def _as_seen_by(net: Network, photo: Photo) -> Photo:
    return photo.grey() if net.config.channels == 1 else photo
