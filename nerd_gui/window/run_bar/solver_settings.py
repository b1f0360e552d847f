"""The further settings of a run, in a panel below a button."""

from collections.abc import Callable
from typing import Any, NamedTuple, get_args

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QMenu,
    QSpinBox,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from nerd_gui.denoising import RunSettings
from nerd_gui.equilibrium import SOLVERS
from nerd_gui.nerd.attention import Precision
from nerd_gui.window.described import described
from nerd_gui.window.style.tokens import TIGHT

_TOLERANCES = {
    "1e-1": 1e-1,
    "1e-2": 1e-2,
    "3e-3": 3e-3,
    "1e-3": 1e-3,
    "3e-4": 3e-4,
    "1e-4": 1e-4,
    "none (all steps)": 0.0,
}
_MEASURES = {
    "the residual": "residual",
    "the length of a step": "relative_step",
    "the change of the residual": "residual_change",
    "the picture": "picture",
}
_STARTS = {"zero": "zero", "seeded random": "random", "last equilibrium": "last"}
_GRAINS = {"chosen by Auto": None, "1 (fine)": 1, "2 (coarse)": 2}
_LARGEST_SEED = 2**31 - 1  # the largest number that a spin box can hold


class _Field(NamedTuple):
    """A field of `RunSettings` with its widget in the panel."""

    name: str
    label: str
    widget: QWidget
    value: Callable[[], Any]


