"""The window, the only room that imports Qt.

`MainWindow` is imported only when it is used, so that the program can show something while its parts are loaded.
"""

import sys
from typing import TYPE_CHECKING, Any

if sys.platform == "win32":  # on Windows, torch from 2.9 on cannot be loaded after Qt
    import torch  # noqa: F401

if TYPE_CHECKING:
    from nerd_gui.window.main_window import MainWindow

__all__ = ["MainWindow"]


def __getattr__(name: str) -> Any:
    if name != "MainWindow":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import torch  # noqa: F401 - before Qt, wherever that is possible

    from nerd_gui.window.main_window import MainWindow

    return MainWindow
