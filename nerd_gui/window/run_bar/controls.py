"""The tool bar's choices: noise, network, solver, device, and the finer settings behind a button."""

from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSpinBox,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from nerd_gui.denoising import RunError, RunSettings, default_device, default_model, devices
from nerd_gui.equilibrium import SOLVERS
from nerd_gui.nerd import ModelError, load_record, model_names
from nerd_gui.window.wording import purpose

W = TypeVar("W", bound=QWidget)

ADD_NOISE, ALREADY_NOISY = range(2)
_DEVICE_NAMES = {"cpu": "CPU", "cuda": "GPU (CUDA)", "mps": "GPU (Metal)"}
_TOLERANCES = {"1e-2": 1e-2, "3e-3": 3e-3, "1e-3": 1e-3, "3e-4": 3e-4, "1e-4": 1e-4, "none (all steps)": 0.0}


def described(widget: W, object_name: str, accessible_name: str, tooltip: str) -> W:
    """Name a widget for tests, for assistive technology and for the person."""
    widget.setObjectName(object_name)
    widget.setAccessibleName(accessible_name)
    widget.setToolTip(tooltip)
    return widget


class NoiseControls(QWidget):
    """Whether noise is added to a clean picture or the photo is noisy already."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mode = described(
            QComboBox(),
            "noiseModeCombo",
            "Noise",
            "Add white Gaussian noise to a clean picture (y = x − n, Eq. 1), or take the photo as noisy already.",
        )
        self.mode.addItems(["Add noise", "Already noisy"])
        self.sigma = described(
            QDoubleSpinBox(), "sigmaSpin", "Noise level sigma", "Standard deviation of the added noise, 0–255 scale."
        )
        self.sigma.setRange(0, 100)
        self.sigma.setDecimals(1)
        self.sigma.setPrefix("σ ")
        self.sigma.setValue(25)
        self.seed = described(
            QSpinBox(), "seedSpin", "Noise seed", "Seed of the noise: the same seed gives the same noise everywhere."
        )
        self.seed.setRange(0, 9999)
        self.seed.setPrefix("seed ")
        self.estimate = described(
            QLabel(),
            "estimatedSigmaLabel",
            "Estimated noise level of the photo",
            "Noise level estimated from the photo's finest wavelet coefficients; texture counts as noise.",
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self.mode, self.sigma, self.seed, self.estimate):
            row.addWidget(widget)
        self.mode.currentIndexChanged.connect(self._on_changed)
        self.sigma.valueChanged.connect(self._on_changed)
        self.seed.valueChanged.connect(self._on_changed)
        self._show_mode()

    @property
    def adds_noise(self) -> bool:
        return self.mode.currentIndex() == ADD_NOISE

    def show_photo(self, *, add_noise: bool, estimated_sigma: float | None) -> None:
        """Take over a newly opened photo's state without asking for a change."""
        self.blockSignals(True)
        self.mode.setCurrentIndex(ADD_NOISE if add_noise else ALREADY_NOISY)
        self.blockSignals(False)
        self.estimate.setText("" if estimated_sigma is None else f"estimated σ {estimated_sigma:.1f}")
        self._show_mode()

    def _show_mode(self) -> None:
        self.sigma.setVisible(self.adds_noise)
        self.seed.setVisible(self.adds_noise)
        self.estimate.setVisible(not self.adds_noise)

    def _on_changed(self) -> None:
        self._show_mode()
        self.changed.emit()