class SolverSettings(QToolButton):
    """Every field of `RunSettings` except the network, which has a list of its own; and the grain size.

    Parameters
    ----------
    solver, device : QComboBox
        The lists of solvers and devices, which are shown here but read by `RunControls`.

    Signals
    -------
    changed
        A setting has changed.
    """

    changed = Signal()

    def __init__(self, solver: QComboBox, device: QComboBox, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(
            self,
            "solverSettingsButton",
            "Settings",
            "The solver: when it stops, its steps and its start. The attention window, precision, device and memory.",
        )
        self.setText("Settings")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._make_solver_controls()
        self._make_start_controls()
        self._make_network_controls()
        self.grain = described(
            _choice(_GRAINS, None),
            "grainCombo",
            "Grain size",
            "With 2, the network first sees the photo at half its size, and then at full size. This suits coarse "
            "noise, as in photos that were enlarged or strongly compressed, but costs fine detail. Auto determines "
            "the grain size for the networks that it chooses; a network that you choose has grain size 1.",
        )
        self._groups = {
            "Solver": (
                _Field("max_iter", "Most steps", self.max_iter, self.max_iter.value),
                _Field("stop_on", "Stop on", self.stop_on, self.stop_on.currentData),
                _Field("tol", "Tolerance", self.tolerance, self.tolerance.currentData),
                _Field("safeguard", "Safeguard", self.safeguard, self.safeguard.isChecked),
                _Field("memory", "Pairs kept", self.memory, lambda: self.memory.value() or None),
                _Field("damping", "Damping", self.damping, self.damping.value),
            ),
            "Start": (
                _Field("start", "Starts at", self.start, self.start.currentData),
                _Field("start_seed", "Seed of the start", self.start_seed, self.start_seed.value),
            ),
            "Network": (
                _Field("window", "Attention window", self.window_side, lambda: self.window_side.value() or None),
                _Field("precision", "Precision", self.precision, self.precision.currentData),
                _Field("strength", "Strength", self.strength, lambda: self.strength.value() or None),
            ),
            "Computer": (
                _Field("memory_limit", "Memory limit", self.memory_limit, lambda: self.memory_limit.value() or None),
            ),
        }
        self._form = QFormLayout()
        self._form.setContentsMargins(12, 8, 12, 12)
        self._form.setVerticalSpacing(TIGHT)  # narrow, so that the panel fits on a small screen
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        chosen = {"Solver": ("Solver", solver), "Computer": ("Device", device)}
        for title, fields in self._groups.items():
            self._add_heading(title)
            if title in chosen:
                self._form.addRow(*chosen[title])
            for field in fields:
                self._form.addRow(field.label, field.widget)
        self._add_heading("Denoise photo")
        self._form.addRow("Grain size", self.grain)
        panel = QWidget()
        panel.setObjectName("solverSettingsPanel")
        panel.setLayout(self._form)
        menu = QMenu(self)
        action = QWidgetAction(menu)
        action.setDefaultWidget(panel)
        menu.addAction(action)
        self.setMenu(menu)
        self.start.currentIndexChanged.connect(self._enable_seed)
        self._enable_seed()
        for kind, moved in (
            (QSpinBox, "valueChanged"),
            (QDoubleSpinBox, "valueChanged"),
            (QComboBox, "currentIndexChanged"),
            (QCheckBox, "toggled"),
        ):
            for widget in panel.findChildren(kind):
                if widget not in (solver, device):
                    getattr(widget, moved).connect(self.changed)

    def add_fields(self, title: str, fields: dict[str, QWidget]) -> None:
        """Append a group of widgets whose values other objects read."""
        self._add_heading(title)
        for label, widget in fields.items():
            self._form.addRow(label, widget)

    def _add_heading(self, title: str) -> None:
        heading = QLabel(title)
        font = heading.font()
        font.setBold(True)
        heading.setFont(font)
        heading.setContentsMargins(0, 8 if self._form.rowCount() else 0, 0, 0)
        self._form.addRow(heading)

    # ---- values --------------------------------------------------------------------------------------------------

    def values(self) -> dict[str, Any]:
        """Return the fields of `RunSettings` that the panel sets, without those that do not apply to this run.

        An automatic precision is left out as well.
        """
        fields = [field for group in self._groups.values() for field in group]
        values = {field.name: field.value() for field in fields if field.widget.isEnabledTo(self)}
        return values if values["precision"] else {name: values[name] for name in values if name != "precision"}

    @property
    def grain_size(self) -> int | None:
        """The grain size that a person chose for whole photos; None leaves it to Auto."""
        grain: int | None = self.grain.currentData()
        return grain

    def show_solver(self, name: str) -> None:
        """Enable the settings that apply to a solver.

        Parameters
        ----------
        name : str
            A key of `SOLVERS`.
        """
        solver = SOLVERS[name]
        storage = solver.storage(max_iter=RunSettings().max_iter, safeguard=True)
        self._enable(self.safeguard, storage.safeguard)
        self._enable(self.memory, storage.pairs > 0)
        self._enable(self.damping, "damping" in solver.own_keywords)

    def show_network(self, *, is_told_level: bool) -> None:
        """Enable the strength for a network that is told the noise level."""
        self._enable(self.strength, is_told_level)

    def _enable_seed(self) -> None:
        self._enable(self.start_seed, self.start.currentData() == "random")

    def _enable(self, widget: QWidget, enabled: bool) -> None:
        widget.setEnabled(enabled)
        self._form.labelForField(widget).setEnabled(enabled)

    # ---- construction --------------------------------------------------------------------------------------------

    def _make_solver_controls(self) -> None:
        usual = RunSettings()
        self.max_iter = described(
            QSpinBox(),
            "maxIterSpin",
            "Most steps",
            "The run ends after at most this many steps (the paper: 17). A photo hardly changes visibly after five.",
        )
        self.max_iter.setRange(1, 200)
        self.max_iter.setValue(usual.max_iter)
        self.stop_on = described(
            _choice(_MEASURES, usual.stop_on),
            "stopOnCombo",
            "Stop on",
            "Explore's run has converged when this measure has fallen to the tolerance; g = f(z) − z.\n"
            "The residual ‖g‖/‖f(z)‖: how far the iterate is from the equilibrium.\n"
            "The length of a step: how far the last step went, relative to z (Fig. 10).\n"
            "The change of the residual: relative to g (Sec. V-A). It need not tend to 0; then all steps are taken.\n"
            "The picture: it no longer changes visibly, whatever the tolerance. Denoise photo always stops like this.",
        )
        self.tolerance = described(
            _choice(_TOLERANCES, usual.tol),
            "toleranceCombo",
            "Tolerance",
            "The run has converged when the measure that it stops on has fallen to this. A smaller tolerance comes "
            "nearer to the equilibrium, but takes more steps.",
        )
        self.safeguard = described(
            QCheckBox("drop wild steps"),
            "safeguardCheck",
            "Safeguard",
            "A step that more than doubles the residual is dropped, and the run continues from the best iterate. "
            "Off: the plain solver, as for the paper's curves. The plain iteration has no safeguard.",
        )
        self.safeguard.setChecked(usual.safeguard)
        self.memory = described(
            QSpinBox(),
            "memorySpin",
            "Pairs kept",
            "The number of past steps that the solver learns from, each kept as a pair of vectors: more pairs take "
            "fewer evaluations and more memory. 0: the solver's own choice; for Broyden, all. The plain iteration "
            "keeps none.",
        )
        self.memory.setRange(0, 200)
        self.memory.setValue(usual.memory or 0)
        self.memory.setSpecialValueText("the solver's choice")
        self.damping = described(
            QDoubleSpinBox(),
            "dampingSpin",
            "Damping",
            "d in the plain iteration z ← d f(z) + (1 − d) z: 1 goes all the way to f(z), less is slower and steadier. "
            "Other solvers choose their own steps.",
        )
        self.damping.setRange(0.05, 2)
        self.damping.setSingleStep(0.05)
        self.damping.setValue(usual.damping)

    def _make_start_controls(self) -> None:
        usual = RunSettings()
        self.start = described(
            _choice(_STARTS, usual.start),
            "startCombo",
            "Start",
            "Where the solver begins, z₀. A well-posed equilibrium does not depend on it (Sec. IV-B). The last "
            "equilibrium is the previous run's result, which is near if photo, region, σ, q or precision have "
            "changed little.",
        )
        self.start_seed = described(
            QSpinBox(),
            "startSeedSpin",
            "Seed of the start",
            "The seed of the random start: the same seed gives the same start; with another seed you can check whether "
            "the equilibrium is the same from elsewhere (Sec. IV-B).",
        )
        self.start_seed.setRange(0, _LARGEST_SEED)
        self.start_seed.setValue(usual.start_seed)

    def _make_network_controls(self) -> None:
        usual = RunSettings()
        self.window_side = described(
            QSpinBox(),
            "windowSpin",
            "Attention window",
            "q: each pixel attends to the q × q pixels around it. 0 uses the network's own window (Table VIII).",
        )
        self.window_side.setRange(0, 129)
        self.window_side.setValue(usual.window or 0)
        self.window_side.setSpecialValueText("the network's")
        self.precision = described(
            QComboBox(),
            "precisionCombo",
            "Precision",
            "The precision of the arithmetic inside f. bfloat16 is faster, but the residual cannot fall as low. "
            "Automatic: Explore uses float32, and Denoise photo uses bfloat16 if that is faster on this computer.",
        )
        self.precision.addItem("automatic", None)
        for name in get_args(Precision):
            self.precision.addItem(name, name)
        self.strength = described(
            QDoubleSpinBox(),
            "strengthSpin",
            "Strength",
            "The noise level (σ, 0–255 scale) that is given to a network with such an input. A larger value removes "
            "more. 0: the level of the added noise, or the level measured in the photo.",
        )
        self.strength.setRange(0, 255)
        self.strength.setDecimals(1)
        self.strength.setPrefix("σ ")
        self.strength.setValue(usual.strength or 0)
        self.strength.setSpecialValueText("the photo's own")
        self.memory_limit = described(
            QDoubleSpinBox(),
            "memoryLimitSpin",
            "Memory limit",
            "Gigabytes that the program may use. A run that needs more is changed so that it fits, which is reported. "
            "0: all free memory.",
        )
        self.memory_limit.setRange(0, 4096)
        self.memory_limit.setDecimals(1)
        self.memory_limit.setSuffix(" GB")
        self.memory_limit.setValue(usual.memory_limit or 0)
        self.memory_limit.setSpecialValueText("what is free")


def _choice(values: dict[str, Any], usual: object) -> QComboBox:
    """Return a list of values with names for people, with the usual value selected."""
    combo = QComboBox()
    for label, value in values.items():
        combo.addItem(label, value)
    combo.setCurrentIndex(list(values.values()).index(usual))
    return combo
