"""Writes the analyses of one run as files: JSON for numbers, NPZ for arrays, PNG for pictures."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nerd_gui.analysis.catalogue import CATALOGUE, RACE, racers
from nerd_gui.analysis.race import save_race
from nerd_gui.denoising.analysed import Analysed
from nerd_gui.files import write_file


class Folder:
    """The folder that the analyses of one run are written to; each file is written whole or not at all.

    Parameters
    ----------
    path : Path
        Created if it does not exist.
    overwrite : bool
        Whether existing files may be replaced.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self._path, self._overwrite = path, overwrite
        path.mkdir(parents=True, exist_ok=True)

    def answer(self, name: str, found: Analysed) -> None:
        """Write the arrays of an answer, if it has any, as NAME.npz, and its pictures as PNG files."""
        if found.arrays or name == RACE.name:
            save_arrays(self._path / f"{name}.npz", name, found, overwrite=self._overwrite)
        for picture in CATALOGUE[name].show(found).pictures:
            file = f"{name}_{picture.name}.png" if picture.name else f"{name}.png"
            pixels, buffer = picture.pixels(), io.BytesIO()
            Image.fromarray(pixels.repeat(picture.enlarge, 0).repeat(picture.enlarge, 1)).save(buffer, "PNG")
            write_file(self._path / file, buffer.getvalue(), overwrite=self._overwrite)

    def numbers(self, name: str, numbers: dict[str, Any]) -> None:
        """Write numbers as NAME.json."""
        save_numbers(self._path / f"{name}.json", numbers, overwrite=self._overwrite)


def save_arrays(path: Path, name: str, found: Analysed, *, overwrite: bool = False) -> None:
    """Write the arrays of an answer as NPZ, its numbers as JSON in ``about``; a race is written by `save_race`.

    Raises
    ------
    OSError
        If the file cannot be written, or exists and may not be replaced.
    """
    if name == RACE.name:
        save_race(path, racers(found), overwrite=overwrite)
        return
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {"about": np.array(json.dumps(found.numbers, allow_nan=False)), **found.arrays}
    np.savez_compressed(buffer, **arrays)
    write_file(path, buffer.getvalue(), overwrite=overwrite)


def save_numbers(path: Path, numbers: dict[str, Any], *, overwrite: bool = False) -> None:
    """Write JSON-ready numbers as a JSON file.

    Raises
    ------
    OSError
        If the file cannot be written, or exists and may not be replaced.
    """
    text = json.dumps(numbers, indent=2, allow_nan=False)
    write_file(path, f"{text}\n".encode(), overwrite=overwrite)
