"""Fits windows and panels into the room of the screen, also of a small or a scaled one."""

from PySide6.QtCore import QMargins, QRect, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

#: Space for the border and the title bar that a window manager will draw, estimated before the window is shown.
_FRAME = QMargins(4, 36, 4, 4)
_NARROWEST = 240  # pixels, the least width of a column of panels


def fit_to_screen(window: QWidget) -> None:
    """Make a window no larger than the free part of its screen, and move it there."""
    if window.isMaximized() or window.isFullScreen():
        return
    place = fitted(window.geometry(), window.screen().availableGeometry())
    if window.testAttribute(Qt.WidgetAttribute.WA_Moved):
        window.setGeometry(place)
    else:  # a new window is placed by the window manager
        window.resize(place.size())


def fitted(wanted: QRect, room: QRect) -> QRect:
    """Return the rectangle closest to the wanted one that fits, together with its frame, into a room."""
    inside = room.marginsRemoved(_FRAME)
    place = QRect(wanted.topLeft(), wanted.size().boundedTo(inside.size()))
    place.moveRight(min(place.right(), inside.right()))
    place.moveBottom(min(place.bottom(), inside.bottom()))
    place.moveLeft(max(place.left(), inside.left()))
    place.moveTop(max(place.top(), inside.top()))
    return place


def scrolled(content: QWidget) -> QScrollArea:
    """Return a scroll area whose content fills the height, and scrolls if the height is too small."""
    area = QScrollArea()
    area.setMinimumWidth(_NARROWEST)
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.viewport().setAutoFillBackground(False)
    content.setAutoFillBackground(False)
    return area
