"""Notices above the picture that stay until they are answered, each with a button if something can be done."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nerd_gui.window.described import described
from nerd_gui.window.icons import icon
from nerd_gui.window.messages import Messages, Notice
from nerd_gui.window.style.tokens import SMALL, TIGHT

_ICON = QSize(14, 14)


class NoticeBar(QWidget):
    """Shows the notices that `Messages` keeps, the newest at the bottom; hidden while there are none.

    A notice goes when its button or its cross is pressed, or when it no longer applies. A focused one passes the focus
    to the bar's focus proxy.
    """

    def __init__(self, messages: Messages, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("noticeBar")
        self.setAccessibleName("Notices")
        self._rows: dict[str, _Row] = {}
        self._closed: dict[str, str] = {}  # sentences that a person has closed and that still apply
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, TIGHT)
        self._column.setSpacing(TIGHT)
        self.hide()
        messages.kept.connect(self._show)
        messages.dropped.connect(self._drop)

    def sentence(self, key: str) -> str:
        """Return the sentence of a notice; empty if there is none with this key."""
        row = self._rows.get(key)
        return row.notice.sentence if row is not None and not row.isHidden() else ""

    def _show(self, notice: Notice) -> None:
        if self._closed.get(notice.key) == notice.sentence:
            return
        row = self._rows.get(notice.key)
        if row is None:  # later it is only hidden and shown, because notices come and go often
            row = self._rows[notice.key] = _Row(notice.key)
            row.close_button.clicked.connect(lambda: self._close(row.notice))
            row.button.clicked.connect(lambda: self._answer(row.notice))
        row.take(notice)
        if row.isHidden():
            self._column.removeWidget(row)
            self._column.addWidget(row)
            row.show()
        self.show()

    def _drop(self, key: str) -> None:
        self._closed.pop(key, None)
        self._remove(key)

    def _close(self, notice: Notice) -> None:
        self._closed[notice.key] = notice.sentence
        self._remove(notice.key)

    def _answer(self, notice: Notice) -> None:
        self._drop(notice.key)
        if notice.do is not None:
            notice.do()

    def _remove(self, key: str) -> None:
        row, focused = self._rows.get(key), QApplication.focusWidget()
        if row is not None:
            if focused is not None and row.isAncestorOf(focused):
                self.setFocus()  # otherwise Qt would give the focus to a button far away
            row.hide()
        self.setVisible(any(not row.isHidden() for row in self._rows.values()))


class _Row(QFrame):
    """A notice's sentence and its two buttons."""

    notice: Notice

    def __init__(self, key: str) -> None:
        super().__init__()
        self.setObjectName(f"{key}Notice")
        self.hide()
        self._words = QLabel()
        self._words.setObjectName(f"{key}NoticeText")
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setWordWrap(True)
        self._words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.button = QPushButton()
        self.close_button = described(QToolButton(), f"{key}NoticeClose", "Close this notice", "Close this notice")
        self.close_button.setAutoRaise(True)
        self.close_button.setIconSize(_ICON)
        self._colour()
        row = QHBoxLayout(self)
        row.setContentsMargins(SMALL + TIGHT, TIGHT, TIGHT, TIGHT)
        row.setSpacing(SMALL)
        row.addWidget(self._words, 1)
        row.addWidget(self.button)
        row.addWidget(self.close_button)

    def take(self, notice: Notice) -> None:
        """Show another notice of the same kind."""
        self.notice = notice
        self._words.setText(notice.sentence)
        self.setAccessibleName(notice.sentence)
        self.button.setText(notice.button)
        self.button.setVisible(bool(notice.button))
        described(self.button, f"{notice.key}NoticeButton", notice.button, notice.button)
        kind = "warning" if notice.warns else "remark"
        if self.property("notice") != kind:
            self.setProperty("notice", kind)
            self.style().polish(self)

    def _colour(self) -> None:
        self.close_button.setIcon(icon("close", self.palette().windowText().color()))

    def changeEvent(self, event: QEvent) -> None:
        """Draw the cross in the new colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "close_button"):
            self._colour()
