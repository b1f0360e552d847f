"""The window: Qt's only room.

`MainWindow` is loaded when it is asked for: what starts the program shows something before all that it needs is there.
"""

import sys
from typing import TYPE_CHECKING, Any

if sys.platform == "win32":  # from 2.9 on it fails to load after Qt there
    import torch  # noqa: F401

if TYPE_CHECKING:
    from nerd_gui.window.main_window import MainWindow

__all__ = ["MainWindow"]


def __getattr__(name: str) -> Any:
    if name != "MainWindow":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import torch  # noqa: F401 - before Qt, where it can be

    from nerd_gui.window.main_window import MainWindow

    return MainWindow
