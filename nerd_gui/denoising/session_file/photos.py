"""The photo of a session: a reference to its file, or the photo itself if it has no file."""

import os
from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerd_gui.denoising.session_file.errors import PhotoWanted, SessionFileError
from nerd_gui.denoising.session_file.fields import Damaged, Fields
from nerd_gui.imaging import MAX_PIXELS, MAX_SIDE, Photo, PhotoError, open_sample, sample_names

_BLOCKS = ("exif", "icc_profile", "xmp")

#: Opens a photo file; raises the errors of `open_photo`.
Open = Callable[[Path], Photo]
#: Loads an array of the session, given its name, shape and type.
Load = Callable[[str, tuple[int, ...], type[np.float32]], NDArray[Any]]


def is_sample(photo: Photo) -> bool:
    """Whether a photo is a built-in picture, for which the session only stores the name."""
    return photo.path is None and photo.name in sample_names() and _sample_sha256(photo.name) == photo.sha256


@cache
def _sample_sha256(name: str) -> str:
    return open_sample(name).sha256


def embedded_arrays(photo: Photo, name: str) -> dict[str, NDArray[Any]]:
    """The arrays of a photo that the session must store, by member name; none if the photo has a file."""
    if photo.path is not None or is_sample(photo):
        return {}
    arrays = {f"{name}/pixels.npy": photo.pixels}
    return arrays if photo.alpha is None else arrays | {f"{name}/alpha.npy": photo.alpha}


def photo_to_json(photo: Photo, folder: Path) -> dict[str, Any]:
    """Describe a photo: its hash, size, and absolute and relative path from the session's folder."""
    known = {
        "name": photo.name,
        "sha256": photo.sha256,
        "channels": photo.channels,
        "rows": photo.rows,
        "cols": photo.cols,
    }
    if photo.path is not None:
        path = photo.path.absolute()
        return known | {"kind": "file", "path": str(path), "relative_path": _relative(path, folder)}
    if is_sample(photo):
        return known | {"kind": "sample"}
    blocks = {name: getattr(photo, name) for name in _BLOCKS}
    return known | {
        "kind": "embedded",
        "bit_depth": photo.bit_depth,
        "alpha": photo.alpha is not None,
        "format": photo.format,
        **{name: None if block is None else b64encode(block).decode() for name, block in blocks.items()},
    }


def photo_from_json(fields: Fields, member: str, folder: Path, located: Path | None, open_: Open, load: Load) -> Photo:
    """Open the photo of a session, bit for bit the same as when the session was saved.

    Parameters
    ----------
    fields : Fields
        The description that `photo_to_json` made.
    member : str
        Prefix of the names of the photo's arrays in the session.
    folder : Path
        Folder of the session.
    located : Path or None
        The photo's file if the user has named it.
    open_, load : callable
        See `Open` and `Load`.

    Raises
    ------
    PhotoWanted
        If the photo is not found, or the file is another photo.
    Damaged, ValueError
        If the description is invalid.
    """
    kind = fields.text("kind")
    if kind == "sample":
        photo = open_sample(fields.text("name"))
        if photo.sha256 != fields.text("sha256"):
            raise SessionFileError(f"The built-in picture “{photo.name}” has changed since this session was saved.")
        return photo
    if kind == "embedded":
        return _embedded(fields, member, load)
    if kind != "file":
        raise Damaged(f"“{kind}” is not a known kind of photo")
    return _from_file(fields, folder, located, open_)


def _from_file(fields: Fields, folder: Path, located: Path | None, open_: Open) -> Photo:
    was, sha256 = Path(fields.text("path")), fields.text("sha256")
    places = [located] if located is not None else [was]
    if located is None and fields.has("relative_path"):  # tried first, in case the folder was moved or copied
        places.insert(0, folder / fields.text("relative_path"))
    there = [place for place in dict.fromkeys(places) if place is not None and place.is_file()]
    for place in there:
        try:
            photo = open_(place)
        except PhotoError:  # it cannot be opened, so it is not the session's photo
            continue
        if photo.sha256 == sha256:
            return photo
    if there:
        raise PhotoWanted(
            f"“{there[-1].name}” in “{there[-1].parent}” is not the photo of this session, or it has been changed "
            "since."
        )
    raise PhotoWanted(f"The photo “{was.name}” of this session is no longer in “{was.parent}”.")


def _embedded(fields: Fields, member: str, load: Load) -> Photo:
    shape = fields.whole("channels", 1), fields.whole("rows", 1), fields.whole("cols", 1)
    if shape[0] not in (1, 3) or max(shape) > MAX_SIDE or shape[1] * shape[2] > MAX_PIXELS:
        raise Damaged("the photo's size is impossible")
    blocks = {name: b64decode(fields.text(name)) if fields.has(name) else None for name in _BLOCKS}
    return Photo(
        load(f"{member}/pixels.npy", shape, np.float32),
        load(f"{member}/alpha.npy", shape[1:], np.float32) if fields.flag("alpha") else None,
        fields.whole("bit_depth"),
        fields.text("name"),
        format=fields.text("format") if fields.has("format") else None,
        sha256=fields.text("sha256"),
        exif=blocks["exif"],
        icc_profile=blocks["icc_profile"],
        xmp=blocks["xmp"],
    )


def _relative(path: Path, folder: Path) -> str | None:
    """The path relative to a folder; None if there is none, as between drives on Windows."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return None
