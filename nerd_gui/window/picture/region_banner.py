"""The line above a photo that has a region to explore."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from nerd_gui.window.described import described
from nerd_gui.window.session.session import Session


class RegionBanner(QWidget):
    """Says which part of the photo is shown and what Explore runs; its button switches between photo and region."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("regionBanner")
        self.setAccessibleName("Region and whole photo")
        self._session = session
        self._wanted = True
        self._words = QLabel()
        self._words.setObjectName("regionBannerText")
        self._words.setWordWrap(True)
        self._other = described(QToolButton(), "otherPartButton", "Show the whole photo or the region", "")
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 2, 0, 2)
        row.addWidget(self._words, 1)
        row.addWidget(self._other)
        self._other.clicked.connect(self._show_other)
        for changed in (session.subjectChanged, session.regionChanged, session.runChanged, session.iterateAdded):
            changed.connect(self._show_region)
        session.controller.runningChanged.connect(self._show_region)
        self._show_region()

    def want(self, wanted: bool) -> None:
        """Show the banner whenever there is a region, or never, as in Photo mode, where nobody chooses a region."""
        self._wanted = wanted
        self._show_region()

    def text(self) -> str:
        """Return the banner's text."""
        return self._words.text()

    def _show_region(self) -> None:
        session, workspace = self._session, self._session.workspace
        self.setVisible(self._wanted and workspace.photo is not None and workspace.region is not None)
        if workspace.photo is None or workspace.region is None:
            return
        row, col, rows, cols = workspace.region
        megapixels = f"{workspace.photo.rows * workspace.photo.cols / 1e6:.1f} megapixels"
        if session.shown_region is not None:
            self._words.setText(
                f"The region of {cols} × {rows} pixels at column {col}, row {row} of a photo of {megapixels}."
            )
            self._other.setText("Show whole photo")
            self._other.setToolTip("Go back to the whole photo; the region’s results are kept")
        else:
            self._words.setText(
                f"The whole photo, {megapixels}. Explore runs the marked region of {cols} × {rows} pixels."
            )
            self._other.setText("Show region")
            self._other.setToolTip("Go to the region and its last result")
        there = session.shown_region is not None or session.region_run is not None
        self._other.setEnabled(there and not session.controller.running)

    def _show_other(self) -> None:
        session = self._session
        session.show_run(session.whole_run if session.shown_region is not None else session.region_run)
