"""The keys of the window, each once: for actions, for views that act on them, for tool tips, for the list in Help."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeVar

from PySide6.QtGui import QKeySequence

_Standard = QKeySequence.StandardKey
T = TypeVar("T", bound=Callable[[], object])


class Shortcut(Enum):
    """Keys, of which one is enough, and what they do; Help lists them in this order."""

    OPEN = (_Standard.Open,), "open a photo"
    OPEN_SESSION = ("Ctrl+Shift+O",), "open a session"
    DENOISE = ("Ctrl+D",), "denoise the whole photo"
    RUN = ("Ctrl+Return",), "explore: run and see every iterate"
    PAUSE = ("Ctrl+P",), "pause a whole photo, or go on with it"
    STOP = ("Esc",), "stop"
    SAVE = (_Standard.Save,), "save the shown iterate"
    SAVE_SESSION = ("Ctrl+Shift+S",), "save the session: photo, runs, pins and view"
    PREVIOUS = ("Left",), "previous iterate"
    NEXT = ("Right",), "next iterate"
    FIRST = ("Home",), "first iterate"
    NEWEST = ("End",), "newest iterate, and follow what comes"
    PLAY = ("Space",), "play the iterates"
    FULL_SIZE = ("1",), "100 %: one image pixel is one screen pixel"
    FIT = ("0",), "fit the picture into the view"
    ZOOM_IN = ("+", "="), "zoom in"
    ZOOM_OUT = ("-",), "zoom out"
    FLIP = ("F",), "while held: flip to the left picture"
    HOLD = ("H",), "hold the shown iterate for comparison"
    CLEAR_PINS = ("Ctrl+Backspace",), "clear the pins"
    REGION = ("Ctrl+R",), "choose the region to explore"
    HELP = (_Standard.HelpContents,), "list the shortcuts"
    QUIT = (_Standard.Quit,), "quit"

    @property
    def sequence(self) -> QKeySequence:
        """The first of the keys, as an action takes it; empty where the system has no key for it."""
        return QKeySequence(self.value[0][0])

    @property
    def keys(self) -> list[int]:
        """All of the keys without their modifiers, as `Qt.Key`: what a key event holds."""
        return [QKeySequence(key)[0].key() for key in self.value[0]]  # type: ignore[index]  # PySide's stubs lack it

    @property
    def text(self) -> str:
        """The first of the keys as the system writes it."""
        return self.sequence.toString(QKeySequence.SequenceFormat.NativeText)

    @property
    def what(self) -> str:
        """What it does, for Help."""
        return self.value[1]


#: What the mouse does, for Help.
MOUSE = (
    ("mouse wheel", "zoom"),
    ("click", "pin a pixel and see where its heads look"),
    ("Ctrl+click", "pin another pixel beside it"),
    ("Shift+drag", "choose the region to explore"),
)


def by_key(deeds: Mapping[Shortcut, T]) -> dict[int, T]:
    """What to do by the key that a key event holds."""
    return {key: do for shortcut, do in deeds.items() for key in shortcut.keys}


def as_table() -> str:
    """All keys and what the mouse does, as rich text."""
    keys = [(shortcut.text, shortcut.what) for shortcut in Shortcut if shortcut.text]
    rows = (f"<tr><td><b>{how}</b>&nbsp;&nbsp;</td><td>{what}</td></tr>" for how, what in (*keys, *MOUSE))
    return f"<table>{''.join(rows)}</table>"
