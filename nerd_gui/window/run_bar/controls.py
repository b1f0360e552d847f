"""The tool bar's choices: noise, network, and the button for solver, device and further settings."""

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QStackedWidget,
    QWidget,
)

from nerd_gui.denoising import (
    PICTURE,
    Choice,
    RunError,
    RunSettings,
    default_device,
    devices,
    fast_precision,
    is_told_level,
)
from nerd_gui.denoising.photo_files import Treatment
from nerd_gui.equilibrium import SOLVERS
from nerd_gui.window.described import described
from nerd_gui.window.run_bar.model_choice import ModelChoice
from nerd_gui.window.run_bar.solver_settings import SolverSettings
from nerd_gui.window.session.session import Session
from nerd_gui.window.style.tokens import SMALL
from nerd_gui.window.wording import solver_name

ADD_NOISE, ALREADY_NOISY = range(2)
_DEVICE_NAMES = {"cpu": "CPU", "cuda": "GPU (CUDA)", "mps": "GPU (Metal)"}


class NoiseControls(QWidget):
    """The choice between adding noise to a clean picture and a photo that is noisy; the seed is shown elsewhere."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = session.workspace
        self.mode = described(
            QComboBox(),
            "noiseModeCombo",
            "Noise",
            "Add white Gaussian noise to a clean picture (y = x − n, Eq. 1), or use a photo that is already noisy.",
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
        self.estimate = described(
            QLabel(),
            "estimatedSigmaLabel",
            "Estimated noise level of the photo",
            "Estimated noise level, measured in the flat parts of the photo (standard deviation, 0–255 scale).",
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._level = QStackedWidget()  # of fixed width, so that the row does not shift
        self._level.setFixedWidth(self.fontMetrics().horizontalAdvance("estimated σ 100.0") + SMALL)
        self._level.addWidget(self.sigma)
        self._level.addWidget(self.estimate)
        row.addWidget(self.mode)
        row.addWidget(self._level)
        self.mode.currentIndexChanged.connect(self._on_changed)
        self.sigma.valueChanged.connect(self._on_changed)
        self.seed.valueChanged.connect(self._on_changed)
        session.photoChanged.connect(self._show_estimate)
        session.subjectChanged.connect(self._show_noise)
        self._show_noise()

    @property
    def adds_noise(self) -> bool:
        """Whether noise is added to the picture; otherwise, the picture counts as noisy."""
        return self.mode.currentIndex() == ADD_NOISE

    def _show_estimate(self) -> None:
        noise = self._workspace.noise
        self.estimate.setText("" if noise is None else f"estimated σ {noise.level:.1f}")

    def _show_noise(self) -> None:
        workspace = self._workspace
        with QSignalBlocker(self.mode), QSignalBlocker(self.sigma), QSignalBlocker(self.seed):
            self.mode.setCurrentIndex(ADD_NOISE if workspace.add_noise else ALREADY_NOISY)
            if self.sigma.value() != workspace.sigma:  # setting it again would undo a half-typed number
                self.sigma.setValue(workspace.sigma)
            if self.seed.value() != workspace.seed:
                self.seed.setValue(workspace.seed)
        self._level.setCurrentWidget(self.sigma if self.adds_noise else self.estimate)
        self.seed.setEnabled(self.adds_noise)

    def _on_changed(self) -> None:
        self._workspace.set_noise(add_noise=self.adds_noise, sigma=self.sigma.value(), seed=self.seed.value())


class RunControls(QWidget):
    """The choices that make up `RunSettings`: network, solver, device and further settings.

    Parameters
    ----------
    session : Session
    model, remembered : str, optional
        The network to begin with, and the one that a person chose last; see `ModelChoice`.

    Signals
    -------
    changed
        `settings` or `choice` has changed.
    """

    changed = Signal()

    def __init__(
        self,
        session: Session,
        model: str | None = None,
        remembered: str | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.model = ModelChoice(session, default_device(), model, remembered)
        self.solver = described(
            QComboBox(), "solverCombo", "Solver", "How the fixed point z* = f(z*) is found; the paper uses Broyden."
        )
        for name in SOLVERS:
            self.solver.addItem(solver_name(name), name)
        self.device = described(QComboBox(), "deviceCombo", "Device", "The processor that evaluates f.")
        for name in devices():
            self.device.addItem(_DEVICE_NAMES.get(name, name.upper()), name)
        self.device.setCurrentIndex(self.device.findData(default_device()))
        self.device.currentIndexChanged.connect(lambda _: self.model.set_device(self.device.currentData()))
        self.settings_button = SolverSettings(self.solver, self.device)
        self.solver.currentIndexChanged.connect(self._on_solver)
        self._on_solver()
        self.model.choiceChanged.connect(self._on_network)
        self._on_network()
        session.photoChanged.connect(lambda: self.set_strength(None))  # the old strength was for the previous photo
        self.model.choiceChanged.connect(self.changed)
        self.solver.currentIndexChanged.connect(self.changed)
        self.device.currentIndexChanged.connect(self.changed)
        self.settings_button.changed.connect(self.changed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self.model, self.settings_button):
            row.addWidget(widget)

    def _on_solver(self) -> None:
        self.settings_button.show_solver(self.solver.currentData())

    def _on_network(self) -> None:
        network = self.model.network
        self.settings_button.show_network(is_told_level=network is not None and is_told_level(network))

    def set_strength(self, level: float | None) -> None:
        """Set the noise level that the network is told; None: the photo's own."""
        self.settings_button.strength.setValue(level or 0)

    def choice(self) -> Choice:
        """Return network, grain size and reason for a run that starts now; `Choice.model` is the network's own name.

        Raises
        ------
        RunError
            If there is no network, or if Auto finds hardly any noise in the photo.
        """
        choice = self.model.choice
        if choice is None or choice.model is None:
            raise RunError(self.model.reason or "Open a photo first.")
        grain = self.settings_button.grain_size
        return choice if grain is None else replace(choice, grain=grain)

    def settings(self, *, for_photo: bool = False) -> RunSettings:
        """Return the chosen settings; for a whole photo, the faster precision unless a person has chosen one.

        Raises
        ------
        RunError
            As for `choice`.
        """
        network = self.choice().model
        assert network is not None
        return self._settings(network, for_photo=for_photo)

    def _settings(self, model: str, *, for_photo: bool) -> RunSettings:
        device, values = self.device.currentData(), self.settings_button.values()
        if for_photo:
            values = {"precision": fast_precision(device)} | values
        return RunSettings(model=model, solver=self.solver.currentData(), device=device, **values)

    def treatment(self, model: str) -> Treatment:
        """Return the treatment of each photo in a queue: what *Denoise photo* would do with this network.

        Every run starts at zero and tells the network the photo's own noise level, since the photos are unrelated.
        """
        settings = replace(self._settings(model, for_photo=True), stop_on=PICTURE, start="zero", strength=None)
        return Treatment(settings, self.settings_button.grain_size)
