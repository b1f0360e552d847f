"""Lists the pictures in a folder."""

from pathlib import Path

from nerd_gui.imaging.errors import PhotoError
from nerd_gui.imaging.raw import RAW_SUFFIXES, can_develop
from nerd_gui.imaging.save import SUFFIXES


def picture_files(folder: Path) -> list[Path]:
    """Return the pictures of a folder, recognised by suffix, sorted by name.

    Raises
    ------
    PhotoError
        If the folder is missing or holds no picture.
    """
    files, _ = sorted_out(folder)
    if not files:
        raise PhotoError(f"The folder “{folder}” holds no pictures; name a folder of JPEG or PNG files.")
    return files


def sorted_out(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the pictures of a folder, recognised by suffix, and all other files, each sorted by name.

    Raw files count as pictures if they can be developed here. Hidden files, in which programs keep their own data, are
    in neither list.

    Raises
    ------
    PhotoError
        If the folder is missing or cannot be read.
    """
    if not folder.is_dir():
        raise PhotoError(f"The picture folder “{folder}” does not exist; name a folder of pictures.")
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise PhotoError(f"The folder “{folder}” cannot be read ({error.strerror}); choose another one.") from error
    suffixes = (*SUFFIXES, *(RAW_SUFFIXES if can_develop() else ()))
    pictures: list[Path] = []
    others: list[Path] = []
    for path in entries:
        (pictures if path.suffix.lower() in suffixes else others).append(path)
    return pictures, others
