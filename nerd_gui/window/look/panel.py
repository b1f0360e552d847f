"""The sliders of the look, in one row below the picture."""

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from nerd_gui.denoising import PLAIN, Look
from nerd_gui.denoising.look import MOST_AMOUNT
from nerd_gui.window.described import described
from nerd_gui.window.look.percent import Percent
from nerd_gui.window.look.strength import Strength
from nerd_gui.window.session.session import Session

_MOST = round(100 * MOST_AMOUNT)


class LookPanel(QWidget):
    """Sets the session's look while a slider moves; the picture follows at once, computed from the existing iterates.

    The slider for the strength is an exception: its change needs a run. One slider moves the amounts for luminance and
    colour noise together; with *Apart*, each has its own. A look whose amounts differ is always shown with two sliders.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("lookPanel")
        self.setAccessibleName("Look of the result")
        self._session = session
        self.strength = Strength(session)
        self._amount = Percent(
            "lookAmount", "Amount", "How much of the noise is removed: 100 % is what the network finds.", _MOST
        )
        self._luma = Percent(
            "lookLuma", "Luminance", "How much of the noise in brightness is removed; some of it looks natural.", _MOST
        )
        self._chroma = Percent(
            "lookChroma", "Colour", "How much of the noise in colour, the coloured blotches, is removed.", _MOST
        )
        self._detail = Percent(
            "lookDetail",
            "Detail",
            "Gives back fine structure that was removed but does not look like noise: hair, leaves, fabric.",
            100,
        )
        self._apart = described(
            QToolButton(),
            "lookApartButton",
            "Luminance and colour apart",
            "Set the noise in brightness and the noise in colour separately.",
        )
        self._apart.setText("Apart")
        self._apart.setCheckable(True)
        self._reset = described(
            QToolButton(),
            "lookResetButton",
            "Reset the look",
            "Back to what the network finds: amount 100 %, detail 0 %.",
        )
        self._reset.setText("Reset")
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.strength, 1)
        for percent in (self._amount, self._luma, self._chroma, self._detail):
            row.addWidget(percent, 1)
            percent.changed.connect(self._set_look)
        row.addWidget(self._apart)
        row.addWidget(self._reset)
        self._apart.toggled.connect(self._on_apart)
        self._reset.clicked.connect(self._on_reset)
        for changed in (session.trajectoryChanged, session.iterateAdded, session.photoChanged):
            changed.connect(self._update_enabled)
        session.lookChanged.connect(self._show_look)
        self._update_enabled()
        self._show_look()

    def _update_enabled(self) -> None:
        photo = self._session.workspace.photo
        grey = photo is not None and photo.channels == 1  # then it has only brightness
        self.setEnabled(self._session.newest >= 0)
        self._apart.setVisible(not grey)
        if grey:
            self._apart.setChecked(False)

    def _set_look(self) -> None:
        detail = self._detail.share
        if self._apart.isChecked():
            look = Look(self._luma.share, self._chroma.share, detail)
        else:
            look = Look(self._amount.share, self._amount.share, detail)
        self._session.set_look(look)

    def _on_apart(self, apart: bool) -> None:
        look = self._session.look
        if not apart and look.luma != look.chroma:
            self._session.set_look(replace(look, chroma=look.luma))
        self._show_look()

    def _on_reset(self) -> None:
        self._apart.setChecked(False)
        self._session.set_look(PLAIN)

    def _show_look(self) -> None:
        look = self._session.look
        if look.luma != look.chroma:
            with QSignalBlocker(self._apart):
                self._apart.setChecked(True)
        apart = self._apart.isChecked()
        for percent, share, there in (
            (self._amount, look.luma, not apart),
            (self._luma, look.luma, apart),
            (self._chroma, look.chroma, apart),
            (self._detail, look.detail, True),
        ):
            percent.show_share(share)
            percent.setVisible(there)
        self._reset.setEnabled(not look.plain)
