"""The keys and what they do: the menu takes its shortcuts from here, and the help lists them."""

from PySide6.QtGui import QKeySequence

Key = QKeySequence.StandardKey

#: Of the menu's actions, by their object names.
_MENU: dict[str, tuple[QKeySequence.StandardKey | str, str]] = {
    "openAction": (Key.Open, "open a photo"),
    "runAction": ("Ctrl+Return", "run"),
    "stopAction": ("Esc", "stop"),
    "exportAction": (Key.Save, "save the shown iterate"),
    "holdIterateAction": ("H", "hold the shown iterate for comparison"),
    "clearPinsAction": ("Ctrl+Backspace", "clear the pins"),
    "regionAction": ("Ctrl+R", "choose the region of a large photo"),
    "shortcutsAction": (Key.HelpContents, "show this list"),
    "quitAction": (Key.Quit, "quit"),
}
#: What the scrubber and the picture do on keys and on the mouse.
_VIEWS = (
    ("← →", "previous, next iterate"),
    ("Home, End", "first, newest iterate"),
    ("Space", "play the iterates"),
    ("1", "100 %: one image pixel is one screen pixel"),
    ("0", "fit the picture into the view"),
    ("+ −, mouse wheel", "zoom"),
    ("F (held)", "flip to the left picture"),
    ("click", "pin a pixel and see where its heads look"),
    ("Ctrl+click", "pin another pixel beside it"),
)


def keys_of(action: str) -> QKeySequence:
    """The shortcut of an action of the menu; empty for one without."""
    return QKeySequence(_MENU[action][0]) if action in _MENU else QKeySequence()


def all_shortcuts() -> list[tuple[str, str]]:
    """Every shortcut as it is written on this system, and what it does."""
    menu = [
        (keys_of(action).toString(QKeySequence.SequenceFormat.NativeText), does) for action, (_, does) in _MENU.items()
    ]
    return [(keys, does) for keys, does in menu if keys] + list(_VIEWS)
