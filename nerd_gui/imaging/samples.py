"""The sample pictures, which are part of scikit-image, so that nothing has to be downloaded."""

import hashlib
import importlib.resources
import json
from dataclasses import replace
from pathlib import Path

from nerd_gui.imaging.errors import PhotoError
from nerd_gui.imaging.photo import Photo, open_photo
from nerd_gui.places import data_folder


def sample_names() -> list[str]:
    """Return the names of the sample pictures; the first is small enough for a live first run."""
    return list(_entries())


def open_sample(name: str) -> Photo:
    """Open a sample picture by its name.

    Raises
    ------
    PhotoError
        If there is no sample of that name or its file is missing.
    """
    entry = _entry(name)
    # The file is opened directly, because scikit-image's loaders download missing files.
    folder = importlib.resources.files("skimage") / "data"
    photo = open_photo(Path(str(folder / entry["file"])))
    if "crop" in entry:
        photo = photo.crop(*entry["crop"])
    digest = hashlib.sha256(photo.pixels.tobytes()).hexdigest()
    return replace(photo, name=name, path=None, sha256=digest)


def describe_sample(name: str) -> str:
    """Return a sample picture's title, author and licence.

    Raises
    ------
    PhotoError
        If there is no sample of that name.
    """
    entry = _entry(name)
    return f"{entry['title']} ({entry['credit']}, {entry['licence']})"


def _entry(name: str) -> dict[str, str]:
    entries = _entries()
    if name not in entries:
        raise PhotoError(f"There is no sample picture “{name}”; choose one of {', '.join(entries)}.")
    return entries[name]


def _entries() -> dict[str, dict[str, str]]:
    text = (data_folder("resources") / "samples.json").read_text(encoding="utf-8")
    return {entry["name"]: entry for entry in json.loads(text)}
