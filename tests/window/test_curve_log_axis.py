"""The numbers on the logarithmic axis stand apart, whatever the range of the residuals."""

import numpy as np
import pytest
from PySide6.QtGui import QFontMetrics

from nerd_gui.window.curve_plot import CurvePlot


@pytest.mark.parametrize(
    "values", [[0.045, 0.02, 0.001], [1, 0.1, 0.0012], [3e-4, 2e-4], [1e3, 1, 1e-12], [0.05, 0.049]]
)
@pytest.mark.parametrize("height", [110, 150, 320])
def test_no_two_numbers_overlap(qtbot, values, height):
    plot = CurvePlot("plot", "plot", "plot", "residual", log=True)
    qtbot.addWidget(plot)
    plot.resize(400, height)
    plot.add_curve("residual")
    plot.set_values("residual", values)
    plot.show()
    qtbot.waitExposed(plot)
    axis = plot.getAxis("left")
    low, high = axis.range
    size = axis.size().height()
    ticks = np.sort([tick for _, level in axis.tickValues(low, high, size) for tick in level])
    assert np.all(np.diff(ticks) * size / (high - low) >= QFontMetrics(axis.font()).ascent())
    assert len(ticks) >= 2
