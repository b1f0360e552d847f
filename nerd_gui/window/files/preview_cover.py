"""The preview of the photo that is being opened, over the picture that is still open."""

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QWidget

from nerd_gui.imaging import Preview
from nerd_gui.window.files.opener import PhotoOpener
from nerd_gui.window.picture.marks import draw_chip


class PreviewCover(QWidget):
    """Covers the picture with the preview, in the size and place of the photo to come, until that has been opened.

    The picture below neither changes nor gets any events, and is visible again if the photo cannot be opened.

    Parameters
    ----------
    surface : QWidget
        The widget on which the picture is painted.
    """

    def __init__(self, opener: PhotoOpener, surface: QWidget) -> None:
        super().__init__(surface)
        self.setObjectName("previewCover")
        self.setAccessibleName("Preview of the photo that is being opened")
        self.setToolTip("A small version of the photo, until the whole photo has been read")
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
        """The shown preview in its own resolution; a null image while there is none."""
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
        """Adapt to the size of the surface."""
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._surface.rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the preview where the whole photo will lie, with a caption."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        whole = QRectF(self.rect())
        size = self._size.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(0, 0, size.width(), size.height())
        place.moveCenter(whole.center())
        painter.drawImage(place, self._image)
        draw_chip(painter, place, f"Preview of {self._name}, which is being opened")
