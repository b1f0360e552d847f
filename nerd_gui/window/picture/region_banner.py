"""The line over a photo that is too large to be run whole."""

from PySide6.QtWidgets import QLabel, QWidget

from nerd_gui.window.session.session import Session
from nerd_gui.window.shortcuts import Shortcut


class RegionBanner(QLabel):
    """Says which region of a large photo is run; hidden for others."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("regionBanner")
        self.setWordWrap(True)
        self.setMargin(6)
        self.hide()
        self._workspace = session.workspace
        session.subjectChanged.connect(self._show_region)

    def _show_region(self) -> None:
        workspace = self._workspace
        self.setVisible(workspace.needs_region)
        if workspace.needs_region and workspace.photo is not None and workspace.region is not None:
            photo, (row, col, rows, cols) = workspace.photo, workspace.region
            megapixels = photo.rows * photo.cols / 1e6
            self.setText(
                f"A photo of {megapixels:.1f} megapixels: its region of {cols} × {rows} pixels at column {col}, "
                f"row {row} is run. Region ({Shortcut.REGION.text}) chooses another one."
            )
