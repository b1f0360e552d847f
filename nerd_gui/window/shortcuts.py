"""The window's shortcuts, each defined once: for actions, for views, for tooltips and for the list in Help."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeVar

from PySide6.QtGui import QKeySequence

_Standard = QKeySequence.StandardKey
T = TypeVar("T", bound=Callable[[], object])


class Shortcut(Enum):
    """Keys, any of which works, and what they do; Help lists the shortcuts in this order.

    An optional third item is the way Help writes several keys.
    """

    OPEN = (_Standard.Open,), "open a photo"
    OPEN_SESSION = ("Ctrl+Shift+O",), "open a session"
    DENOISE = ("Ctrl+D",), "denoise the whole photo"
    RUN = ("Ctrl+Return",), "explore: run and see every iterate"
    PAUSE = ("Ctrl+P",), "pause or continue denoising a whole photo"
    STOP = ("Esc",), "stop"
    SAVE = (_Standard.Save,), "save the shown iterate"
    SAVE_SESSION = ("Ctrl+Shift+S",), "save the session: photo, runs, pins and view"
    PREVIOUS = ("Left",), "previous iterate"
    NEXT = ("Right",), "next iterate"
    FIRST = ("Home",), "first iterate"
    NEWEST = ("End",), "newest iterate, and follow the solver"
    PLAY = ("Space",), "play the iterates"
    FULL_SIZE = ("1",), "100 %: one image pixel is one screen pixel"
    FIT = ("0",), "fit the picture into the view"
    ZOOM_IN = ("+", "="), "zoom in"
    ZOOM_OUT = ("-",), "zoom out"
    FLIP = ("F",), "while held: show the left picture"
    HOLD = ("H",), "keep the shown iterate for comparison"
    CURSOR = (
        ("Shift+Left", "Shift+Right", "Shift+Up", "Shift+Down"),
        "on the picture: move the pixel cursor",
        "Shift+arrows",
    )
    CURSOR_FAR = (
        ("Ctrl+Shift+Left", "Ctrl+Shift+Right", "Ctrl+Shift+Up", "Ctrl+Shift+Down"),
        "on the picture: move the pixel cursor by a tenth of the visible part",
        "Ctrl+Shift+arrows",
    )
    PIN = ("Return", "Enter"), "on the picture: pin the pixel at the cursor; on a button: press it, as Space does"
    PIN_BESIDE = ("Shift+Return", "Shift+Enter"), "on the picture: pin the pixel and keep the other pins"
    MOVE_PIN = ("M",), "on the picture: move the selected pin to the cursor"
    REMOVE_PIN = ("Del", "Backspace"), "on the picture: remove the selected pin"
    NEXT_PIN = ("N",), "select the next pin"
    PIN_OF_NUMBER = tuple(f"Ctrl+{number}" for number in range(1, 7)), "select the pin with that number", "Ctrl+1 … 6"
    CLEAR_PINS = ("Ctrl+Backspace",), "clear the pins"
    REGION = ("Ctrl+R",), "choose the region to explore"
    UNDO = ("Ctrl+Z",), "undo: pins, noise, region, runs"
    REDO = ("Ctrl+Shift+Z",), "redo"
    COPY = ("Ctrl+C",), "copy what you clicked last: the picture, the curves' numbers, the maps, a number"
    PASTE = ("Ctrl+V",), "open the picture or the files in the clipboard"
    PAGE = ("A",), "analyses of the shown run, or its curves and heads"
    FULL_SCREEN = ("F11",), "enter or leave the full screen"
    HELP = (_Standard.HelpContents,), "list the shortcuts"
    QUIT = (_Standard.Quit,), "quit"

    @property
    def sequence(self) -> QKeySequence:
        """The first of the keys, for an action; empty if the system has no key for it."""
        return QKeySequence(self.value[0][0])

    @property
    def keys(self) -> list[int]:
        """All of the keys without their modifiers, as the `Qt.Key` values that key events hold."""
        return [QKeySequence(key)[0].key() for key in self.value[0]]  # type: ignore[index]  # PySide's stubs lack it

    @property
    def text(self) -> str:
        """The first of the keys as the system writes it, or the text that stands for all of them."""
        return self.value[2] if len(self.value) > 2 else self.sequence.toString(QKeySequence.SequenceFormat.NativeText)

    @property
    def what(self) -> str:
        """What the keys do, for Help."""
        return str(self.value[1])


#: What the system's own keys do here, for Help.
FOCUS = (
    ("Tab", "go to the next control; arrows, Home, End and Space still scrub there, unless you are typing text"),
    ("Up, Down", "change the focused number, list or slider"),
    ("Alt+Down", "open the focused list"),
    ("F2, O, Del", "in the list of runs: rename a run, draw its curves beside those of the shown run, remove it"),
    ("Menu, Shift+F10", "open the menu of the focused picture, curves, maps or run"),
)
#: What the mouse does, for Help.
MOUSE = (
    ("mouse wheel", "zoom; or change a number, list or slider that you have clicked before"),
    ("click", "pin a pixel and see where the heads look from it; on a pin: select it"),
    ("Ctrl+click", "pin another pixel and keep the other pins"),
    ("drag a pin", "move it"),
    ("Shift+point", "see the maps of the pixel under the pointer instead of the selected pin's"),
    ("Shift+drag", "choose the region to explore"),
)


def by_key(deeds: Mapping[Shortcut, T]) -> dict[int, T]:
    """Return the functions by the key that a key event holds."""
    return {key: do for shortcut, do in deeds.items() for key in shortcut.keys}


def as_table() -> str:
    """Return all shortcuts of keyboard and mouse as rich text."""
    keys: list[tuple[str, str]] = [(shortcut.text, shortcut.what) for shortcut in Shortcut if shortcut.text]
    rows = (f"<tr><td><b>{how}</b>&nbsp;&nbsp;</td><td>{what}</td></tr>" for how, what in (*keys, *FOCUS, *MOUSE))
    return f"<table>{''.join(rows)}</table>"
