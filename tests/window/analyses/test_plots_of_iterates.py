"""Plots of iterates in the analyses: they mark the shown iterate, and a click leads to one."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QComboBox

from nerd_gui.window.analyses.answer_view import PlotCanvas

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def path(qtbot, asked):
    """The plot of the path of the iterates."""
    qtbot.mouseClick(asked.cards["path"].button, LEFT)
    qtbot.waitUntil(lambda: asked.cards["path"].view is not None, timeout=30_000)
    asked._area.ensureWidgetVisible(asked.cards["path"])
    return asked.findChild(PlotCanvas, "pathPlot")


def screen(canvas):
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width()).copy()


def test_the_shown_iterate_is_ringed_in_the_path(asked, path):
    asked.session.go(0)
    before = screen(path)
    asked.session.go(2)
    rows, cols = np.nonzero(screen(path) != before)
    near = []
    for index in (0, 2):
        (point,) = path.drawing().of_iterate(index)
        distance = np.hypot(cols + 0.5 - point.x(), rows + 0.5 - point.y())
        near.append(distance < 9)
        assert (np.abs(distance[near[-1]] - 6.5) < 2.5).all() and near[-1].sum() > 20, "a ring"
    assert (near[0] | near[1]).all(), "nothing else has changed"


def test_a_click_at_a_point_of_the_path_goes_to_its_iterate(qtbot, asked, path):
    points = asked.session.trajectory.analyses["path"].arrays["points"]
    for index in (1, 0):
        (point,) = path.drawing().of_iterate(index)
        qtbot.mouseClick(path, LEFT, pos=point.toPoint())
        assert asked.session.index == index
    assert path.plot.curves[0].x[1] > path.plot.curves[0].x[0] and points[1, 0] > points[0, 0]
    end = asked.findChild(QComboBox, "pathPlotCombo")
    end.setCurrentIndex(1)
    assert path.drawing().of_iterate(0) == [], "only the last half is there"
    last = len(asked.session.trajectory) - 1
    (point,) = path.drawing().of_iterate(last)
    qtbot.mouseClick(path, LEFT, pos=point.toPoint())
    assert asked.session.index >= last // 2


def test_other_plots_lead_nowhere(qtbot, asked):
    qtbot.mouseClick(asked.cards["spectrum"].button, LEFT)
    qtbot.waitUntil(lambda: asked.cards["spectrum"].view is not None, timeout=30_000)
    canvas, before = asked.findChild(PlotCanvas, "spectrumPlot"), asked.session.index
    qtbot.mouseClick(canvas, LEFT)
    assert asked.session.index == before and canvas.drawing().of_iterate(0) == []
