"""The tool bar's choices: noise, network, solver, device, and the button to the finer settings."""

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QWidget,
)

from nerd_gui.denoising import RunError, RunSettings, default_device, default_model, devices, is_for_photos
from nerd_gui.equilibrium import SOLVERS
from nerd_gui.nerd import ModelError, load_record, model_names
from nerd_gui.window.described import described
from nerd_gui.window.run_bar.channel import ChannelChoice
from nerd_gui.window.run_bar.solver_settings import SolverSettings
from nerd_gui.window.session.session import Session
from nerd_gui.window.wording import purpose

ADD_NOISE, ALREADY_NOISY = range(2)
_DEVICE_NAMES = {"cpu": "CPU", "cuda": "GPU (CUDA)", "mps": "GPU (Metal)"}


class NoiseControls(QWidget):
    """Whether noise is added to a clean picture or the photo is noisy already."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = session.workspace
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
        session.photoChanged.connect(self._show_estimate)
        session.subjectChanged.connect(self._show_noise)
        self._show_noise()

    @property
    def adds_noise(self) -> bool:
        return self.mode.currentIndex() == ADD_NOISE

    def _show_estimate(self) -> None:
        estimated = self._workspace.estimated_sigma
        self.estimate.setText("" if estimated is None else f"estimated σ {estimated:.1f}")

    def _show_noise(self) -> None:
        workspace = self._workspace
        with QSignalBlocker(self.mode), QSignalBlocker(self.sigma), QSignalBlocker(self.seed):
            self.mode.setCurrentIndex(ADD_NOISE if workspace.add_noise else ALREADY_NOISY)
            if self.sigma.value() != workspace.sigma:  # setting it anew would undo a number half typed
                self.sigma.setValue(workspace.sigma)
            if self.seed.value() != workspace.seed:
                self.seed.setValue(workspace.seed)
        self.sigma.setVisible(self.adds_noise)
        self.seed.setVisible(self.adds_noise)
        self.estimate.setVisible(not self.adds_noise)

    def _on_changed(self) -> None:
        self._workspace.set_noise(add_noise=self.adds_noise, sigma=self.sigma.value(), seed=self.seed.value())


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
        return recipe["model"]["channels"] if is_for_photos(recipe) else 0
    except (ModelError, KeyError, TypeError):  # said where the network is used; or another trainer's record
        return 0


class RunControls(QWidget):
    """Network, solver, device and settings: what makes up `RunSettings`."""

    def __init__(self, session: Session, model: str | None = None, parent: QWidget | None = None) -> None:
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
        self.solver.currentIndexChanged.connect(self._on_solver)
        self._on_solver()
        self.channel = ChannelChoice(session)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self.model, self.solver, self.device, self.settings_button, self.channel):
            row.addWidget(widget)

    def _on_solver(self) -> None:
        self.settings_button.show_solver(self.solver.currentData())

    def settings(self) -> RunSettings:
        """The settings as chosen.

        Raises
        ------
        RunError
            If no network is there to choose.
        """
        if self.model.network is None:
            raise RunError("There is no trained network; open a checkpoint from the list of networks.")
        return RunSettings(
            model=self.model.network,
            solver=self.solver.currentData(),
            device=self.device.currentData(),
            **self.settings_button.values(),
        )
