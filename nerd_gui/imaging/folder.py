"""The pictures of a folder."""

from pathlib import Path

from nerd_gui.imaging.decode import PhotoError
from nerd_gui.imaging.save import SUFFIXES


def picture_files(folder: Path) -> list[Path]:
    """The pictures of a folder, told by their suffixes, sorted by name.

    Raises
    ------
    PhotoError
        If the folder is missing or holds no picture.
    """
    if not folder.is_dir():
        raise PhotoError(f"The picture folder “{folder}” does not exist; name a folder of pictures.")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not files:
        raise PhotoError(f"The folder “{folder}” holds no pictures; name a folder of JPEG or PNG files.")
    return files
