"""Where a queue's results go, by which network they are made, and whether what is there is kept."""

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from nerd_gui.denoising import AUTO
from nerd_gui.window.described import described
from nerd_gui.window.run_bar.model_choice import ModelChoice


class FolderLabel(QLabel):
    """The path of a folder; where it is too long for its place, its middle is left out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path = ""
        self.setMinimumWidth(120)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def show_path(self, path: Path | None) -> None:
        """Show a path, or that there is none yet."""
        self._path = "a folder “denoised” beside the first photo" if path is None else str(path)
        self.setToolTip(self._path)
        self._elide()

    def _elide(self) -> None:
        elided = self.fontMetrics().elidedText(self._path, Qt.TextElideMode.ElideMiddle, self.width())
        if elided != self.text():
            self.setText(elided)

    def resizeEvent(self, event: object) -> None:
        """Show as much as there is room for."""
        self._elide()
        super().resizeEvent(event)  # type: ignore[arg-type]


class QueueChoices(QWidget):
    """The choices of a queue.

    Signals
    -------
    folderWanted
        The person wants the results somewhere else.
    """

    folderWanted = Signal()

    def __init__(self, models: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self.folder = FolderLabel()
        self.folder.setObjectName("queueFolder")
        self.folder.setAccessibleName("Folder for the results")
        self.change = described(
            QPushButton("Change…"), "queueFolderButton", "Change the folder", "Choose where the denoised photos go."
        )
        self.network = described(
            QComboBox(),
            "queueNetworkCombo",
            "Network of the queue",
            "Auto takes for each photo the network that suits it, and leaves a photo with hardly any noise as it is.",
        )
        self.network.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.skip = described(
            QCheckBox("Skip photos that are done already"),
            "queueSkipCheck",
            "Skip photos that are done already",
            "A photo whose result is in the folder is not denoised again: a queue that was stopped goes on where it "
            "was. Without the tick you are asked before anything is replaced.",
        )
        self.skip.setChecked(True)
        where = QHBoxLayout()
        where.setSpacing(8)
        where.addWidget(self.folder, 1)
        where.addWidget(self.change)
        how = QHBoxLayout()
        how.setSpacing(16)
        how.addWidget(self.network)
        how.addWidget(self.skip)
        how.addStretch(1)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Save in", where)
        form.addRow("Network", how)
        self.change.clicked.connect(self.folderWanted)
        self.refresh()

    def refresh(self) -> None:
        """List the networks that the window lists."""
        chosen = self.network.currentData() or AUTO
        with QSignalBlocker(self.network):
            self.network.clear()
            self.network.addItem("Auto", AUTO)
            for index in range(self._models.count()):
                model = self._models.itemData(index)
                if model not in (None, AUTO):
                    self.network.addItem(self._models.itemText(index), model)
                    tip = self._models.itemData(index, Qt.ItemDataRole.ToolTipRole)
                    self.network.setItemData(self.network.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
            self.network.setCurrentIndex(max(0, self.network.findData(chosen)))
