"""Naming what a person meets in the window."""

from typing import TypeVar

from PySide6.QtWidgets import QWidget

W = TypeVar("W", bound=QWidget)


def described(widget: W, object_name: str, accessible_name: str, tooltip: str) -> W:
    """Name a widget for tests, for assistive technology and for the person."""
    widget.setObjectName(object_name)
    widget.setAccessibleName(accessible_name)
    widget.setToolTip(tooltip)
    return widget
