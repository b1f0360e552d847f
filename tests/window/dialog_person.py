"""A simulated user who answers blocking dialogs: types and clicks by Qt's events."""

from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QDialogButtonBox, QFileDialog, QLineEdit, QMessageBox

YES, NO = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No


class Person(QObject):
    """Carries out its steps one by one, each as soon as a dialog of its kind takes input.

    Use it as a context manager: open dialogs inside. At the end every step must have been taken.

    Parameters
    ----------
    steps : pairs of a kind of dialog and a function that is called with it
    waits : bool
        Whether to wait at the end until everything is saved.
    """

    def __init__(self, *steps, waits=True):
        super().__init__()
        self.saw = []  # the title of each file dialog, and the text of each question
        self._steps = list(steps)
        self._failed = False
        self._waits = waits
        self._patience = 500  # ticks without a step
        self._clock = QTimer(self, interval=10)
        self._clock.timeout.connect(self._look)

    def __enter__(self):
        self._clock.start()
        return self

    def __exit__(self, kind, *_):
        self._clock.stop()
        if kind is None:
            assert not self._failed and not self._steps, f"{len(self._steps)} steps were not taken; seen: {self.saw}"
            for window in QApplication.topLevelWidgets() if self._waits else ():
                saver = getattr(window, "saver", None)
                while saver is not None and saver.busy:
                    QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def _look(self):
        dialog = QApplication.activeModalWidget()
        if self._steps and not self._failed and isinstance(dialog, self._steps[0][0]) and dialog.isActiveWindow():
            self._patience = 500
            self.saw.append(dialog.text() if isinstance(dialog, QMessageBox) else dialog.windowTitle())
            _, act = self._steps.pop(0)
            act(dialog)
            return
        self._patience -= 1
        if isinstance(dialog, QDialog) and (self._failed or not self._steps or self._patience < 0):
            self._failed = True
            self.saw.append(f"unexpected: {dialog.text() if isinstance(dialog, QMessageBox) else dialog.windowTitle()}")
            dialog.reject()


def enter(edit, name):
    """Replace the text of a line: type a name, paste a path (Qt enters the folders on its way while one is typed)."""
    edit.setFocus()  # if a line without the focus is changed, the file selected in the list stays selected
    QTest.keyClick(edit, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    if "/" in name:
        edit.insert(name)
    else:
        QTest.keyClicks(edit, name)


def saves(name=None, *, kind=None, leave=False, click=True):
    """Return a step that chooses a kind of file, types a name over the proposed one, and presses Save or Cancel."""

    def act(dialog):
        if leave:
            QTest.keyClick(dialog, Qt.Key.Key_Escape)
            return
        if kind is not None:
            combo = dialog.findChild(QComboBox, "fileTypeCombo")
            index = next(i for i in range(combo.count()) if combo.itemText(i).startswith(kind))
            combo.setFocus()
            QTest.keyClick(combo, Qt.Key.Key_Home)
            for _ in range(index):
                QTest.keyClick(combo, Qt.Key.Key_Down)
            combo.activated.emit(index)  # a closed list sends this signal on arrow keys, an open list on Return
        edit = dialog.findChild(QLineEdit, "fileNameEdit")
        if name is not None:
            enter(edit, name)
        if click:
            button = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Save)
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        else:
            QTest.keyClick(edit, Qt.Key.Key_Return)

    return QFileDialog, act


def proposed(into):
    """Return a step that records the proposed name and the chosen kind, and cancels."""

    def act(dialog):
        into.append((dialog.findChild(QLineEdit, "fileNameEdit").text(), dialog.selectedNameFilter()))
        QTest.keyClick(dialog, Qt.Key.Key_Escape)

    return QFileDialog, act


def answers(button, *, meanwhile=lambda: None):
    """Return a step that clicks a button of a question."""

    def act(box):
        meanwhile()
        QTest.mouseClick(box.button(button), Qt.MouseButton.LeftButton)

    return QMessageBox, act
