"""Analyses of one run as files: JSON for numbers, NPZ for arrays, PNG to look at."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nerd_gui.files import write_file

_RED, _BLUE = np.array([178, 24, 43]), np.array([33, 102, 172])


def signed_picture(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Values around 0 as colours: white at 0, red above, blue below, by the root so that small ones are seen.

    Parameters
    ----------
    values : array (rows, cols)

    Returns
    -------
    uint8 array (rows, cols, 3)
    """
    strength = np.sqrt(np.abs(values) / max(float(np.abs(values).max()), np.finfo(np.float64).tiny))[..., None]
    colour = np.where(values[..., None] >= 0, _RED, _BLUE)
    return np.rint(255 + strength * (colour - 255)).astype(np.uint8)


def grey_picture(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Values from 0 on as levels of grey, the largest white; (rows, cols) uint8."""
    return np.rint(255 * values / max(float(values.max()), np.finfo(np.float64).tiny)).clip(0, 255).astype(np.uint8)


class Folder:
    """Writes the files of one analysis, each whole or not at all.

    Parameters
    ----------
    path : Path
        Made if it is not there.
    overwrite : bool
        Whether files that are there may be replaced.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self._path, self._overwrite = path, overwrite
        path.mkdir(parents=True, exist_ok=True)

    def arrays(self, name: str, **arrays: NDArray[Any]) -> None:
        """Write arrays as NAME.npz."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # numpy's stub names one keyword of its own
        self._write(f"{name}.npz", buffer.getvalue())

    def picture(self, name: str, pixels: NDArray[np.uint8], enlarge: int = 1) -> None:
        """Write a picture as NAME.png, each pixel as a square of `enlarge`."""
        buffer = io.BytesIO()
        Image.fromarray(pixels.repeat(enlarge, 0).repeat(enlarge, 1)).save(buffer, "PNG")
        self._write(f"{name}.png", buffer.getvalue())

    def numbers(self, name: str, numbers: dict[str, Any]) -> None:
        """Write numbers as NAME.json; those that are not finite become null."""
        text = json.dumps(_plain(numbers), indent=2, allow_nan=False)
        self._write(f"{name}.json", f"{text}\n".encode())

    def _write(self, name: str, data: bytes) -> None:
        write_file(self._path / name, data, overwrite=self._overwrite)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
