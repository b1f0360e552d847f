"""Light or dark: the system's own way where there is one, and a palette of our own where there is none."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

_Role = QPalette.ColorRole
#: For each scheme: window, what is written into, what is raised, line, text, second text, accent, text on it.
_COLOURS = {
    Qt.ColorScheme.Dark: "#1e2023 #26292d #2f3338 #3b4046 #e7e9eb #9da4ab #3d8bfd #ffffff",
    Qt.ColorScheme.Light: "#f5f6f7 #ffffff #ffffff #d9dde1 #1d2125 #5c646c #1f6feb #ffffff",
}


def set_colour_scheme(scheme: Qt.ColorScheme) -> None:
    """Turn to a scheme; `Unknown` is that of the system."""
    hints = QGuiApplication.styleHints()
    hints.setColorScheme(scheme)
    if scheme in _COLOURS and hints.colorScheme() != scheme:  # many a Linux desktop takes no notice
        QApplication.setPalette(_palette(scheme))
    else:
        QApplication.setPalette(QPalette())


def _palette(scheme: Qt.ColorScheme) -> QPalette:
    window, base, raised, line, text, second, accent, on_accent = map(QColor, _COLOURS[scheme].split())
    palette = QPalette(raised, window)
    for role, colour in (
        (_Role.Base, base),
        (_Role.AlternateBase, window),
        (_Role.ToolTipBase, raised),
        (_Role.ToolTipText, text),
        (_Role.WindowText, text),
        (_Role.Text, text),
        (_Role.ButtonText, text),
        (_Role.BrightText, text),
        (_Role.PlaceholderText, second),
        (_Role.Mid, line),
        (_Role.Highlight, accent),
        (_Role.Accent, accent),
        (_Role.HighlightedText, on_accent),
        (_Role.Link, accent),
        (_Role.LinkVisited, accent),
    ):
        palette.setColor(role, colour)
    pale = second.darker(150) if scheme == Qt.ColorScheme.Dark else second.lighter(150)
    for role in (_Role.WindowText, _Role.Text, _Role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, pale)
    return palette
