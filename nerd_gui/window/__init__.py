"""The window: Qt's only room."""

# torch before any Qt import: from 2.9 on it fails to load after Qt on Windows.
import torch  # noqa: F401

from nerd_gui.window.main_window import MainWindow

__all__ = ["MainWindow"]
