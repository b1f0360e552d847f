"""Notices above the picture that stay until they are answered, each with a button if something can be done."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from nerd_gui.window.described import described
from nerd_gui.window.icons import icon
from nerd_gui.window.messages import Messages, Notice
from nerd_gui.window.style.tokens import SMALL, TIGHT

_ICON = QSize(14, 14)


class NoticeBar(QWidget):
    """Shows the notices that `Messages` keeps, the newest at the bottom; hidden while there are none.

    A notice goes when its button or its cross is pressed, or when it no longer applies.
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
        return self._rows[key].notice.sentence if key in self._rows else ""

    def _show(self, notice: Notice) -> None:
        if self._closed.get(notice.key) == notice.sentence:
            return
        there = self._rows.get(notice.key)
        if there is not None and replace(notice, do=there.notice.do) == there.notice:
            there.notice = notice
            return
        self._remove(notice.key)
        row = _Row(notice)
        row.close_button.clicked.connect(lambda: self._close(row.notice))
        row.button.clicked.connect(lambda: self._answer(row.notice))
        self._rows[notice.key] = row
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
        row = self._rows.pop(key, None)
        if row is not None:
            self._column.removeWidget(row)
            row.setParent(None)
            row.deleteLater()
        self.setVisible(bool(self._rows))


class _Row(QFrame):
    def __init__(self, notice: Notice) -> None:
        super().__init__()
        self.notice = notice
        self.setObjectName(f"{notice.key}Notice")
        self.setAccessibleName(notice.sentence)
        self.setProperty("notice", "warning" if notice.warns else "remark")
        words = QLabel(notice.sentence)
        words.setObjectName(f"{notice.key}NoticeText")
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setWordWrap(True)
        words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.button = described(QPushButton(notice.button), f"{notice.key}NoticeButton", notice.button, notice.button)
        self.button.setVisible(bool(notice.button))
        self.close_button = described(
            QToolButton(), f"{notice.key}NoticeClose", "Close this notice", "Put this notice away"
        )
        self.close_button.setAutoRaise(True)
        self.close_button.setIconSize(_ICON)
        self._colour()
        row = QHBoxLayout(self)
        row.setContentsMargins(SMALL + TIGHT, TIGHT, TIGHT, TIGHT)
        row.setSpacing(SMALL)
        row.addWidget(words, 1)
        row.addWidget(self.button)
        row.addWidget(self.close_button)

    def _colour(self) -> None:
        self.close_button.setIcon(icon("close", self.palette().windowText().color()))

    def changeEvent(self, event: QEvent) -> None:
        """Draw the cross in the new colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "close_button"):
            self._colour()
