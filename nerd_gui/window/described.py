"""Naming what a person meets in the window."""

import textwrap
from typing import TypeVar

from PySide6.QtWidgets import QWidget

_LINE = 80  # characters of a tool tip
W = TypeVar("W", bound=QWidget)


def described(widget: W, object_name: str, accessible_name: str, tooltip: str) -> W:
    """Name a widget for tests, for assistive technology and for the person."""
    widget.setObjectName(object_name)
    widget.setAccessibleName(accessible_name)
    widget.setToolTip(in_lines(tooltip))
    return widget


def in_lines(text: str) -> str:
    """The text of a tool tip in lines: Qt does not break those of a plain text, and shows rich text in another size."""
    return "\n".join(textwrap.fill(line, _LINE, break_on_hyphens=False) for line in text.splitlines())
