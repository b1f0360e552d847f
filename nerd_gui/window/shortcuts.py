"""The keys of the window, each once: for actions, for views that act on them, for tool tips, for the list in Help."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeVar

from PySide6.QtGui import QKeySequence

_Standard = QKeySequence.StandardKey
T = TypeVar("T", bound=Callable[[], object])


class Shortcut(Enum):
    """Keys, of which one is enough, and what they do; Help lists them in this order.

    A third part is how Help writes keys that belong together.
    """

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
    HOLD = ("H",), "keep the shown iterate for comparison"
    CURSOR = ("Shift+Left", "Shift+Right", "Shift+Up", "Shift+Down"), "on the picture: point at a pixel", "Shift+arrows"
    CURSOR_FAR = (
        ("Ctrl+Shift+Left", "Ctrl+Shift+Right", "Ctrl+Shift+Up", "Ctrl+Shift+Down"),
        "on the picture: point farther away, by a tenth of what is in view",
        "Ctrl+Shift+arrows",
    )
    PIN = ("Return", "Enter"), "on the picture: pin the pixel pointed at; on a button: press it, as Space does"
    PIN_BESIDE = ("Shift+Return", "Shift+Enter"), "on the picture: pin the pixel beside the other pins"
    MOVE_PIN = ("M",), "on the picture: move the selected pin to the pixel pointed at"
    REMOVE_PIN = ("Del", "Backspace"), "on the picture: remove the selected pin"
    NEXT_PIN = ("N",), "select the next pin"
    PIN_OF_NUMBER = tuple(f"Ctrl+{number}" for number in range(1, 7)), "select the pin of that number", "Ctrl+1 … 6"
    CLEAR_PINS = ("Ctrl+Backspace",), "clear the pins"
    REGION = ("Ctrl+R",), "choose the region to explore"
    UNDO = ("Ctrl+Z",), "undo: pins, noise, region, runs"
    REDO = ("Ctrl+Shift+Z",), "redo"
    COPY = ("Ctrl+C",), "copy what was clicked last: the picture, the curves' numbers, the maps, a number"
    PASTE = ("Ctrl+V",), "open the picture, or the files, in the clipboard"
    PAGE = ("A",), "analyses of the shown run, or its curves and heads"
    FULL_SCREEN = ("F11",), "full screen, and back"
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
        """The first of the keys as the system writes it, or what stands for all of them."""
        return self.value[2] if len(self.value) > 2 else self.sequence.toString(QKeySequence.SequenceFormat.NativeText)

    @property
    def what(self) -> str:
        """What it does, for Help."""
        return str(self.value[1])


#: What the keys of the system do here, for Help.
FOCUS = (
    ("Tab", "go to the next control; arrows, Home, End and Space scrub there, too, unless a text is being typed"),
    ("Up, Down", "change the number, list or slider that has been reached"),
    ("Alt+Down", "open the list that has been reached"),
    ("F2, O, Del", "in the list of runs: rename a run, draw its curves beside the shown one's, remove it"),
    ("Menu, Shift+F10", "what can be done with the picture, curves, maps or run that has the focus"),
)
#: What the mouse does, for Help.
MOUSE = (
    ("mouse wheel", "zoom; numbers, lists and sliders turn once they have been clicked"),
    ("click", "pin a pixel and see where its heads look; on a pin: select it"),
    ("Ctrl+click", "pin another pixel beside it"),
    ("drag a pin", "move it"),
    ("Shift+point", "see the maps of a pixel in place of those of the selected pin"),
    ("Shift+drag", "choose the region to explore"),
)


def by_key(deeds: Mapping[Shortcut, T]) -> dict[int, T]:
    """What to do by the key that a key event holds."""
    return {key: do for shortcut, do in deeds.items() for key in shortcut.keys}


def as_table() -> str:
    """All keys and what the mouse does, as rich text."""
    keys: list[tuple[str, str]] = [(shortcut.text, shortcut.what) for shortcut in Shortcut if shortcut.text]
    rows = (f"<tr><td><b>{how}</b>&nbsp;&nbsp;</td><td>{what}</td></tr>" for how, what in (*keys, *FOCUS, *MOUSE))
    return f"<table>{''.join(rows)}</table>"
