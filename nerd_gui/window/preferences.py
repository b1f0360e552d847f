"""Remembers the window's sizes and choices from one start to the next."""

from PySide6.QtCore import QByteArray, QSettings, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QMainWindow, QSplitter

from nerd_gui.window.modes import Mode
from nerd_gui.window.screen import fit_to_screen

#: Combo boxes whose choice is remembered, by object name.
_COMBOS = (
    "solverCombo",
    "toleranceCombo",
    "precisionCombo",
    "compareModeCombo",
    "attentionScaleCombo",
    "attentionRangeCombo",
)
#: Spin boxes whose number is remembered, by object name.
_SPINS = ("sigmaSpin", "maxIterSpin")
#: Checkable actions and buttons whose state is remembered, by object name.
_SWITCHES = ("filmStripAction", "playLoopAction")
_BUTTONS = ("runsHeading", "relativeStepCheck", "residualChangeCheck")
_SPLITTERS = ("mainSplitter", "rightSplitter")
_SCHEMES = {"lightAppearanceAction": Qt.ColorScheme.Light, "darkAppearanceAction": Qt.ColorScheme.Dark}
#: In each of these groups, the name of the checked action is remembered.
_ONE_OF = {
    "appearance": tuple(_SCHEMES),
    "sidePage": ("curvesPageAction", "analysisPageAction"),
    "playRate": tuple(f"playRate{rate}Action" for rate in (1, 2, 4, 8, 15)),
}


class Preferences:
    """Saves and restores the window's sizes and choices."""

    def __init__(self, store: QSettings) -> None:
        self._store = store

    @property
    def network(self) -> str | None:
        """The network, or *Auto*, that a person chose last; None if none is remembered."""
        name = self._store.value("network")
        return name if isinstance(name, str) else None

    def remember_network(self, name: str) -> None:
        """Remember a choice from the list of networks: a network's name or path, or *Auto*."""
        self._store.setValue("network", name)

    @property
    def scheme(self) -> Qt.ColorScheme | None:
        """Light or dark, as a person chose last; None if the system decides."""
        return _SCHEMES.get(str(self._store.value("appearance")))

    @property
    def mode(self) -> Mode | None:
        """The mode that a person has chosen; None if none is remembered."""
        value = self._store.value("mode")
        return Mode(value) if value in [mode.value for mode in Mode] else None

    def remember_mode(self, mode: Mode) -> None:
        """Remember that a person has chosen a mode."""
        self._store.setValue("mode", mode.value)

    def save(self, window: QMainWindow) -> None:
        """Remember the present state of the window."""
        self._store.setValue("geometry", window.saveGeometry())
        for name in _SPLITTERS:
            if splitter := window.findChild(QSplitter, name):
                self._store.setValue(name, splitter.saveState())
        for name in _COMBOS:
            if combo := window.findChild(QComboBox, name):
                self._store.setValue(name, combo.currentText())
        for name in _SPINS:
            if spin := window.findChild(QAbstractSpinBox, name):
                self._store.setValue(name, spin.property("value"))
        for name, switch in _switches(window):
            self._store.setValue(name, switch.isChecked())
        for choice, names in _ONE_OF.items():
            checked = [name for name in names if (action := window.findChild(QAction, name)) and action.isChecked()]
            self._store.setValue(choice, "".join(checked))

    def restore(self, window: QMainWindow) -> None:
        """Restore the remembered state as far as the screen has room; everything else stays as it is."""
        geometry = self._store.value("geometry")
        if isinstance(geometry, QByteArray):
            window.restoreGeometry(geometry)
        fit_to_screen(window)
        for name in _SPLITTERS:
            splitter, state = window.findChild(QSplitter, name), self._store.value(name)
            if splitter is not None and isinstance(state, QByteArray):
                splitter.restoreState(state)
        for name in _COMBOS:
            combo, text = window.findChild(QComboBox, name), self._store.value(name)
            if combo is not None and isinstance(text, str) and combo.findText(text) >= 0:
                combo.setCurrentText(text)
        for name in _SPINS:
            if (spin := window.findChild(QAbstractSpinBox, name)) is not None and self._store.contains(name):
                spin.setProperty("value", self._store.value(name, type=float))
        for name, switch in _switches(window):
            if self._store.contains(name):
                switch.setChecked(bool(self._store.value(name, type=bool)))
        for choice, names in _ONE_OF.items():
            name = self._store.value(choice)
            if name in names and (action := window.findChild(QAction, name)) is not None:
                action.trigger()


def _switches(window: QMainWindow) -> list[tuple[str, QAction | QAbstractButton]]:
    """Return the checkable actions and buttons with their names."""
    actions = [(name, window.findChild(QAction, name)) for name in _SWITCHES]
    buttons = [(name, window.findChild(QAbstractButton, name)) for name in _BUTTONS]
    return [(name, switch) for name, switch in (*actions, *buttons) if switch is not None]
