"""The row of tools at the top of the window; in a narrow window the least important tools fold into a menu."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QEvent, QPoint, QSize, Qt
from PySide6.QtGui import QAction, QIcon, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from nerd_gui.window.described import described
from nerd_gui.window.style.tokens import MEDIUM, SMALL, TIGHT

_ICON = QSize(18, 18)


@dataclass
class _Tool:
    widget: QWidget
    worth: int
    shown: bool = True


class ToolBar(QWidget):
    """Tools in a row; those without room are moved to a panel under the *More* button.

    Tools added after `add_room` stand at the right end.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("toolRow")
        self.setAccessibleName("Tools")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._tools: list[_Tool] = []
        self._room = 0  # number of tools before the free space
        self._folded: list[QWidget] | None = None  # None until the width of the row is known
        self._more = described(QToolButton(), "moreButton", "More tools", "Show the tools that do not fit into the row")
        self._more.setText("More")
        self._more.hide()
        self._drawer = QFrame(self, Qt.WindowType.Popup)
        self._drawer.setObjectName("moreTools")
        self._drawer.setFrameShape(QFrame.Shape.StyledPanel)
        self._column = QVBoxLayout(self._drawer)
        self._column.setContentsMargins(MEDIUM, MEDIUM, MEDIUM, MEDIUM)
        self._column.setSpacing(SMALL)
        self._more.clicked.connect(self._open)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(SMALL)
        self._row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)

    def add(self, widget: QWidget, worth: int) -> None:
        """Append a tool.

        Parameters
        ----------
        worth : int
            Tools with the least worth fold first; a tool of worth 100 never folds.
        """
        self._tools.append(_Tool(widget, worth))
        self._row.addWidget(widget)

    def add_room(self) -> None:
        """Put the free space of the row here."""
        self._room = len(self._tools)
        self._row.addWidget(self._more)
        self._row.addStretch(1)

    def show_tool(self, widget: QWidget, shown: bool) -> None:
        """Show a tool, in the row or under *More*, or hide it."""
        for tool in self._tools:
            if tool.widget is widget:
                tool.shown = shown
                widget.setVisible(shown)
        if self._folded is not None:
            self._lay_out()

    def minimumSizeHint(self) -> QSize:
        """Space for the tools that never fold."""
        lasting = [tool for tool in self._tools if tool.worth >= 100]
        return QSize(self._width(lasting, more=len(lasting) < len(self._tools)), self._row.minimumSize().height())

    def sizeHint(self) -> QSize:
        """The minimum size; the row takes all space that there is."""
        return self.minimumSizeHint()

    # ---- inside -------------------------------------------------------------------------------------------------

    def _width(self, tools: list[_Tool], *, more: bool) -> int:
        widths = [tool.widget.sizeHint().width() for tool in tools if tool.shown]
        widths += [self._more.sizeHint().width()] if more else []
        return sum(widths) + self._row.spacing() * (len(widths) + 1)

    def _lay_out(self) -> None:
        """Fold the tools for which there is no room, and put all tools into their places."""
        kept = [tool for tool in self._tools if tool.shown]
        for tool in sorted(kept, key=lambda tool: tool.worth):
            folds = len(kept) < sum(each.shown for each in self._tools)
            if tool.worth >= 100 or self._width(kept, more=folds) <= self.width():
                break
            kept.remove(tool)
        folded = [tool.widget for tool in self._tools if tool.shown and tool not in kept]
        if folded == self._folded:
            return
        self._folded = folded
        while self._row.count():
            self._row.takeAt(0)
        while self._column.count():
            self._column.takeAt(0)
        for place, tool in enumerate(self._tools):
            if place == self._room:
                self._row.addWidget(self._more)
                self._row.addStretch(1)
            if tool.widget in folded:
                self._column.addWidget(tool.widget)
            else:
                self._row.addWidget(tool.widget)
            tool.widget.setVisible(tool.shown)
        if self._room == len(self._tools):
            self._row.addWidget(self._more)
            self._row.addStretch(1)
        self._more.setVisible(bool(folded))
        _let_tab_go_through(self, [tool.widget for tool in self._tools])

    def _open(self) -> None:
        self._drawer.adjustSize()
        self._drawer.move(self._more.mapToGlobal(QPoint(0, self._more.height() + TIGHT)))
        self._drawer.show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fold or unfold tools."""
        super().resizeEvent(event)
        self._lay_out()

    def event(self, event: QEvent) -> bool:
        """Fold or unfold tools when one of them has changed its size."""
        handled = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and self._folded is not None:
            self._lay_out()
        return handled


def _let_tab_go_through(bar: QWidget, tools: list[QWidget]) -> None:
    """Let Tab visit the tools, and the widgets inside them, in the order of the row."""
    stops = [
        widget
        for tool in tools
        for widget in (tool, *tool.findChildren(QWidget))
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.focusProxy() is None
        if widget.window() is bar.window()
    ]
    for before, after in pairwise(stops):
        QWidget.setTabOrder(before, after)


def tool_button(name: str, text: str, action: QAction, menu: QMenu | None = None) -> QToolButton:
    """Return a button for an action, with a menu beside it if one is given."""
    button = QToolButton()
    button.setDefaultAction(action)
    action.setIconText(text)
    button.setObjectName(name)
    button.setAccessibleName(text)
    button.setAutoRaise(True)
    button.setIconSize(_ICON)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    if menu is not None:
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        button.setMenu(menu)
    return button


class Switch(QWidget):
    """Buttons side by side for mutually exclusive actions, of which one is checked."""

    def __init__(self, name: str, accessible_name: str, actions: list[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("switch", True)
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        for action in actions:
            button = tool_button(action.objectName().replace("Action", "Button"), action.iconText(), action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            button.setIcon(QIcon())
            row.addWidget(button)
