"""Names for widgets and line breaks for tooltips."""

import textwrap
from functools import lru_cache
from typing import TypeVar

from PySide6.QtWidgets import QWidget

_LINE = 80  # characters in a line of a tooltip
W = TypeVar("W", bound=QWidget)


def described(widget: W, object_name: str, accessible_name: str, tooltip: str) -> W:
    """Set a widget's object name, its accessible name and its tooltip; return the widget."""
    widget.setObjectName(object_name)
    widget.setAccessibleName(accessible_name)
    widget.setToolTip(in_lines(tooltip))
    return widget


def in_lines(text: str) -> str:
    """Break a tooltip's text into lines, since Qt does not break plain text and shows rich text in another size."""
    return "\n".join(line if len(line) <= _LINE else _filled(line) for line in text.splitlines())


@lru_cache(256)
def _filled(line: str) -> str:
    return textwrap.fill(line, _LINE, break_on_hyphens=False)
