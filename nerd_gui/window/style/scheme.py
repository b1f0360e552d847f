"""The light and the dark scheme, which look the same on every desktop; by default, the system's choice of the two."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from nerd_gui.window.style.sheet import sheet
from nerd_gui.window.style.tokens import DARK, LIGHT, TEXT_PIXELS, Colours, sized

_Role = QPalette.ColorRole
_Scheme = Qt.ColorScheme
_STYLE = "fusion"  # the style that looks the same on every system


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
    if not application.styleSheet():  # only once: the style must be set before the style sheet, which covers it
        application.setStyle(_STYLE)
    application.setFont(sized(application.font(), TEXT_PIXELS))
    application.setPalette(palette)
    application.setStyleSheet(sheet(wanted))


def _palette(colours: Colours) -> QPalette:
    palette = QPalette(QColor(colours.raised), QColor(colours.window))
    for role, name in (
        (_Role.Base, colours.panel),
        (_Role.AlternateBase, colours.window),
        (_Role.ToolTipBase, colours.raised),
        (_Role.ToolTipText, colours.text),
        (_Role.WindowText, colours.text),
        (_Role.Text, colours.text),
        (_Role.ButtonText, colours.text),
        (_Role.BrightText, colours.text),
        (_Role.PlaceholderText, colours.second),
        (_Role.Mid, colours.line),
        (_Role.Highlight, colours.filled),
        (_Role.HighlightedText, colours.on_filled),
        (_Role.Accent, colours.accent),
        (_Role.Link, colours.accent),
        (_Role.LinkVisited, colours.accent),
    ):
        palette.setColor(role, QColor(name))
    for role in (_Role.WindowText, _Role.Text, _Role.ButtonText, _Role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(colours.disabled))
    return palette
