"""The preview of the photo that is on its way, over the picture that is open until then."""

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QWidget

from nerd_gui.imaging import Preview
from nerd_gui.window.files.opener import PhotoOpener
from nerd_gui.window.picture.marks import draw_chip


class PreviewCover(QWidget):
    """Covers a surface with the preview, as large as the photo will lie there, from when it is there until it ends.

    What lies under it is neither changed nor reached: it is there again if the photo does not come.

    Parameters
    ----------
    surface : QWidget
        What the picture is painted on.
    """

    def __init__(self, opener: PhotoOpener, surface: QWidget) -> None:
        super().__init__(surface)
        self.setObjectName("previewCover")
        self.setAccessibleName("Preview of the photo that is being opened")
        self.setToolTip("A small picture of the photo, until all of its pixels are there")
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Window)
        self._surface = surface
        self._image = QImage()
        self._size = QSize()
        self._name = ""
        self.hide()
        surface.installEventFilter(self)
        opener.begun.connect(self._begin)
        opener.previewed.connect(self._show_preview)
        opener.opened.connect(self._end)
        opener.failed.connect(self._end)
        opener.cancelled.connect(self._end)

    @property
    def image(self) -> QImage:
        """The preview on show, one of its pixels for each pixel of it; null while there is none."""
        return self._image

    def _begin(self, name: str) -> None:
        self._end()
        self._name = name

    def _show_preview(self, preview: Preview) -> None:
        rows, cols, _ = preview.pixels.shape
        # A copy, because the image would not keep the array alive.
        self._image = QImage(preview.pixels.data, cols, rows, 3 * cols, QImage.Format.Format_RGB888).copy()
        self._size = QSize(preview.cols, preview.rows)
        self.setGeometry(self._surface.rect())
        self.show()
        self.raise_()

    def _end(self) -> None:
        self._image = QImage()
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep to the surface's size."""
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._surface.rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the preview where the whole photo will lie, and say what it is."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        whole = QRectF(self.rect())
        size = self._size.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(0, 0, size.width(), size.height())
        place.moveCenter(whole.center())
        painter.drawImage(place, self._image)
        draw_chip(painter, place, f"Preview of {self._name}, which is being opened")
