"""Typed access to the values of an untrusted JSON file."""

import math
import sys
from collections.abc import Iterator
from typing import Any, NoReturn


class Damaged(ValueError):
    """A value is missing or has a wrong type; the message is a clause that says which."""


def plain_number(value: float | None) -> float | str | None:
    """Convert a number for JSON; numbers that are not finite become texts."""
    return value if value is None or math.isfinite(value) else str(value)


class Fields:
    """An object of a JSON file, whose methods return its values by name and check their types.

    Attributes
    ----------
    values : dict
        All values, unchecked.

    Raises
    ------
    Damaged
        If a value is missing or has another type.
    """

    def __init__(self, value: Any, where: str = "") -> None:
        if not isinstance(value, dict):
            raise Damaged(f"{where or 'its content'} is not a JSON object")
        self.values = value
        self._where = where

    def has(self, name: str) -> bool:
        """Whether the value exists and is not null."""
        return self.values.get(name) is not None

    def text(self, name: str) -> str:
        """Return a text."""
        value = self.values.get(name)
        return value if isinstance(value, str) else self._wrong(name, "a text")

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self.values.get(name)
        return value if isinstance(value, bool) else self._wrong(name, "true or false")

    def whole(self, name: str, least: int = 0) -> int:
        """Return a whole number that is at least `least`."""
        return self._whole(self.values.get(name), name, least)

    def real(self, name: str) -> float:
        """Return a finite number."""
        value = self.values.get(name)
        if isinstance(value, float | int) and not isinstance(value, bool) and abs(value) <= sys.float_info.max:
            return value
        return self._wrong(name, "a number")

    def any_real(self, name: str) -> float:
        """Return a number that may be infinite or NaN, see `plain_number`."""
        value = self.values.get(name)
        return float(value) if value in ("inf", "-inf", "nan") else self.real(name)

    def wholes(self, name: str, count: int) -> tuple[int, ...]:
        """Return a list of `count` whole numbers of at least 0."""
        values = self.list(name)
        if len(values) != count:
            return self._wrong(name, f"{count} numbers")
        return tuple(self._whole(value, name, 0) for value in values)

    def list(self, name: str) -> list[Any]:
        """Return a list, whose elements are not checked."""
        value = self.values.get(name)
        return value if isinstance(value, list) else self._wrong(name, "a list")

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        values = self.list(name)
        return tuple(values) if all(isinstance(value, str) for value in values) else self._wrong(name, "texts")

    def reals(self, name: str) -> tuple[float, ...]:
        """Return a list of finite numbers."""
        return tuple(Fields({name: value}, self._where).real(name) for value in self.list(name))

    def any_reals(self, name: str) -> tuple[float, ...]:
        """Return a list of numbers that may be infinite or NaN."""
        return tuple(Fields({name: value}, self._where).any_real(name) for value in self.list(name))

    def object(self, name: str) -> dict[str, Any]:
        """Return an object as a dictionary, whose values are not checked."""
        value = self.values.get(name)
        return value if isinstance(value, dict) else self._wrong(name, "an object")

    def fields(self, name: str) -> "Fields":
        """Return an object as `Fields`."""
        return Fields(self.values.get(name), self._path(name))

    def each(self, name: str) -> Iterator["Fields"]:
        """Yield the objects of a list as `Fields`."""
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
