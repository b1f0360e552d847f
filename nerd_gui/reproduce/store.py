"""Measured rows, saved as CSV, so that a run that was stopped can be continued."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from nerd_gui.files import write_file
from nerd_gui.reproduce.item import ReproduceError, Row

#: The columns that every CSV has: the network and its file's SHA-256, the picture with the SHA-256 of its clean pixels
#: and its size, and the noise. A measurement over several pictures names their set instead.
COMMON: Mapping[str, type] = {
    "network": str,
    "weights": str,
    "picture": str,
    "pixels": str,
    "rows": int,
    "cols": int,
    "sigma": float,
    "seed": int,
}
#: When a row was measured, and by which version of the program. These two do not tell measurements apart.
_WHEN: Mapping[str, type] = {"date": str, "version": str}


class Store:
    """The measured rows of one item, in a CSV file.

    Parameters
    ----------
    path : Path
        The CSV file; it is created with the first rows.
    key, values : mapping of str to type
        Its columns in addition to the common ones.
    when : (str, str)
        Date and version, written into new rows.

    Raises
    ------
    ReproduceError
        If the file exists but has other columns.
    """

    def __init__(self, path: Path, key: Mapping[str, type], values: Mapping[str, type], when: tuple[str, str]) -> None:
        self._path, self._when = path, dict(zip(_WHEN, when, strict=True))
        self._key = {**COMMON, **key}
        self._columns = {**self._key, **values, **_WHEN}
        self._rows = self._read()

    def _read(self) -> list[Row]:
        if not self._path.exists():
            return []
        with open(self._path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames != list(self._columns):
                raise ReproduceError(
                    f"“{self._path}” has other columns than this version writes; move it away, or choose another "
                    "folder."
                )
            try:
                return [self._typed(row) for row in reader]
            except ValueError as error:
                raise ReproduceError(f"“{self._path}” is damaged ({error}); move it away to measure anew.") from error

    def _typed(self, row: Mapping[str, str]) -> Row:
        return {name: None if row[name] == "" else kind(row[name]) for name, kind in self._columns.items()}

    def kept(self, key: Mapping[str, object]) -> list[Row]:
        """Return the rows of a measurement that the file holds; empty if it was not measured."""
        typed = self._typed(self._as_text(key))
        named = {name: typed[name] for name in self._key if name in key}
        return [row for row in self._rows if all(row[name] == value for name, value in named.items())]

    def measured(
        self,
        key: Mapping[str, object],
        compute: Callable[[], Iterable[Row]],
        whole: Callable[[Row], bool] = lambda row: True,
    ) -> list[Row]:
        """Return the rows of a measurement: from the file if it has them, otherwise measured now and saved together.

        Parameters
        ----------
        key : mapping
            Values of the common columns and of the item's own key; None where one does not apply.
        compute : callable
            Measures; returns for each row its values, and the key columns in which the rows differ.
        whole : callable
            Called with a row; says whether the files that the row names exist. If not, the measurement is repeated.
        """
        found = self.kept(key)
        if not (found and all(map(whole, found))):
            self._rows = [row for row in self._rows if row not in found]
            found = [self._typed(self._as_text({**key, **row, **self._when})) for row in compute()]
            self._rows += found
            self._write()
        return found

    def _as_text(self, row: Mapping[str, object]) -> dict[str, str]:
        unknown = row.keys() - self._columns.keys()
        if unknown:
            raise KeyError(f"The store has no column {', '.join(sorted(unknown))}.")
        return {name: _text(row.get(name), kind) for name, kind in self._columns.items()}

    def _write(self) -> None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(self._columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._as_text(row) for row in self._rows)
        try:
            write_file(self._path, text.getvalue().encode())
        except OSError as error:
            raise ReproduceError(
                f"“{self._path}” cannot be written ({error.strerror}); make room or choose another folder."
            ) from error


def _text(value: object, kind: type) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return f"{float(str(value)):.8g}" if kind is float else str(kind(value))
