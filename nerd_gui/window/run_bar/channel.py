"""Which channel of a colour photo is looked at."""

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QWidget

from nerd_gui.window.described import described
from nerd_gui.window.session.session import Session


class ChannelChoice(QComboBox):
    """The luma or one channel of a colour photo; hidden for a grey one."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        described(
            self,
            "channelCombo",
            "Channel",
            "A grey network runs on the channels of a colour photo: whose noise level and attention maps are shown.",
        )
        for name, channel in (("Luma", None), ("Red", 0), ("Green", 1), ("Blue", 2)):
            self.addItem(name, channel)
        self.hide()
        self._session = session
        self.currentIndexChanged.connect(lambda _: session.set_channel(self.currentData()))
        session.channelChanged.connect(self._show_channel)
        session.photoChanged.connect(self._show_photo)

    def _show_channel(self) -> None:
        with QSignalBlocker(self):
            self.setCurrentIndex(self.findData(self._session.channel))

    def _show_photo(self) -> None:
        photo = self._session.workspace.photo
        self.setVisible(photo is not None and photo.channels == 3)
