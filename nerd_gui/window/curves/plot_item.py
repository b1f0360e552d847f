"""A plot of axes around one view, without the menus of pyqtgraph's own plot item."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtWidgets import QGraphicsGridLayout, QGraphicsItem, QSizePolicy

_PLACES = {"bottom": (1, 1), "left": (0, 0), "right": (0, 2)}


class PlotItem(pg.GraphicsWidget):  # type: ignore[misc]  # pyqtgraph has no annotations
    """A view with an axis below it and an axis on either side.

    `pyqtgraph.PlotItem` builds about fifty menu entries and controls for each plot. The window never shows them, and
    building them takes longer than building the rest of the plot.

    Parameters
    ----------
    bottom, left : pyqtgraph.AxisItem
        The axes that are shown. The axis on the right is hidden until `axes["right"].show()` is called.
    log : bool
        Whether the left axis is numbered with powers of ten, because what is drawn are the values' logarithms.

    Attributes
    ----------
    vb : pyqtgraph.ViewBox
        The area between the axes.
    axes : dict of str to pyqtgraph.AxisItem
        The axes by side: "bottom", "left" and "right".
    """

    def __init__(self, bottom: pg.AxisItem, left: pg.AxisItem, *, log: bool) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.layout = QGraphicsGridLayout()
        self.layout.setSpacing(0)
        self.setLayout(self.layout)
        self.vb = pg.ViewBox(parent=self, enableMouse=False, enableMenu=False)
        self.vb.disableAutoRange()
        self.layout.addItem(self.vb, 0, 1)
        self.layout.setRowStretchFactor(0, 100)
        self.layout.setColumnStretchFactor(1, 100)
        self.axes = {"bottom": bottom, "left": left, "right": pg.AxisItem("right")}
        for side, axis in self.axes.items():
            axis.linkToView(self.vb)
            self.layout.addItem(axis, *_PLACES[side])
            axis.setZValue(0.5)  # above the background of the view and below the curves
            axis.setFlag(QGraphicsItem.GraphicsItemFlag.ItemNegativeZStacksBehindParent)
        left.setLogMode(y=log)
        self.axes["right"].hide()

    def getAxis(self, side: str) -> pg.AxisItem:
        """Return the axis of a side: "bottom", "left" or "right"."""
        return self.axes[side]
