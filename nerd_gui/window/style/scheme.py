"""The light and the dark scheme, which look the same on every desktop; by default, the system's choice of the two."""

from __future__ import annotations

import time

from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer
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
    dressing: _Dressing | None = None
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
        if _Chosen.dressing is None:
            _Chosen.dressing = _Dressing(application)
        _Chosen.dressing.begin()


class _Dressing(QTimer):
    """Gives the widgets the present colours, which the style sheet takes from the palette once for each widget.

    All of them at once would keep the window waiting for a sixth of a second. So a few have their turn at a time, and
    the windows keep their picture until all are done.
    """

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._widgets: list[QWidget] = []
        self._windows: list[QWidget] = []
        self.timeout.connect(self._take_turn)

    def begin(self) -> None:
        """Begin with all widgets, also if some have still been waiting for the colours before."""
        self._widgets = QApplication.allWidgets()
        for window in QApplication.topLevelWidgets():
            if window.isVisible() and window.updatesEnabled():
                window.setUpdatesEnabled(False)
                self._windows.append(window)
        if self._windows:
            self.start(0)
        else:
            while self._widgets:
                self._take_turn()

    def _take_turn(self) -> None:
        end = time.monotonic() + _PIECE
        while self._widgets and time.monotonic() < end:
            widget = self._widgets.pop()
            if isValid(widget):
                widget.style().polish(widget)
        if not self._widgets:
            self.stop()
            for window in self._windows:
                if isValid(window):
                    window.setUpdatesEnabled(True)
                    # If a part was to be painted before, Qt waits for a request that it has dropped in the meantime.
                    QCoreApplication.postEvent(window, QEvent(QEvent.Type.UpdateRequest))
            self._windows.clear()


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
