"""The list of recently opened photos and sessions."""

from pathlib import Path

from PySide6.QtCore import QSettings

_MOST = 10


class RecentFiles:
    """A list of files, newest first, that is kept from one start of the program to the next."""

    def __init__(self, store: QSettings) -> None:
        self._store = store

    @property
    def paths(self) -> list[Path]:
        """The files of the list that still exist."""
        stored = self._store.value("recent", [])
        # QSettings returns a list of one item as the item.
        names = [stored] if isinstance(stored, str) else stored if isinstance(stored, list) else []
        return [Path(name) for name in names if Path(name).is_file()]

    def add(self, path: Path) -> None:
        """Put a file at the top of the list."""
        others = [known for known in self.paths if known != path.absolute()]
        self._store.setValue("recent", [str(known) for known in [path.absolute(), *others][:_MOST]])
