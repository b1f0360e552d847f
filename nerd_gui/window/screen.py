"""Windows that keep to the room a screen has, also a small or a scaled one."""

from PySide6.QtCore import QMargins, QRect, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

#: What a window manager draws around a window, as far as one can know before it has: a border and a title bar.
_FRAME = QMargins(4, 36, 4, 4)
_NARROWEST = 240  # pixels of a column of panels


def fit_to_screen(window: QWidget) -> None:
    """Make a window no larger than its screen has room for beside panels and docks, and move it there."""
    if window.isMaximized() or window.isFullScreen():
        return
    place = fitted(window.geometry(), window.screen().availableGeometry())
    if window.testAttribute(Qt.WidgetAttribute.WA_Moved):
        window.setGeometry(place)
    else:  # where it opens is the window manager's choice
        window.resize(place.size())


def fitted(wanted: QRect, room: QRect) -> QRect:
    """The rectangle for a window's content that is nearest to the one wanted, and in a room together with its frame."""
    inside = room.marginsRemoved(_FRAME)
    place = QRect(wanted.topLeft(), wanted.size().boundedTo(inside.size()))
    place.moveRight(min(place.right(), inside.right()))
    place.moveBottom(min(place.bottom(), inside.bottom()))
    place.moveLeft(max(place.left(), inside.left()))
    place.moveTop(max(place.top(), inside.top()))
    return place


def scrolled(content: QWidget) -> QScrollArea:
    """Panels that take the height there is, and are scrolled where that is too little for them."""
    area = QScrollArea()
    area.setMinimumWidth(_NARROWEST)
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.viewport().setAutoFillBackground(False)
    content.setAutoFillBackground(False)
    return area
