"""The list of networks: Auto, which chooses a network for each photo, the included ones, and a person's own."""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from nerd_gui.denoising import AUTO, Choice, RunError, choose
from nerd_gui.nerd import ModelError, ablation_names, load_record, model_names, own_names
from nerd_gui.window.described import described, in_lines
from nerd_gui.window.session.session import Session
from nerd_gui.window.wording import purpose, short_name

_WHAT = "The trained network that finds the noise: the noise is the equilibrium of f."
_NONE = "There is no trained network; open a checkpoint from the list of networks."
_AUTO = "Auto chooses the network that suits the photo and its noise."
#: The role under which Qt's model of a combo box stores an item's flags; with 0, the item cannot be selected.
_FLAGS = Qt.ItemDataRole.UserRole - 1


class ModelChoice(QComboBox):
    """The list of networks; *Auto* comes first and is the default.

    Parameters
    ----------
    session : Session
        Holds the photo and the noise for which Auto chooses.
    device : str
        Where runs are computed; the larger networks are for accelerators only.
    wanted : str or None
        The name or path of the network to begin with.
    remembered : str or None
        The person's last choice, `AUTO` or a network; it counts if no network is wanted and this one still exists.

    Attributes
    ----------
    auto : Choice or None
        Auto's choice for the photo, even if Auto is not selected; None without a photo.
    lost : str or None
        The remembered network, if it no longer exists.
    device : str

    Signals
    -------
    choiceChanged
        `choice` has changed, because of the person, the photo or its noise.
    takenByHand : str
        A person chose an entry of the list: `AUTO`, or the name or path of a network.
    checkpointWanted
    """

    choiceChanged = Signal()
    takenByHand = Signal(str)
    checkpointWanted = Signal()

    def __init__(
        self,
        session: Session,
        device: str,
        wanted: str | None = None,
        remembered: str | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        described(self, "modelCombo", "Network", _WHAT)
        # The width does not depend on the network, so that the tools beside the list do not move.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(18)
        self._workspace = session.workspace
        self.device = device
        self.auto: Choice | None = None
        self.addItem("Auto", AUTO)
        self._offer([*own_names(), *model_names()])
        if ablations := ablation_names():
            self.insertSeparator(self.count())
            self.addItem("Ablations")  # a heading
            self.setItemData(self.count() - 1, 0, _FLAGS)
            self._offer(ablations)
        self.insertSeparator(self.count())
        self.addItem("Open checkpoint…")
        there = remembered is None or self.findData(remembered) >= 0 or Path(remembered).is_file()
        self.lost = None if there else remembered
        self.choose(wanted or (there and remembered) or AUTO)
        self._choose_again()
        self.activated.connect(self._on_activated)
        self.currentIndexChanged.connect(self._on_changed)
        session.photoChanged.connect(self._choose_again)
        session.subjectChanged.connect(self._choose_again)

    def _offer(self, names: Iterable[str]) -> None:
        for name in names:
            self.addItem(short_name(name), name)
            self.setItemData(self.count() - 1, in_lines(_model_tooltip(name)), Qt.ItemDataRole.ToolTipRole)

    @property
    def is_auto(self) -> bool:
        """Whether Auto is selected."""
        return bool(self.currentData() == AUTO)

    @property
    def choice(self) -> Choice | None:
        """Auto's choice or the person's, with grain size and reason; None for Auto without a photo."""
        if self.is_auto:
            return self.auto
        network: str = self.currentData()
        return Choice(network, 1, f"{short_name(network)} is your choice; Auto is the first in the list.")

    @property
    def reason(self) -> str:
        """A sentence on why this network was chosen, or why none and what to do; empty for Auto without a photo."""
        if self.choice is None:
            return "" if self.has_networks else _NONE
        sentences = [self.choice.reason]
        if self.lost is not None and self.is_auto:
            sentences.insert(0, f"The network “{short_name(self.lost)}”, which you chose last, no longer exists.")
        if self.choice.model is None and self.has_networks:
            sentences.append("To denoise the photo anyway, choose a network.")
        return " ".join(sentences)

    @property
    def has_networks(self) -> bool:
        """Whether the list has any network."""
        return any(self.itemData(index) not in (None, AUTO) for index in range(self.count()))

    @property
    def network(self) -> str | None:
        """The name or path of the network for a run; None if none is chosen, or none suits the photo."""
        return None if self.choice is None else self.choice.model

    def set_device(self, device: str) -> None:
        """Set the device of the runs, which Auto's choice depends on."""
        self.device = device
        self._choose_again()

    def choose(self, model: str) -> None:
        """Select an entry of the list; a person's own checkpoint is added if it is not listed."""
        index = self.findData(model)
        if index < 0:
            index = 1
            self.insertItem(index, _own_label(model), model)
            self.setItemData(index, in_lines(_model_tooltip(model)), Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(index)
        self._last = index

    def take(self, model: str) -> None:
        """Select an entry or a checkpoint as a person does, so that it is remembered."""
        self.choose(model)
        self.lost = None
        self.takenByHand.emit(model)

    def _on_activated(self, index: int) -> None:
        if self.itemData(index) is None:  # "Open checkpoint…" is a command, not a choice
            self.setCurrentIndex(self._last)
            self.checkpointWanted.emit()
        else:
            self._last, self.lost = index, None
            self.takenByHand.emit(self.itemData(index))

    def _on_changed(self) -> None:
        self._show_reason()
        if self.currentData() is not None:
            self.choiceChanged.emit()

    def _choose_again(self) -> None:
        """Let Auto choose for the present photo and noise."""
        workspace, before = self._workspace, self.auto
        self.auto = None
        if workspace.photo is not None:
            try:
                self.auto = choose(
                    workspace.photo,
                    adds_noise=workspace.add_noise,
                    device=self.device,
                    sigma=workspace.sigma if workspace.add_noise else None,
                    noise=workspace.noise,
                )
            except RunError as error:
                self.auto = Choice(None, 1, str(error))
        if self.auto == before:
            return
        taken = f": {self.auto.model or 'none needed'}" if self.auto is not None and self.has_networks else ""
        self.setItemText(0, f"Auto{taken}")
        self._show_reason()
        if self.is_auto:
            self.choiceChanged.emit()

    def _show_reason(self) -> None:
        """Show in the tooltips what Auto chose and why."""
        tip = _AUTO if self.auto is None else f"{_AUTO} {self.auto.reason}"
        self.setItemData(0, in_lines(tip), Qt.ItemDataRole.ToolTipRole)
        described(self, "modelCombo", "Network", f"{_WHAT}\n{tip}" if self.is_auto else _WHAT)


def _own_label(model: str) -> str:
    """Return the label of a network that is not included; its name may equal that of an included one."""
    return f"{short_name(model)} (own file)" if model.endswith(".safetensors") else short_name(model)


def _model_tooltip(model: str) -> str:
    if model in own_names():
        return f"{model}: a model of your own."
    try:
        record = load_record(model)
    except ModelError as error:
        return str(error)
    own = "A checkpoint of your own, which did not come with the program. " if model.endswith(".safetensors") else ""
    try:
        return (
            f"{own}{model}: {purpose(record['recipe'])}. Trained on {record['samples']:,} patches, "
            f"{record['hours']:.1f} h; {record['validation_psnr']:.2f} dB on the validation crops."
        )
    except (KeyError, TypeError, ValueError):  # a checkpoint with another trainer's record
        return f"{own}{model}: the file does not say how it was trained."
