"""Values of a JSON file that may hold anything: each is what it is asked for as, or the file is damaged."""

import math
import sys
from collections.abc import Iterator
from typing import Any, NoReturn


class Damaged(ValueError):
    """A value is missing or of another kind; the message names it, as a clause."""


def plain_number(value: float | None) -> float | str | None:
    """A number as JSON holds it: what is not finite, in words."""
    return value if value is None or math.isfinite(value) else str(value)


class Fields:
    """An object of a JSON file.

    Each method returns the value of that name.

    Attributes
    ----------
    values : dict
        All of them, as they are.

    Raises
    ------
    Damaged
        If it is not of the kind that is asked for.
    """

    def __init__(self, value: Any, where: str = "") -> None:
        if not isinstance(value, dict):
            raise Damaged(f"{where or 'its content'} is no object")
        self.values = value
        self._where = where

    def has(self, name: str) -> bool:
        """Whether there is such a value, and it is not null."""
        return self.values.get(name) is not None

    def text(self, name: str) -> str:
        """A text."""
        value = self.values.get(name)
        return value if isinstance(value, str) else self._wrong(name, "a text")

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self.values.get(name)
        return value if isinstance(value, bool) else self._wrong(name, "true or false")

    def whole(self, name: str, least: int = 0) -> int:
        """A whole number of at least so much."""
        return self._whole(self.values.get(name), name, least)

    def real(self, name: str) -> float:
        """A number that is finite."""
        value = self.values.get(name)
        if isinstance(value, float | int) and not isinstance(value, bool) and abs(value) <= sys.float_info.max:
            return value
        return self._wrong(name, "a number")

    def any_real(self, name: str) -> float:
        """A number, also one that is not finite: see `plain_number`."""
        value = self.values.get(name)
        return float(value) if value in ("inf", "-inf", "nan") else self.real(name)

    def wholes(self, name: str, count: int) -> tuple[int, ...]:
        """So many whole numbers."""
        values = self.list(name)
        if len(values) != count:
            return self._wrong(name, f"{count} numbers")
        return tuple(self._whole(value, name, 0) for value in values)

    def list(self, name: str) -> list[Any]:
        """A list of whatever."""
        value = self.values.get(name)
        return value if isinstance(value, list) else self._wrong(name, "a list")

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        values = self.list(name)
        return tuple(values) if all(isinstance(value, str) for value in values) else self._wrong(name, "texts")

    def reals(self, name: str) -> tuple[float, ...]:
        """A list of numbers that are finite."""
        return tuple(Fields({name: value}, self._where).real(name) for value in self.list(name))

    def any_reals(self, name: str) -> tuple[float, ...]:
        """A list of numbers, also of some that are not finite."""
        return tuple(Fields({name: value}, self._where).any_real(name) for value in self.list(name))

    def object(self, name: str) -> dict[str, Any]:
        """An object, as it is."""
        value = self.values.get(name)
        return value if isinstance(value, dict) else self._wrong(name, "an object")

    def fields(self, name: str) -> "Fields":
        """An object."""
        return Fields(self.values.get(name), self._path(name))

    def each(self, name: str) -> Iterator["Fields"]:
        """A list of objects."""
        for index, value in enumerate(self.list(name)):
            yield Fields(value, f"{self._path(name)}[{index}]")

    def _whole(self, value: Any, name: str, least: int) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        return self._wrong(name, f"a whole number of at least {least}")

    def _path(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def _wrong(self, name: str, kind: str) -> NoReturn:
        raise Damaged(f"“{self._path(name)}” is not {kind}")
