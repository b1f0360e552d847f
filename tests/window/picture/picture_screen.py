"""A picture view under test: its pixels on the screen, and real mouse events."""

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from nerd_gui.window.picture.layers import Compare, Layer
from nerd_gui.window.picture.sources import ArraySource
from nerd_gui.window.picture.view import PictureView
from nerd_gui.window.session.session import Session

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton


def screen(view: PictureView) -> np.ndarray:
    """Return the canvas as (rows, cols, 3) uint8, once it is completely painted."""
    canvas = view.viewport()
    canvas.grab()
    while not view.ready():
        canvas.grab()
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def rgb(picture: np.ndarray) -> np.ndarray:
    return np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else np.moveaxis(picture, 0, -1)


def at(pixels: np.ndarray, position: QPoint) -> tuple[int, ...]:
    return tuple(int(value) for value in pixels[position.y(), position.x()])


def random_picture(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def address_picture(rows: int, cols: int) -> np.ndarray:
    """Make a colour picture whose pixels contain their position: red is the row, green the column."""
    row, col = np.mgrid[:rows, :cols]
    return np.stack([row, col, np.full_like(row, 77)]).astype(np.uint8)


def drag(widget: QWidget, start: QPoint, end: QPoint, button=LEFT) -> None:
    QTest.mousePress(widget, button, pos=start)
    for step in (0.3, 0.7, 1.0):
        QTest.mouseMove(widget, start + QPoint(round(step * (end - start).x()), round(step * (end - start).y())))
    QTest.mouseRelease(widget, button, pos=end)


def wheel(view: PictureView, position: QPoint, notches: int) -> None:
    canvas = view.viewport()
    event = QWheelEvent(
        QPointF(position),
        QPointF(canvas.mapToGlobal(position)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)


class Counted(np.ndarray):
    """A picture that counts how many of its values are read."""

    count: list[int]

    def __getitem__(self, part):
        found = np.asarray(super().__getitem__(part))
        self.count[0] += found.size
        return found


class Read(ArraySource):
    """A picture whose values are counted when they are read."""

    def __init__(self, pixels: np.ndarray) -> None:
        counted = (pixels[None] if pixels.ndim == 2 else pixels).view(Counted)
        counted.count = [0]
        super().__init__(counted)

    @property
    def values(self) -> int:
        return self.pixels.count[0]

    @values.setter
    def values(self, values: int) -> None:
        self.pixels.count[0] = values


def open_view(qtbot, session: Session) -> PictureView:
    """Show a picture view with the focus and without captions."""
    view = PictureView(session)
    qtbot.addWidget(view)
    view.resize(800, 600)
    for layer in Layer:
        view.set_caption(layer, "")  # nothing over the corners
    with qtbot.waitExposed(view):
        view.show()
    view.setFocus()
    qtbot.waitUntil(lambda: view.viewport().hasFocus())
    return view


def show_single(view: PictureView, pixels: np.ndarray, zoom: float | None = None) -> None:
    view.set_picture(Layer.ITERATE, pixels)
    view.set_compare(Compare.SINGLE)
    if zoom is not None:
        view.set_zoom(zoom)


def origin(view: PictureView) -> tuple[int, int]:
    """(x, y) of the picture's corner at 100 % or below, where it is in the middle of pixel (0, 0)."""
    return view.position_of(0, 0).toTuple()
