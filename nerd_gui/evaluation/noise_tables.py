"""Tables of the noise statistics of photos, and of a noise model."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from nerd_gui.evaluation.picture_sets import PictureSet
from nerd_gui.evaluation.tables import Table
from nerd_gui.imaging import open_photo
from nerd_gui.imaging.noise_statistics import LAGS, NoiseStatistics, NoiseStatisticsError, noise_statistics
from nerd_gui.training.noise_models import NoiseModel

_QUANTILES = ((0.1, "10 %"), (0.5, "median"), (0.9, "90 %"))
#: Intensity ranges, 0-255, into which a photo's intensity bins are grouped.
_RANGES = ((0, 85, "dark"), (85, 170, "middle"), (170, 256, "bright"))
_PATCH = 256  # largest side in pixels of the squares on which a model's noise is measured
_DRAWS = 8  # noise realisations for each clean picture
_CLEAN = 1.5  # a clean square is used only if its measured level is below this, which shows that it has flat parts


def noise_of(folder: Path) -> Iterator[tuple[str, NoiseStatistics]]:
    """Yield the name and noise statistics of each photo in a folder that can be measured; of pairs, the noisy photo.

    Raises
    ------
    PhotoError, EvaluationError
        If the folder is missing or empty, a picture cannot be opened, or a pair is incomplete.
    """
    for path in PictureSet.of(folder).pictures:
        try:
            yield path.stem, noise_statistics(open_photo(path).pixels)
        except NoiseStatisticsError:
            continue


def noise_drawn(noise: NoiseModel, folder: Path, channels: int) -> Iterator[tuple[str, NoiseStatistics]]:
    """Yield the name and statistics of a model's noise on clean pictures of a folder, eight seeded draws for each.

    The noise is measured on the middle of each picture, up to 256x256 pixels. Pictures whose middle has no flat part
    are skipped.

    Raises
    ------
    PhotoError, EvaluationError
        See `noise_of`.
    """
    seed = 0
    for path in PictureSet.of(folder).pictures:
        photo = open_photo(path)
        pixels = (photo.grey() if channels == 1 else photo).pixels
        shortest = min(pixels.shape[1:])
        patch = max((size for size in range(16, _PATCH + 1) if noise.side(size) <= shortest), default=0)
        if len(pixels) != channels or not patch:
            continue
        side = noise.side(patch)
        top, left = ((length - side) // 2 for length in pixels.shape[1:])
        square = pixels[:, top : top + side, left : left + side]
        try:
            if noise_statistics(square).level >= _CLEAN:
                continue
            for draw in range(_DRAWS):
                seed += 1
                clean = torch.from_numpy(square[None].copy())
                noisy = noise.draw(clean, torch.Generator().manual_seed(seed)).noisy
                yield f"{path.stem}, draw {draw + 1}", noise_statistics(noisy[0].numpy())
        except NoiseStatisticsError:
            continue


def quantiles(statistics: Sequence[NoiseStatistics]) -> Table:
    """Make a table with three quantiles over several photos of each plane's noise figures.

    "level" is that of the whole photo. The levels in the dark, middle and bright third of the scale only include photos
    that have flat parts there.
    """
    header = ["plane", "", "level", *(name for *_, name in _RANGES), *(f"lag {lag + 1}" for lag in range(LAGS))]
    table = [[*header, "excess kurtosis"]]
    planes = max((one.planes for one in statistics), key=len)  # grey photos have one, colour photos three
    for index, plane in enumerate(planes):
        rows = np.array([_figures(one, index) for one in statistics if index < len(one.planes)])
        for quantile, name in _QUANTILES:
            figures = [
                float(np.quantile(column, quantile))
                if (column := rows[:, place][~np.isnan(rows[:, place])]).size
                else None
                for place in range(rows.shape[1])
            ]
            forms = [".1f"] * (1 + len(_RANGES)) + [".2f"] * (LAGS + 1)
            cells = ["-" if value is None else format(value, form) for value, form in zip(figures, forms, strict=True)]
            table.append([plane.name, name, *cells])
    return table


def _figures(statistics: NoiseStatistics, index: int) -> list[float]:
    plane = statistics.planes[index]
    by_range = []
    for low, high, _ in _RANGES:
        levels = [one.levels[index] for one in statistics.bins if low <= one.intensity < high]
        by_range.append(float(np.median(levels)) if levels else np.nan)
    return [plane.level, *by_range, *plane.mean, plane.kurtosis]


def one_photo(statistics: NoiseStatistics) -> list[Table]:
    """Make two tables for one photo: the level by intensity, and correlation and kurtosis of each plane."""
    names = [plane.name for plane in statistics.planes]
    levels: Table = [["intensity", "flat blocks", "part of the photo", *names]]
    for one in statistics.bins:
        levels.append(
            [f"{one.intensity:.0f}", str(one.blocks), f"{one.share:.0%}", *(f"{level:.2f}" for level in one.levels)]
        )
    shape: Table = [["correlation", *(f"lag {lag + 1}" for lag in range(LAGS)), "excess kurtosis"]]
    for plane in statistics.planes:
        for way, values, kurtosis in (
            ("horizontal", plane.horizontal, ""),
            ("vertical", plane.vertical, ""),
            ("mean", plane.mean, f"{plane.kurtosis:.2f}"),
        ):
            shape.append([f"{plane.name} {way}", *(f"{value:.2f}" for value in values), kurtosis])
    return [levels, shape]
