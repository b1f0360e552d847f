"""What the window remembers from one start to the next."""

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QComboBox, QMainWindow, QSplitter

from nerd_gui.window.screen import fit_to_screen

_RECENT = 10
#: Choices that are remembered, by the combo box's object name. The network is not: the default may improve.
_COMBOS = ("solverCombo", "compareModeCombo", "attentionScaleCombo", "attentionRangeCombo")
_SPLITTERS = ("mainSplitter", "rightSplitter")


class Preferences:
    """Sizes, choices and recent files, in the system's own store of settings."""

    def __init__(self, settings: QSettings | None = None) -> None:
        self._settings = settings or QSettings("NERD GUI", "nerd-gui")

    def save(self, window: QMainWindow) -> None:
        """Remember the window as it is."""
        self._settings.setValue("geometry", window.saveGeometry())
        for name in _SPLITTERS:
            if splitter := window.findChild(QSplitter, name):
                self._settings.setValue(name, splitter.saveState())
        for name in _COMBOS:
            if combo := window.findChild(QComboBox, name):
                self._settings.setValue(name, combo.currentText())

    def restore(self, window: QMainWindow) -> None:
        """Make the window as it was, as far as the screen has room; what is not remembered stays as it is."""
        geometry = self._settings.value("geometry")
        if isinstance(geometry, QByteArray):
            window.restoreGeometry(geometry)
        fit_to_screen(window)
        for name in _SPLITTERS:
            splitter, state = window.findChild(QSplitter, name), self._settings.value(name)
            if splitter is not None and isinstance(state, QByteArray):
                splitter.restoreState(state)
        for name in _COMBOS:
            combo, text = window.findChild(QComboBox, name), self._settings.value(name)
            if combo is not None and isinstance(text, str) and combo.findText(text) >= 0:
                combo.setCurrentText(text)

    @property
    def recent(self) -> list[Path]:
        """Photos opened lately that are still there, newest first."""
        stored = self._settings.value("recent", [])
        # Qt turns a list of one into its item.
        names = [stored] if isinstance(stored, str) else stored if isinstance(stored, list) else []
        return [Path(name) for name in names if Path(name).is_file()]

    def add_recent(self, path: Path) -> None:
        """Put a photo at the top of the list."""
        others = [known for known in self.recent if known != path.absolute()]
        self._settings.setValue("recent", [str(known) for known in [path.absolute(), *others][:_RECENT]])
