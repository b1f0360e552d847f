"""A simulated user who works with a window's queue by mouse."""

from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from nerd_gui.window.queue.queue import Phase


class User:
    def __init__(self, qtbot, window, model):
        self._qtbot = qtbot
        self._window = window
        self._model = model
        self.dialog, self.queue = window.queue, window.queue.queue

    def drop(self, *paths, on=None):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        (on or self._window).dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))

    def click(self, button):
        assert button.isEnabled() and button.isVisible(), button.text()
        self._qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def start(self):
        network = self.dialog.choices.network
        network.setCurrentIndex(network.findData(self._model))
        self.click(self.dialog.start)

    def wait_for_the_end(self):
        self._qtbot.waitUntil(lambda: self.queue.phase is Phase.IDLE, timeout=30_000)

    def wait_for(self, name):
        """Wait until this photo is being denoised."""
        self._qtbot.waitUntil(lambda: self.states()[name] == "under way" and self.item(name).fraction > 0)

    def item(self, name):
        return next(item for item in self.queue.items if item.job.source.name == name)

    def states(self):
        return {item.job.source.name: item.state for item in self.queue.items}

    def cells(self, column):
        """Return the texts in the table."""
        model = self.dialog.table.model()
        return [model.index(row, column).data() for row in range(model.rowCount())]

    def double_click(self, row, column):
        table = self.dialog.table
        place = table.visualRect(table.model().index(row, column)).center()
        self._qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
        self._qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def files(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}
