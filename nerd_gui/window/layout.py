"""The window's layout: tools at the top, the picture with its controls, panels beside it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QSplitter, QToolBar, QVBoxLayout, QWidget

from nerd_gui.window.actions import Actions
from nerd_gui.window.modes import Mode, Modes
from nerd_gui.window.screen import scrolled
from nerd_gui.window.side_pages import SidePages
from nerd_gui.window.style.tokens import SMALL, TIGHT
from nerd_gui.window.tool_bar import Switch, ToolBar, tool_button

_NEVER = 100  # a tool of this worth never folds


class Layout(QSplitter):
    """The central widget.

    Parameters
    ----------
    above, below : sequence of QWidget
        Widgets above and below the picture, in both modes.
    exploring : sequence of QWidget
        Widgets between the picture and those below, in the mode Explore only.
    heads : sequence of QWidget
        Widgets above the panels, which do not scroll with them.
    panels : sequence of (QWidget, int)
        Widgets beside the picture in the mode Explore, each with its share of the height.
    analyses : QWidget
        The page that can be shown instead of the panels.
    """

    def __init__(
        self,
        picture: QWidget,
        *,
        above: Sequence[QWidget],
        exploring: Sequence[QWidget],
        below: Sequence[QWidget],
        heads: Sequence[QWidget],
        panels: Sequence[tuple[QWidget, int]],
        analyses: QWidget,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setObjectName("mainSplitter")
        # Built from the outside inwards, since Qt styles a widget with all its contents anew when its parent changes,
        # and in the order in which Tab visits the widgets.
        left, self._side = QWidget(self), QWidget(self)
        self._exploring = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(SMALL, SMALL, SMALL, SMALL)
        column.setSpacing(TIGHT)
        for widget in above:
            column.addWidget(widget)
        column.addWidget(picture, 1)
        column.addWidget(self._exploring)
        _fill_column(self._exploring, exploring)
        for widget in below:
            column.addWidget(widget)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setObjectName("rightSplitter")  # before its parents style it
        self.pages = SidePages()
        _fill_side(self._side, heads, self.pages)
        self.pages.add(scrolled(splitter))
        _fill_panels(splitter, panels)
        self.pages.add(analyses)
        self.addWidget(left)
        self.addWidget(self._side)
        self.setStretchFactor(0, 3)
        self.setStretchFactor(1, 2)
        self.setChildrenCollapsible(False)
        self.setSizes([800, 520])

    def show_mode(self, mode: Mode) -> None:
        """Show the widgets of a mode."""
        for widget in (self._exploring, self._side):
            widget.setVisible(mode is Mode.EXPLORE)


def _fill_column(parent: QWidget, widgets: Sequence[QWidget]) -> None:
    column = QVBoxLayout(parent)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(TIGHT)
    for widget in widgets:
        column.addWidget(widget)


def _fill_panels(splitter: QSplitter, panels: Sequence[tuple[QWidget, int]]) -> None:
    """Put the panels below each other."""
    splitter.setChildrenCollapsible(False)
    for place, (panel, share) in enumerate(panels):
        splitter.addWidget(panel)
        splitter.setStretchFactor(place, share)
    splitter.setSizes([100 * share for _, share in panels])


def _fill_side(side: QWidget, heads: Sequence[QWidget], pages: QWidget) -> None:
    """Put the heads and the pages into a column with its own background."""
    side.setObjectName("side")
    side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    column = QVBoxLayout(side)
    column.setContentsMargins(1, 0, 0, 0)  # space for the border
    column.setSpacing(0)
    for head in heads:
        column.addWidget(head)
    column.addWidget(pages, 1)


def tools(do: Actions, modes: Modes, noise: QWidget, controls: QWidget) -> QToolBar:
    """Make the tool bar; Save and the buttons that start and stop a run stay visible in a narrow window."""
    bar = ToolBar()
    opens = QMenu(bar)
    opens.addActions([do.open_folder])
    opens.addMenu(do.recent)
    opens.addMenu(do.samples)
    saves = QMenu(bar)
    saves.addActions(do.exports)
    denoise = tool_button("denoiseButton", "Denoise", do.denoise)
    denoise.setAutoRaise(False)
    denoise.setProperty("primary", True)
    explore = tool_button("exploreButton", "Explore", do.run, do.regions)
    bar.add(tool_button("openButton", "Open", do.open, opens), _NEVER)
    bar.add(Switch("modeSwitch", "Photo or Explore", list(modes.actions.values())), _NEVER)
    bar.add(noise, 30)
    bar.add(controls, 60)
    bar.add_room()
    bar.add(denoise, _NEVER)
    bar.add(explore, 90)
    bar.add(tool_button("stopButton", "Stop", do.stop), _NEVER)
    bar.add(tool_button("exportButton", "Save", do.export, saves), _NEVER)

    def show_mode(mode: Mode) -> None:
        for tool in (noise, controls, explore):
            bar.show_tool(tool, mode is Mode.EXPLORE)

    modes.changed.connect(show_mode)
    frame = QToolBar("Tools")
    frame.setObjectName("mainToolBar")
    frame.setMovable(False)
    frame.toggleViewAction().setVisible(False)
    frame.addWidget(bar)
    return frame
