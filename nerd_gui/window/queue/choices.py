"""The choices for a queue: where its results go, which network denoises, and whether existing results are kept."""

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from nerd_gui.denoising import AUTO
from nerd_gui.window.described import described
from nerd_gui.window.run_bar.model_choice import ModelChoice


class FolderLabel(QLabel):
    """Shows the path of a folder; a path that is too long is shortened in the middle."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path = ""
        self.setMinimumWidth(120)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def show_path(self, path: Path | None) -> None:
        """Show a path; None means that no folder has been chosen yet."""
        self._path = "a folder “denoised” beside the first photo" if path is None else str(path)
        self.setToolTip(self._path)
        self._elide()

    def _elide(self) -> None:
        elided = self.fontMetrics().elidedText(self._path, Qt.TextElideMode.ElideMiddle, self.width())
        if elided != self.text():
            self.setText(elided)

    def resizeEvent(self, event: object) -> None:
        """Shorten the path to the new width."""
        self._elide()
        super().resizeEvent(event)  # type: ignore[arg-type]


class QueueChoices(QWidget):
    """The widgets for a queue's choices.

    Signals
    -------
    folderWanted
        A person wants another folder for the results.
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
            "Auto chooses a network for each photo, and leaves a photo with hardly any noise unchanged.",
        )
        self.network.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.skip = described(
            QCheckBox("Skip photos that are already done"),
            "queueSkipCheck",
            "Skip photos that are already done",
            "Photos whose results are in the folder are not denoised again, so you can stop a queue and continue it "
            "later. Without the tick, you are asked before any result is replaced.",
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
        """Update the list of networks from the window's list."""
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