class ModelChoice(QComboBox):
    """The trained networks, and checkpoints that a person opened."""

    checkpointWanted = Signal()

    def __init__(self, preferred: str | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(self, "modelCombo", "Network", "The trained network f whose equilibrium is the noise.")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for name in model_names():
            self._add(name, name)
        try:
            self.choose(preferred or default_model(default_device()))
        except RunError as error:
            self.setToolTip(str(error))
        if self.count():
            self.insertSeparator(self.count())
        self.addItem("Open checkpoint…")
        self._last = self.currentIndex()
        self.activated.connect(self._on_activated)

    def _add(self, label: str, model: str) -> None:
        self.addItem(label, model)
        self.setItemData(self.count() - 1, _model_tooltip(model), Qt.ItemDataRole.ToolTipRole)

    @property
    def network(self) -> str | None:
        """Name or path of the chosen network; None where there is none."""
        return self.currentData()

    def better_for_photos(self, channels: int) -> str | None:
        """The network for the noise that cameras make, in colour if the photo is; None if one is chosen already."""
        if self.network is None or _camera_channels(self.network):
            return None
        made = {name: _camera_channels(name) for name in model_names()}
        return max((name for name in made if made[name] in (1, channels)), key=made.__getitem__, default=None)

    def choose(self, model: str) -> None:
        """Choose a network of the list, or add a person's own checkpoint to it."""
        index = self.findData(model)
        if index < 0:
            self.insertItem(0, Path(model).stem, model)
            self.setItemData(0, _model_tooltip(model), Qt.ItemDataRole.ToolTipRole)
            index = 0
        self.setCurrentIndex(index)
        self._last = index

    def _on_activated(self, index: int) -> None:
        if self.itemData(index) is None:  # "Open checkpoint…" is a command, not a choice
            self.setCurrentIndex(self._last)
            self.checkpointWanted.emit()
        self._last = self.currentIndex()


def _model_tooltip(model: str) -> str:
    try:
        record = load_record(model)
    except ModelError as error:
        return str(error)
    try:
        return (
            f"{model}: {purpose(record['recipe'])}. Trained on {record['samples']:,} patches, {record['hours']:.1f} h; "
            f"{record['validation_psnr']:.2f} dB on the validation crops."
        )
    except KeyError:  # a checkpoint with another trainer's record
        return f"{model}: its file does not say how it was trained."


def _camera_channels(model: str) -> int:
    """The channels of a network that was trained on the noise of cameras; 0 of others and where the file is silent."""
    try:
        recipe = load_record(model)["recipe"]
        return recipe["model"]["channels"] if recipe["noise"]["kind"] == "camera" else 0
    except (ModelError, KeyError, TypeError):  # said where the network is used; or another trainer's record
        return 0


class SolverSettings(QToolButton):
    """The finer settings of a run, in a panel under a button."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(self, "solverSettingsButton", "Solver settings", "Steps, tolerance, safeguard, window, start.")
        self.setText("Settings")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.max_iter = described(QSpinBox(), "maxIterSpin", "Most steps", "Most solver steps (the paper's limit: 17).")
        self.max_iter.setRange(1, 200)
        self.max_iter.setValue(17)
        self.tolerance = described(
            QComboBox(), "toleranceCombo", "Tolerance", "The run has converged when ‖g‖/‖f(z)‖ falls below this."
        )
        for label, value in _TOLERANCES.items():
            self.tolerance.addItem(label, value)
        self.tolerance.setCurrentText("1e-3")
        self.safeguard = described(
            QCheckBox("drop wild steps"),
            "safeguardCheck",
            "Safeguard",
            "When a step more than doubles the residual, drop it and go on from the best iterate. Off: pure Broyden.",
        )
        self.safeguard.setChecked(True)
        self.memory = described(
            QSpinBox(), "memorySpin", "Memory", "Pairs of vectors that Broyden keeps; 0 keeps all of them."
        )
        self.memory.setRange(0, 200)
        self.memory.setSpecialValueText("all pairs")
        self.window_side = described(
            QSpinBox(),
            "windowSpin",
            "Attention window",
            "q: each pixel attends to the q × q pixels around it. 0 takes the network's own (Table VIII).",
        )
        self.window_side.setRange(0, 129)
        self.window_side.setSpecialValueText("the network's")
        self.precision = described(
            QComboBox(),
            "precisionCombo",
            "Precision",
            "Arithmetic inside f. bfloat16 is faster and puts a floor under the residual.",
        )
        self.precision.addItems(["float32", "bfloat16"])
        self.start = described(
            QComboBox(),
            "startCombo",
            "Start",
            "z₀. A well-posed equilibrium does not depend on it (Sec. IV-B). The last equilibrium, the result of the "
            "run before, is near when photo, region, σ, q or precision have changed a little.",
        )
        self.start.addItem("zero", "zero")
        self.start.addItem("seeded random", "random")
        self.start.addItem("last equilibrium", "last")
        self.memory_limit = described(
            QDoubleSpinBox(),
            "memoryLimitSpin",
            "Memory limit",
            "Gigabytes that the program may take; a run gives up what it must to fit, and says so. 0: what is free.",
        )
        self.memory_limit.setRange(0, 4096)
        self.memory_limit.setDecimals(1)
        self.memory_limit.setSuffix(" GB")
        self.memory_limit.setSpecialValueText("what is free")
        panel = QWidget()
        form = QFormLayout(panel)
        for label, widget in (
            ("Most steps", self.max_iter),
            ("Tolerance", self.tolerance),
            ("Safeguard", self.safeguard),
            ("Broyden memory", self.memory),
            ("Start z₀", self.start),
            ("Attention window q", self.window_side),
            ("Precision of f", self.precision),
            ("Memory limit", self.memory_limit),
        ):
            form.addRow(label, widget)
        menu = QMenu(self)
        action = QWidgetAction(menu)
        action.setDefaultWidget(panel)
        menu.addAction(action)
        self.setMenu(menu)


class RunControls(QWidget):
    """Network, solver, device and settings: what makes up `RunSettings`."""

    modelChanged = Signal()

    def __init__(self, model: str | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ModelChoice(model)
        self.solver = described(
            QComboBox(), "solverCombo", "Solver", "How the fixed point z* = f(z*) is sought; the paper uses Broyden."
        )
        for name in SOLVERS:
            self.solver.addItem({"plain": "Plain iteration"}.get(name, name.capitalize()), name)
        self.device = described(QComboBox(), "deviceCombo", "Device", "Where f is evaluated.")
        for name in devices():
            self.device.addItem(_DEVICE_NAMES.get(name, name.upper()), name)
        self.device.setCurrentIndex(self.device.findData(default_device()))
        self.settings_button = SolverSettings()
        self.channel = described(
            QComboBox(),
            "channelCombo",
            "Channel",
            "A grey network runs on the channels of a colour photo: whose noise level and attention maps are shown.",
        )
        for name, channel in (("Luma", None), ("Red", 0), ("Green", 1), ("Blue", 2)):
            self.channel.addItem(name, channel)
        self.channel.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self.model, self.solver, self.device, self.settings_button, self.channel):
            row.addWidget(widget)
        self.model.currentIndexChanged.connect(lambda _: self.modelChanged.emit())

    def settings(self) -> RunSettings:
        """The settings as chosen.

        Raises
        ------
        RunError
            If no network is there to choose.
        """
        if self.model.network is None:
            raise RunError("There is no trained network; open a checkpoint from the list of networks.")
        finer = self.settings_button
        return RunSettings(
            model=self.model.network,
            solver=self.solver.currentData(),
            max_iter=finer.max_iter.value(),
            tol=finer.tolerance.currentData(),
            memory=finer.memory.value() or None,
            safeguard=finer.safeguard.isChecked(),
            window=finer.window_side.value() or None,
            precision=finer.precision.currentText(),  # type: ignore[arg-type]
            device=self.device.currentData(),
            start=finer.start.currentData(),
            memory_limit=finer.memory_limit.value() or None,
        )
