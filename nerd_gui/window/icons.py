"""Icons in the colour of the text beside them, so that they suit the light and the dark theme."""

from PySide6.QtCore import QByteArray
from PySide6.QtGui import QColor, QIcon, QImage, QPixmap

from nerd_gui.places import data_folder

_SIZE = 48  # pixels, twice the size on the screen, for dense displays


def icon(name: str, colour: QColor, disabled: QColor | None = None) -> QIcon:
    """Return the icon `name` of resources/icons in `colour`; when disabled, dimmed and in the colour `disabled`."""
    drawing = (data_folder("resources") / "icons" / f"{name}.svg").read_text()
    made = QIcon()
    for mode, ink, alpha in ((QIcon.Mode.Normal, colour, 1.0), (QIcon.Mode.Disabled, disabled or colour, 0.35)):
        sized = drawing.replace('width="24" height="24"', f'width="{_SIZE}" height="{_SIZE}" opacity="{alpha}"')
        picture = QImage.fromData(QByteArray(sized.replace("currentColor", ink.name()).encode()))
        made.addPixmap(QPixmap.fromImage(picture), mode)
    return made


def program_icon() -> QIcon:
    """The program's own icon."""
    return QIcon(str(data_folder("resources") / "icons" / "nerd-gui.svg"))
