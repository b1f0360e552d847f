"""Training patches: pictures in memory as one array, patches cut, turned, and given noise on the device."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"}


class DataError(ValueError):
    """Training data that cannot be used; the message says where and why."""


def validation_names() -> list[str]:
    """Names (without suffix) of the pictures of bsd400 that are never trained on."""
    lines = (Path(__file__).parent / "validation.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def picture_files(folder: Path) -> list[Path]:
    """The pictures of a folder, sorted by name.

    Raises
    ------
    DataError
        If the folder is missing or holds no picture.
    """
    if not folder.is_dir():
        raise DataError(f"The picture folder “{folder}” does not exist; name a folder of pictures.")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise DataError(f"The folder “{folder}” holds no pictures; name a folder of JPEG or PNG files.")
    return files


def read_grey(path: Path) -> np.ndarray:
    """One picture as (rows, cols) uint8, ITU-R 601 luma."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L"))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise DataError(f"The picture “{path}” cannot be read ({error}); remove or replace it.") from error


def load_pictures(source: Path) -> tuple[Tensor, list[np.ndarray]]:
    """Training pictures as one (N, rows, cols) uint8 tensor, landscape, and the validation pictures as they are.

    `source` is a folder of equally large pictures, or the one `.npz` file that `pack_pictures` made of it.

    Raises
    ------
    DataError
        If it cannot be read, holds no training or no validation pictures, or pictures of different sizes.
    """
    if source.suffix == ".npz":
        try:
            with np.load(source) as packed:
                count = sum(name.startswith("validation_") for name in packed)
                validation = [packed[f"validation_{i}"] for i in range(count)]
                return torch.from_numpy(packed["training"]), validation
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"The packed pictures “{source}” cannot be read ({error}); pack them again.") from error
    held_out = set(validation_names())
    training, validation = [], []
    for path in picture_files(source):
        picture = read_grey(path)
        if path.stem in held_out:
            validation.append(picture)
        else:
            training.append(picture if picture.shape[0] <= picture.shape[1] else np.rot90(picture))
    if not training or not validation:
        kind = "validation pictures (those of bsd400 that are set aside)" if training else "training pictures"
        raise DataError(f"The folder “{source}” holds no {kind}; name the folder of bsd400, or one with its names.")
    sizes = {picture.shape for picture in training}
    if len(sizes) != 1:
        raise DataError(f"The training pictures in “{source}” differ in size ({sorted(sizes)}); crop them to one size.")
    return torch.from_numpy(np.stack(training)), validation


def pack_pictures(source: Path, target: Path) -> None:
    """Decode a folder once into one file that travels with a checkout."""
    training, validation = load_pictures(source)
    named = {f"validation_{i}": picture for i, picture in enumerate(validation)}
    named["training"] = training.numpy()
    np.savez_compressed(target, **named)  # type: ignore[arg-type]


@dataclass(frozen=True)
class NoiseRange:
    """Noise levels to train for, in 0-255 units, drawn evenly from [low, high]."""

    low: float
    high: float


class PatchSampler:
    """Draws (noisy, clean, sigma) batches; all randomness comes from the one generator it is given."""

    def __init__(self, pictures: Tensor, noise: NoiseRange, generator: torch.Generator) -> None:
        self.pictures = pictures
        self.noise = noise
        self.generator = generator
        self.device = pictures.device

    def _integers(self, high: int, count: int) -> Tensor:
        return torch.randint(high, (count,), generator=self.generator, device=self.device)

    def batch(self, size: int, patch: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return noisy and clean (B, 1, patch, patch) in [0, 1] and sigma (B,) in 0-255 units (Sec. VII-A)."""
        count, rows, cols = self.pictures.shape
        if patch > min(rows, cols):
            raise DataError(f"Patches of {patch} pixels do not fit pictures of {rows}x{cols} pixels.")
        index = self._integers(count, size)
        top = self._integers(rows - patch + 1, size)
        left = self._integers(cols - patch + 1, size)
        span = torch.arange(patch, device=self.device)
        down, across = top[:, None] + span, left[:, None] + span
        clean = self.pictures[index[:, None, None], down[:, :, None], across[:, None, :]].float()[:, None] / 255
        # The eight turns and flips of the square, each sample its own.
        turn = self._integers(8, size)[:, None, None, None]
        clean = torch.where(turn % 2 == 1, clean.flip(-1), clean)
        clean = torch.where(turn // 2 % 2 == 1, clean.flip(-2), clean)
        clean = torch.where(turn // 4 == 1, clean.transpose(-1, -2), clean)
        uniform = torch.rand(size, generator=self.generator, device=self.device)
        sigma = self.noise.low + (self.noise.high - self.noise.low) * uniform
        grain = torch.randn(clean.shape, generator=self.generator, device=self.device)
        return clean + grain * (sigma[:, None, None, None] / 255), clean, sigma
