"""What an item needs to measure: networks, pictures (checked by their hashes), and the rows measured before."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from nerd_gui.denoising import Subject
from nerd_gui.evaluation.picture_sets import PictureSet
from nerd_gui.files import write_file
from nerd_gui.imaging import Photo, open_photo, open_sample, to_8_bit
from nerd_gui.nerd import ModelError, Network, load_config, load_model, model_path, weights_sha256
from nerd_gui.reproduce.item import Item, ReproduceError, Row
from nerd_gui.reproduce.store import Store

#: Where each picture set can be downloaded.
FOUND_AT = {
    "set12": "https://github.com/cszn/DnCNN (testsets/Set12)",
    "bsd68": "https://github.com/cszn/DnCNN (testsets/BSD68)",
    "urban100": "https://github.com/jbhuang0604/SelfExSR (data/Urban100)",
    "depth": "https://vision.middlebury.edu/stereo/data/scenes2006/HalfSize/zip-2views/ (disp1.png of each scene)",
    "bsd400": "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/bsds/ (train and test)",
}
#: Quick mode takes these pictures in place of every set, cut to this size. It only shows that everything works.
_QUICK, _QUICK_SIDE = ("camera 256", "coins"), 24


@dataclass(frozen=True, eq=False)
class CleanPicture:
    """A clean picture of a set.

    Attributes
    ----------
    photo : Photo
        Grey, (1, rows, cols).
    name : str
        "SET/NAME".
    seed : int
        Seed of the noise that is added: the picture's index in its set.
    """

    photo: Photo
    name: str
    seed: int

    @property
    def digest(self) -> str:
        """The first 16 digits of a SHA-256: of the text "ROWS COLS " followed by the 8-bit pixels, row by row."""
        return digest_of(self.photo)

    @property
    def clean(self) -> Tensor:
        """The clean picture x, (1, 1, rows, cols) in [0, 1]."""
        return torch.from_numpy(np.ascontiguousarray(self.photo.pixels, dtype=np.float32))[None]

    def subject(self, sigma: float) -> Subject:
        """Return the picture with noise, as the `Subject` of a run."""
        return Subject.of(self.photo, sigma=sigma, seed=self.seed)

    def noisy(self, sigma: float) -> Tensor:
        """Return the noisy picture y, (1, 1, rows, cols)."""
        return torch.from_numpy(self.subject(sigma).noisy)[None]

    def part(self, row: int, col: int, rows: int, cols: int) -> CleanPicture:
        """Cut out a part; where it reaches beyond the picture, only what lies inside."""
        rows, cols = min(rows, self.photo.rows), min(cols, self.photo.cols)
        row, col = min(row, self.photo.rows - rows), min(col, self.photo.cols - cols)
        return CleanPicture(self.photo.crop(row, col, rows, cols), self.name, self.seed)

    def middle(self, side: int) -> CleanPicture:
        """Cut out the square in the middle; where it is larger than the picture, only what lies inside."""
        return self.part(max(0, (self.photo.rows - side) // 2), max(0, (self.photo.cols - side) // 2), side, side)


def digest_of(photo: Photo) -> str:
    """Return the digest of a photo's pixels, as `CleanPicture.digest` defines it."""
    pixels = to_8_bit(photo.pixels)[0]
    return hashlib.sha256(f"{photo.rows} {photo.cols} ".encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()[
        :16
    ]


@dataclass(frozen=True, eq=False)
class NamedNetwork:
    """A network in evaluation mode, its name, and the first 16 digits of its file's SHA-256."""

    name: str
    net: Network
    weights: str


class Workbench:
    """Gives an item the networks, pictures and rows that it measures with.

    Attributes
    ----------
    lacks : bool
        Whether a row was missing while `measures` was off.

    Parameters
    ----------
    item : Item
    out : Path
        Folder of the page, its CSV files and pictures.
    data : Path or None
        Folder that holds one folder for each picture set.
    store : Store
        The item's rows.
    quick : bool
        Whether to take a few steps on small pictures in place of the real ones, to see that everything works.
    fresh : bool
        Whether to measure again the figures that the networks' cards hold already.
    measures : bool
        Whether to measure missing rows.
    say : callable
        Called with a line of text before each measurement.
    """

    def __init__(
        self,
        item: Item,
        out: Path,
        data: Path | None,
        store: Store,
        *,
        quick: bool,
        fresh: bool,
        measures: bool,
        say: Callable[[str], None],
    ) -> None:
        self.item, self.out, self.data = item, out, data
        self.quick, self.fresh, self.measures, self.say = quick, fresh, measures, say
        self.lacks = False
        self._store = store
        self._networks: dict[str, NamedNetwork] = {}

    def network(self, name: str) -> NamedNetwork:
        """Load a network by name: one that comes with the program, or one of the ablations.

        Raises
        ------
        ModelError
            If there is no such network, or if its file is damaged.
        """
        if name not in self._networks:
            self._networks[name] = NamedNetwork(name, load_model(name), weights_sha256(name)[:16])
        return self._networks[name]

    def window_of(self, name: str) -> int:
        """Return the window q that a network was trained with, without loading its weights."""
        return load_config(name).window

    def present(self, names: Iterable[str]) -> list[str]:
        """Return those of the `names` whose networks exist."""
        return [name for name in names if is_here(name)]

    def pictures(self, name: str, only: Sequence[str] | None = None) -> list[CleanPicture]:
        """Return the pictures of a set, or those named in `only`. In quick mode, small pictures take their place.

        Raises
        ------
        ReproduceError
            If the set is missing, or if its pictures have other pixels than the published ones.
        """
        if self.quick:
            count = len(only) if only is not None else len(_QUICK)
            samples = [open_sample(_QUICK[index % len(_QUICK)]).grey() for index in range(min(count, len(_QUICK)))]
            return [CleanPicture(sample, f"stand-in/{i}", i).middle(_QUICK_SIDE) for i, sample in enumerate(samples)]
        found = PictureSet.of(folder_of(name, self.data))
        made = [
            CleanPicture(open_photo(path).grey(), f"{name}/{found.name_of(index)}", index)
            for index, path in enumerate(found.pictures)
        ]
        check_known(name, made)
        return [each for each in made if only is None or each.name.partition("/")[2] in only]

    def motorcycle(self) -> CleanPicture:
        """Return scikit-image's depth map "motorcycle" as a picture, with four grey levels per pixel of disparity.

        Where the disparity is unknown, the nearest known one is taken.
        """
        with np.load(str(importlib.resources.files("skimage") / "data" / "motorcycle_disp.npz")) as file:
            disparity = np.asarray(next(iter(file.values())), np.float32)
        nearest = distance_transform_edt(~np.isfinite(disparity), return_distances=False, return_indices=True)
        levels = np.rint(4 * disparity[tuple(nearest)]).clip(0, 255).astype(np.uint8)
        photo = Photo(np.float32(1 / 255) * levels[None].astype(np.float32), name="motorcycle")
        picture = CleanPicture(photo, "scikit-image/motorcycle", 0)
        return picture.middle(_QUICK_SIDE) if self.quick else picture

    def measured(
        self,
        network: str | None,
        picture: CleanPicture | None,
        sigma: float | None,
        key: Mapping[str, object],
        compute: Callable[[], Iterable[Row]],
        *,
        at_once: bool = False,
    ) -> list[Row]:
        """Return the rows of one measurement (see `Store.measured`), or measure again if a file that they name is gone.

        If the rows are missing while `measures` is off, `lacks` is set and no rows are returned. Rows that take no time
        to compute (`at_once`) are computed even then.
        """
        whole: dict[str, object] = {"sigma": sigma, **key}
        if network is not None:
            whole |= {"network": network, "weights": weights_sha256(network)[:16]}
        if picture is not None:
            whole |= {"picture": picture.name, "pixels": picture.digest, "seed": picture.seed}
            whole |= {"rows": picture.photo.rows, "cols": picture.photo.cols}

        def told() -> Iterable[Row]:
            if not at_once:
                words = [f"{value:g}" if isinstance(value, float) else str(value) for value in (sigma, *key.values())]
                self.say(" ".join([self.item.name, network or "", picture.name if picture else "", *words]))
            return compute()

        def is_there(row: Row) -> bool:
            return not row.get("file") or (self.out / row["file"]).exists()

        if not (self.measures or at_once):
            kept = self._store.kept(whole)
            if kept and all(map(is_there, kept)):
                return kept
            self.lacks = True
            return []
        return self._store.measured(whole, told, is_there)

    def keep_picture(self, name: str, content: bytes) -> str:
        """Write a picture into the page's folder, and return the name of its file."""
        write_file(self.out / name, content)
        return name


def is_here(name: str) -> bool:
    """Return whether a network of this name exists."""
    try:
        model_path(name)
    except ModelError:
        return False
    return True


def has_pictures(name: str, data: Path | None) -> bool:
    """Return whether the folder of a picture set exists."""
    try:
        folder_of(name, data)
    except ReproduceError:
        return False
    return True


def folder_of(name: str, data: Path | None) -> Path:
    """Return the folder of a picture set.

    Raises
    ------
    ReproduceError
        If the folder is missing.
    """
    if data is not None:
        for folder in (data / name, data / name.capitalize(), data / name.upper()):
            if folder.is_dir():
                return folder
    where = "no folder of pictures was named" if data is None else f"“{data}” has no folder “{name}”"
    raise ReproduceError(
        f"The pictures “{name}” are missing: {where} (--data DIR). Download them from {FOUND_AT[name]}."
    )


def known_digests(name: str) -> dict[str, str]:
    """Return the published pictures' digests by file name; empty for a set whose digests are not known."""
    known: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "known_pictures.json").read_text())
    return known.get(name, {})


def check_known(name: str, pictures: Sequence[CleanPicture]) -> None:
    """Check that pictures are the published ones of their set, by their digests.

    Raises
    ------
    ReproduceError
        If a picture is missing, has other pixels, or does not belong to the set.
    """
    known = known_digests(name)
    if not known:
        return
    there = {picture.name.partition("/")[2]: picture.digest for picture in pictures}
    for stem, digest in known.items():
        if stem not in there:
            raise ReproduceError(f"The set “{name}” lacks its picture {stem}. Download the set from {FOUND_AT[name]}.")
        if there[stem] != digest:
            raise ReproduceError(
                f"The picture {stem} in “{name}” is not the one of the set: the hash of its pixels is {there[stem]}, "
                f"not {digest}. Download the set from {FOUND_AT[name]}."
            )
    if more := sorted(there.keys() - known.keys()):
        raise ReproduceError(
            f"The folder “{name}” holds pictures that do not belong to the set: {', '.join(more[:3])}. Move them away."
        )
