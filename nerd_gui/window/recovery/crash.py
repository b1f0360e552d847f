"""Handles errors that nothing else handles: logs them, keeps the session, and shows one dialog."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from nerd_gui.window.recovery.log import Log, about_machine, complain, described, is_wanted
from nerd_gui.window.style.tokens import LARGE


class CrashReporter(QObject):
    """Handles unhandled errors of any thread and of Qt's slots and events; the program continues after them.

    Each error is logged. The first is shown in a dialog; after that is closed, so is the next from another place in the
    code. There is never more than one dialog.

    Parameters
    ----------
    window : QWidget
    log : Log
    keep : callable
        Writes the session to disk now.
    what_is_kept : callable
        Returns a sentence on what is open and kept.
    save : callable
        Asks where to save the session.
    """

    _caught = Signal(str, str, str)  # sentence, details, place in the code; emitted on the thread of the error

    def __init__(
        self,
        window: QWidget,
        log: Log,
        keep: Callable[[], object],
        what_is_kept: Callable[[], str],
        save: Callable[[], object],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._log = log
        self._keep = keep
        self._what_is_kept = what_is_kept
        self._save = save
        self._dialog: CrashDialog | None = None
        self._shown: set[str] = set()
        self._hooks = sys.excepthook, threading.excepthook
        # Queued, because the failed code may have been painting, and a dialog cannot be shown in the middle of that.
        self._caught.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Handle errors from now on."""
        self._hooks = sys.excepthook, threading.excepthook
        sys.excepthook = self._take
        threading.excepthook = self._take_from_thread

    def remove(self) -> None:
        """Restore the earlier error hooks and close the dialog."""
        sys.excepthook, threading.excepthook = self._hooks
        if self._dialog is not None:
            self._dialog.close()

    def _take(self, kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        if is_wanted(kind):
            self._hooks[0](kind, error, where)
            return
        details = described(kind, error, where)
        last = where
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        place = f"{kind.__name__} {last.tb_frame.f_code.co_filename}:{last.tb_lineno}" if last else kind.__name__
        complain(details)
        self._log.write(f"{about_machine()}\n{details}")
        words = details.strip().splitlines()[-1]
        self._caught.emit(f"An unexpected error occurred ({words}).", details, place)

    def _take_from_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self._take(args.exc_type, args.exc_value, args.exc_traceback)

    def _show(self, sentence: str, details: str, place: str) -> None:
        if place in self._shown:
            return
        if self._dialog is not None:
            self._dialog.count_another()
            return
        self._shown.add(place)
        self._keep()
        self._dialog = dialog = CrashDialog(
            f"{sentence}\n\n{self._what_is_kept()}",
            f"{about_machine()}\n\n{details}",
            str(self._log.path),
            self._window,
        )
        dialog.saveWanted.connect(self._save)
        dialog.finished.connect(self._forget)
        dialog.show()

    def _forget(self) -> None:
        self._dialog = None


class CrashDialog(QDialog):
    """Shows what happened, what was kept, where the log is, and details for a developer; the window stays usable.

    Signals
    -------
    saveWanted
        A person wants to save the session.
    """

    saveWanted = Signal()

    def __init__(self, sentence: str, details: str, log: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("crashDialog")
        self.setWindowTitle("NERD GUI: an unexpected error")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._words = f"{sentence}\n\nThe details are in the log file “{log}”."
        self._more = 0
        self._label = QLabel(self._words)
        self._label.setObjectName("crashText")
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._label.setWordWrap(True)
        self._label.setMinimumWidth(520)
        self._details = QPlainTextEdit(details)
        self._details.setObjectName("crashDetails")
        self._details.setAccessibleName("Details of the error")
        self._details.setToolTip("Where in the program the error occurred; the details hold none of your folders")
        self._details.setReadOnly(True)
        self._details.hide()
        buttons = QDialogButtonBox()
        role = QDialogButtonBox.ButtonRole
        self._button(buttons, "crashSaveButton", "Save session…", "Save photo, runs, pins and view", role.ActionRole)
        self._button(buttons, "crashCopyButton", "Copy details", "Copy the details, to send them", role.ActionRole)
        self._toggle = self._button(
            buttons, "crashDetailsButton", "Show details", "Show where the error occurred", role.ActionRole
        )
        close = self._button(buttons, "crashCloseButton", "Continue", "Close this and continue", role.RejectRole)
        close.setDefault(True)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(LARGE, LARGE, LARGE, LARGE)
        column.setSpacing(LARGE)
        column.addWidget(self._label)
        column.addWidget(self._details, 1)
        column.addWidget(buttons)

    def count_another(self) -> None:
        """Show that one more error has occurred."""
        self._more += 1
        errors = "another error" if self._more == 1 else f"{self._more} other errors"
        self._label.setText(f"{self._words} Since then, {errors} occurred.")
        self.adjustSize()

    def _button(
        self, box: QDialogButtonBox, name: str, text: str, tip: str, role: QDialogButtonBox.ButtonRole
    ) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setToolTip(tip)
        box.addButton(button, role)
        deeds = {
            "crashSaveButton": self.saveWanted.emit,
            "crashCopyButton": self._copy,
            "crashDetailsButton": self._show_details,
        }
        if name in deeds:
            button.clicked.connect(deeds[name])
        return button

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._details.toPlainText())

    def _show_details(self) -> None:
        hidden = self._details.isHidden()
        self._details.setVisible(hidden)
        self._toggle.setText("Hide details" if hidden else "Show details")
        self.adjustSize()
