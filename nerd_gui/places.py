"""The folders of the files that are shipped with the program."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_folder(name: str) -> Path:
    """Return the folder `name` ("weights" or "resources") that is shipped with the program.

    In a checkout it is beside the package, in an installed wheel inside it.

    Raises
    ------
    FileNotFoundError
        If the installation lacks the folder.
    """
    for parent in (_PACKAGE, _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(f"The folder “{name}” that comes with NERD GUI is missing; reinstall the program.")
