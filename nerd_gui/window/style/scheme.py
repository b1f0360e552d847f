"""The light and the dark scheme, which look the same on every desktop; by default, the system's choice of the two."""

import time
from typing import ClassVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from nerd_gui.window.style.sheet import ROLES, sheet
from nerd_gui.window.style.tokens import DARK, LIGHT, TEXT_PIXELS, Colours, sized

_Role = QPalette.ColorRole
_Scheme = Qt.ColorScheme
_STYLE = "fusion"  # the style that looks the same on every system
_PIECE = 0.010  # seconds for which widgets are styled before the event loop gets its turn


class _Chosen:
    """The chosen scheme and the present one, for the whole program because the palette is, too."""

    scheme = _Scheme.Unknown
    worn: Colours | None = None
    follows = False  # whether we are notified when the system's scheme changes


def set_colour_scheme(scheme: Qt.ColorScheme) -> None:
    """Switch all windows to a scheme; `Unknown` follows the system, and is dark if the system has no scheme."""
    _Chosen.scheme = scheme
    QGuiApplication.styleHints().setColorScheme(scheme)  # for the frames and dialogs that the system draws
    dress()


def dress() -> None:
    """Set the program's style, font and colours; returns at once if they are set already."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    if not _Chosen.follows:
        QGuiApplication.styleHints().colorSchemeChanged.connect(lambda _: dress())
        _Chosen.follows = True
    scheme = _Chosen.scheme if _Chosen.scheme != _Scheme.Unknown else QGuiApplication.styleHints().colorScheme()
    wanted = LIGHT if scheme == _Scheme.Light else DARK
    palette = _palette(wanted)
    if _Chosen.worn is wanted and application.styleSheet() and application.palette() == palette:
        return
    _Chosen.worn = wanted
    application.setPalette(palette)
    if not application.styleSheet():
        application.setStyle(_STYLE)  # first, since the style sheet covers the style
        application.setFont(sized(application.font(), TEXT_PIXELS))
        application.setStyleSheet(sheet())
    else:
        _Dressing.begin()


class _Dressing:
    """Gives the widgets the present colours, which the style sheet takes from the palette once for each widget.

    Styling all of them at once would block the window for a sixth of a second. So a few are styled at a time, and
    the windows keep their picture until all are done.
    """

    widgets: ClassVar[list[QWidget]] = []
    windows: ClassVar[list[QWidget]] = []

    @classmethod
    def begin(cls) -> None:
        """Begin again with all widgets, even if some have not got the previous colours yet."""
        under_way = bool(cls.widgets)
        cls.widgets = QApplication.allWidgets()
        for window in QApplication.topLevelWidgets():
            if window.isVisible() and window.updatesEnabled():
                window.setUpdatesEnabled(False)
                cls.windows.append(window)
        if not under_way:
            cls.take_turn()

    @classmethod
    def take_turn(cls) -> None:
        end = time.monotonic() + _PIECE
        while cls.widgets:
            widget = cls.widgets.pop()
            if isValid(widget):
                widget.style().polish(widget)
            if cls.windows and time.monotonic() > end:
                QTimer.singleShot(0, cls.take_turn)
                return
        for window in cls.windows:
            if isValid(window):
                window.setUpdatesEnabled(True)
        cls.windows.clear()


def _palette(colours: Colours) -> QPalette:
    palette = QPalette(QColor(colours.raised), QColor(colours.window))
    for name, role in ROLES.items():
        palette.setColor(role, QColor(getattr(colours, name)))
    for role, name in (
        (_Role.AlternateBase, colours.window),
        (_Role.ToolTipBase, colours.raised),
        (_Role.ToolTipText, colours.text),
        (_Role.Text, colours.text),
        (_Role.ButtonText, colours.text),
        (_Role.BrightText, colours.text),
        (_Role.Link, colours.accent),
        (_Role.LinkVisited, colours.accent),
    ):
        palette.setColor(role, QColor(name))
    for role in (_Role.WindowText, _Role.Text, _Role.ButtonText, _Role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(colours.disabled))
    return palette
