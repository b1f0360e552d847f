"""Training data: pictures in one array in memory, from which random noisy patches are made on the device."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from nerd_gui.imaging import picture_files
from nerd_gui.training.cutting import landscape, parts
from nerd_gui.training.grain import NoisyPatches
from nerd_gui.training.noise_models import NoiseModel

#: Pictures of bsd400 that contain a test picture: the starfish of Set12 (04) is a crop of 12003.
_SEEN_IN_TESTS = frozenset({"12003"})


class DataError(ValueError):
    """Training data cannot be used; the message says where and why."""


def validation_names() -> list[str]:
    """Names (without suffix) of the pictures of bsd400 that are held out for validation."""
    lines = (Path(__file__).parent / "validation.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def read_grey(path: Path) -> np.ndarray:
    """Read a picture as (rows, cols) uint8, ITU-R 601 luma."""
    return _read(path, "L")


def read_colour(path: Path) -> np.ndarray:
    """Read a picture as (3, rows, cols) uint8, RGB."""
    return _read(path, "RGB").transpose(2, 0, 1)


def _read(path: Path, mode: str) -> np.ndarray:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert(mode))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise DataError(f"The picture “{path}” cannot be read ({error}); remove or replace it.") from error


def load_pictures(folders: Path | Sequence[Path], channels: int = 1) -> tuple[Tensor, list[np.ndarray]]:
    """Load the training pictures as one uint8 tensor, in landscape format, and the validation pictures unchanged.

    Grey pictures are (N, rows, cols), and each validation picture (rows, cols); with 3 channels they are
    (N, 3, rows, cols) and (3, rows, cols).

    Parameters
    ----------
    folders : Path or sequence of Path
        First a folder of pictures of equal size, bsd400 or one with its file names, so that the validation pictures can
        be held out. Pictures in further folders are cut into parts of the same size (`parts`).
    channels : {1, 3}

    Raises
    ------
    PhotoError
        If a folder is missing or has no pictures.
    DataError
        If a picture cannot be read, there are no training or no validation pictures, those of the first folder differ
        in size, or a further folder has no picture that is large enough.
    """
    first, *further = [folders] if isinstance(folders, Path) else folders
    ours, validation = _separated(first, channels)
    if not ours or not validation:
        kind = "validation pictures (those of bsd400 that are set aside)" if ours else "training pictures"
        raise DataError(f"The folder “{first}” holds no {kind}; name bsd400, or a folder with its file names.")
    sizes = {picture.shape[-2:] for picture in ours}
    if len(sizes) != 1:
        raise DataError(f"The training pictures in “{first}” differ in size ({sorted(sizes)}); crop them to one size.")
    ((rows, cols),) = sizes
    for folder in further:
        cut = [part for picture in _separated(folder, channels)[0] for part in parts(picture, rows, cols)]
        if not cut:
            raise DataError(
                f"No picture in “{folder}” has a usable part of {cols}x{rows} pixels, the size of the pictures in "
                f"“{first}”; leave the folder out."
            )
        ours += cut
    return torch.from_numpy(np.stack(ours)), validation


def _separated(folder: Path, channels: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The pictures of a folder for training, turned to landscape, and those held out for validation, unchanged."""
    held_out = set(validation_names())
    read = read_grey if channels == 1 else read_colour
    ours, validation = [], []
    for path in picture_files(folder):
        picture = read(path)
        if path.stem in held_out:
            validation.append(picture)
        elif path.stem not in _SEEN_IN_TESTS:
            ours.append(landscape(picture))
    return ours, validation


class PatchSampler:
    """Draws batches of noisy patches and their targets; all random numbers come from the given generator."""

    def __init__(self, pictures: Tensor, noise: NoiseModel, generator: torch.Generator) -> None:
        self.pictures = pictures if pictures.dim() == 4 else pictures[:, None]
        self.noise = noise
        self.generator = generator
        self.device = pictures.device

    def _integers(self, high: int, count: int) -> Tensor:
        return torch.randint(high, (count,), generator=self.generator, device=self.device)

    def batch(self, size: int, patch: int) -> NoisyPatches:
        """Draw noisy patches and targets (B, C, patch, patch) in [0, 1], and sigma (B,), 0-255 scale (Sec. VII-A)."""
        count, channels, rows, cols = self.pictures.shape
        side = self.noise.side(patch)
        if side > min(rows, cols):
            made = "" if side == patch else f", which are made from squares of {side},"
            raise DataError(f"Patches of {patch} pixels{made} do not fit pictures of {rows}x{cols} pixels.")
        index = self._integers(count, size)
        top = self._integers(rows - side + 1, size)
        left = self._integers(cols - side + 1, size)
        span = torch.arange(side, device=self.device)
        down, across = (top[:, None] + span)[:, None, :, None], (left[:, None] + span)[:, None, None, :]
        channel = torch.arange(channels, device=self.device)[:, None, None]
        clean = self.pictures[index[:, None, None, None], channel, down, across].float() / 255
        # One of the eight rotations and reflections of the square for each sample.
        turn = self._integers(8, size)[:, None, None, None]
        clean = torch.where(turn % 2 == 1, clean.flip(-1), clean)
        clean = torch.where(turn // 2 % 2 == 1, clean.flip(-2), clean)
        clean = torch.where(turn // 4 == 1, clean.transpose(-1, -2), clean)
        return self.noise.draw(clean, self.generator)
