"""The numbers at the axes do not overlap, and appear only where something is drawn."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics

from nerd_gui.window.curves.plot import CurvePlot, Series


@pytest.mark.parametrize(
    "values", [[0.045, 0.02, 0.001], [1, 0.1, 0.0012], [3e-4, 2e-4], [1e3, 1, 1e-12], [0.05, 0.049]]
)
@pytest.mark.parametrize("height", [110, 150, 320])
def test_no_two_numbers_overlap(qtbot, values, height):
    plot = CurvePlot("plot", "plot", "plot", "residual", log=True)
    qtbot.addWidget(plot)
    plot.resize(400, height)
    plot.add_curve("residual")
    plot.set_series(Series(0, {"residual": values}))
    plot.fit(len(values) - 1, len(values) - 1)
    plot.show()
    qtbot.waitExposed(plot)
    axis = plot.plotItem.getAxis("left")
    low, high = axis.range
    size = axis.size().height()
    ticks = np.sort([tick for _, level in axis.tickValues(low, high, size) for tick in level])
    assert np.all(np.diff(ticks) * size / (high - low) >= QFontMetrics(axis.font()).ascent())
    assert len(ticks) >= 2


@pytest.fixture
def plot(qtbot):
    made = CurvePlot("plot", "plot", "plot", "noise level")
    qtbot.addWidget(made)
    made.resize(400, 150)
    made.add_curve("noise_level")
    made.add_level("true", Qt.PenStyle.DashLine)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_an_axis_beside_nothing_has_no_numbers(plot):
    axis = plot.plotItem.getAxis("left")
    plot.fit(-1, 17)
    assert not axis.style["showValues"]
    plot.set_series(Series(0, {"noise_level": [20.0, 21.0]}))
    plot.fit(1, 17)
    assert axis.style["showValues"]
    plot.set_series(Series(0, {"noise_level": []}))
    plot.fit(-1, 17)
    assert not axis.style["showValues"]


def test_a_lone_level_has_a_wide_range_around_it(plot):
    plot.set_levels("true", [(23.0, None)])
    plot.fit(-1, 17)
    (_, _), (low, high) = plot.plotItem.vb.viewRange()
    assert low < 22.5 and high > 23.5
    plot.set_series(Series(0, {"noise_level": [22.99, 23.0, 23.01]}))  # now the line styles need a legend
    plot.fit(2, 17)
    (_, _), (low, high) = plot.plotItem.vb.viewRange()
    assert 22.9 < low < 22.99 and 23.01 < high < 23.1
