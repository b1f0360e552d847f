"""What items measure with: networks, pictures whose hashes are known, and the rows that are there already."""

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

#: Where the picture sets are found by who does not have them.
FOUND_AT = {
    "set12": "https://github.com/cszn/DnCNN (testsets/Set12)",
    "bsd68": "https://github.com/cszn/DnCNN (testsets/BSD68)",
    "urban100": "https://github.com/jbhuang0604/SelfExSR (data/Urban100)",
    "depth": "https://vision.middlebury.edu/stereo/data/scenes2006/HalfSize/zip-2views/ (disp1.png of each scene)",
    "bsd400": "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/bsds/ (train and test)",
}
#: Pictures of quick mode, whatever is asked for: what is measured on them is worth nothing but says that all works.
_QUICK, _QUICK_SIDE = ("camera 256", "coins"), 24


@dataclass(frozen=True, eq=False)
class CleanPicture:
    """A clean picture of a set; its noise is seeded with its index.

    Attributes
    ----------
    photo : Photo
        Grey, (1, rows, cols).
    name : str
        "SET/NAME".
    seed : int
    """

    photo: Photo
    name: str
    seed: int

    @property
    def digest(self) -> str:
        """The first 16 digits of the SHA-256 of its 8-bit pixels, row by row, headed by "ROWS COLS "."""
        return digest_of(self.photo)

    @property
    def clean(self) -> Tensor:
        """x (1, 1, rows, cols) in [0, 1]."""
        return torch.from_numpy(np.ascontiguousarray(self.photo.pixels, dtype=np.float32))[None]

    def subject(self, sigma: float) -> Subject:
        """The picture with noise, as a run takes it."""
        return Subject.of(self.photo, sigma=sigma, seed=self.seed)

    def noisy(self, sigma: float) -> Tensor:
        """y (1, 1, rows, cols)."""
        return torch.from_numpy(self.subject(sigma).noisy)[None]

    def part(self, row: int, col: int, rows: int, cols: int) -> CleanPicture:
        """A part of it, or as much of that as there is."""
        rows, cols = min(rows, self.photo.rows), min(cols, self.photo.cols)
        row, col = min(row, self.photo.rows - rows), min(col, self.photo.cols - cols)
        return CleanPicture(self.photo.crop(row, col, rows, cols), self.name, self.seed)

    def middle(self, side: int) -> CleanPicture:
        """The square in the middle, or as much of it as there is."""
        return self.part(max(0, (self.photo.rows - side) // 2), max(0, (self.photo.cols - side) // 2), side, side)


def digest_of(photo: Photo) -> str:
    """See `CleanPicture.digest`."""
    pixels = to_8_bit(photo.pixels)[0]
    return hashlib.sha256(f"{photo.rows} {photo.cols} ".encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()[
        :16
    ]


@dataclass(frozen=True, eq=False)
class NamedNetwork:
    """A network in evaluation, its name, and the first 16 digits of its file's SHA-256."""

    name: str
    net: Network
    weights: str


class Workbench:
    """What an item measures with.

    Attributes
    ----------
    lacks : bool
        Whether a measurement was not there that was not to be made.

    Parameters
    ----------
    item : Item
    out : Path
        Folder of the page, its CSVs and pictures.
    data : Path or None
        Folder of the picture sets' folders.
    store : Store
        Of the item's rows.
    quick : bool
        Whether to take small stand-ins for all pictures and few steps: to see that it works.
    fresh : bool
        Whether to measure again what networks' cards tell already.
    measures : bool
        Whether to measure what is not there yet.
    say : callable
        Told what is being measured.
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
        """A network by name, of those that come with the program or of the ablations.

        Raises
        ------
        ModelError
        """
        if name not in self._networks:
            self._networks[name] = NamedNetwork(name, load_model(name), weights_sha256(name)[:16])
        return self._networks[name]

    def window_of(self, name: str) -> int:
        """q that a network was trained with; its weights are not loaded for it."""
        return load_config(name).window

    def present(self, names: Iterable[str]) -> list[str]:
        """Those of some networks that are here."""
        return [name for name in names if is_here(name)]

    def pictures(self, name: str, only: Sequence[str] | None = None) -> list[CleanPicture]:
        """The pictures of a set, all or some of them by name; in quick mode small stand-ins.

        Raises
        ------
        ReproduceError
            If the set is missing, or is not the one that its name says.
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
        """The depth map that scikit-image brings along, its disparities times 4 as grey levels.

        Where none is known stands the nearest that is.
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
        """The rows of one measurement, see `Store.measured`; a file that a row names must be there, too.

        Where nothing is to be measured and they are not there, `lacks` is noted and there are none; unless to `compute`
        them takes no time (`at_once`).
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
        """Write a picture beside the page, and return the name of its file."""
        write_file(self.out / name, content)
        return name


def is_here(name: str) -> bool:
    """Whether there is a network of this name."""
    try:
        model_path(name)
    except ModelError:
        return False
    return True


def has_pictures(name: str, data: Path | None) -> bool:
    """Whether the folder of a picture set is there."""
    try:
        folder_of(name, data)
    except ReproduceError:
        return False
    return True


def folder_of(name: str, data: Path | None) -> Path:
    """The folder of a picture set.

    Raises
    ------
    ReproduceError
        If it is missing.
    """
    if data is not None:
        for folder in (data / name, data / name.capitalize(), data / name.upper()):
            if folder.is_dir():
                return folder
    where = "no folder of pictures was named" if data is None else f"“{data}” has no folder “{name}”"
    raise ReproduceError(
        f"The pictures “{name}” are missing: {where} (--data DIR). They are found at {FOUND_AT[name]}."
    )


def known_digests(name: str) -> dict[str, str]:
    """Digests of the pictures of a set by name; empty for a set that none are known of."""
    known: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "known_pictures.json").read_text())
    return known.get(name, {})


def check_known(name: str, pictures: Sequence[CleanPicture]) -> None:
    """See to it that pictures are those of a set that is known.

    Raises
    ------
    ReproduceError
        If one is missing or another.
    """
    known = known_digests(name)
    if not known:
        return
    there = {picture.name.partition("/")[2]: picture.digest for picture in pictures}
    for stem, digest in known.items():
        if stem not in there:
            raise ReproduceError(f"The set “{name}” lacks its picture {stem}; the whole is found at {FOUND_AT[name]}.")
        if there[stem] != digest:
            raise ReproduceError(
                f"The picture {stem} in “{name}” is another one than that of the set (its pixels' hash is "
                f"{there[stem]}, not {digest}); the set is found at {FOUND_AT[name]}."
            )
    if more := sorted(there.keys() - known.keys()):
        raise ReproduceError(f"The folder “{name}” holds pictures that are none of the set: {', '.join(more[:3])}.")
