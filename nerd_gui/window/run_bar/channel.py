"""The choice of the channel that curves and maps show for a colour photo."""

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from nerd_gui.window.described import described
from nerd_gui.window.session.session import Session
from nerd_gui.window.style.tokens import SMALL


class ChannelChoice(QComboBox):
    """The luma or one channel of a colour photo; hidden for a grey one."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(
            self,
            "channelCombo",
            "Channel",
            "A grey network runs on the three channels of a colour photo. Noise level and attention maps are shown "
            "for one channel, or for the luma: all three, weighted by how bright they look to the eye.",
        )
        for name, channel in (("Luma (brightness)", None), ("Red", 0), ("Green", 1), ("Blue", 2)):
            self.addItem(name, channel)
        self._session = session
        self.currentIndexChanged.connect(lambda _: session.set_channel(self.currentData()))
        session.channelChanged.connect(self._show_channel)

    def _show_channel(self) -> None:
        with QSignalBlocker(self):
            self.setCurrentIndex(self.findData(self._session.channel))


class ChannelRow(QWidget):
    """The choice with its label; shown only for colour photos."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("channelRow")
        self._session = session
        choice, name = ChannelChoice(session), QLabel("Curves and maps of")
        name.setBuddy(choice)
        row = QHBoxLayout(self)
        row.setContentsMargins(SMALL, 0, SMALL, 0)
        row.setSpacing(SMALL)
        row.addWidget(name)
        row.addWidget(choice)
        self.hide()
        session.photoChanged.connect(self._show_photo)

    def _show_photo(self) -> None:
        photo = self._session.workspace.photo
        self.setVisible(photo is not None and photo.channels == 3)
