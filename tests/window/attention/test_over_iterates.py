"""Attention over the iterates: every number and every small map, compared with the network at each iterate."""

import gc
import weakref

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QToolButton, QWidget

from nerd_gui.analysis import rollout
from nerd_gui.nerd import load_model
from nerd_gui.window.attention.head_map import ColourBar
from nerd_gui.window.attention.line_plot import LinePlot
from nerd_gui.window.attention.measures import effective_radius, entropy_bits
from nerd_gui.window.style.tokens import colours

LEFT = Qt.MouseButton.LeftButton
TOP = (252, 255, 164)  # of inferno


@pytest.fixture
def window(qtbot, make_window, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 36), dtype=np.uint8)).save(path)
    made = make_window(path)
    qtbot.waitUntil(lambda: made.session.workspace.photo is not None)
    made.controls.settings_button.max_iter.setValue(6)
    made.controls.settings_button.tolerance.setCurrentText("none (all steps)")
    with qtbot.waitSignal(made.session.controller.ended, timeout=30_000):
        made.run()
    made.session.pins.put(10, 12)
    return made


@pytest.fixture
def opened(qtbot, window):
    qtbot.mouseClick(window.findChild(QToolButton, "overIteratesButton"), LEFT)
    wait(qtbot, window)
    return window


def over(window):
    return window.attention_panel.over_iterates


def wait(qtbot, window):
    qtbot.waitUntil(lambda: over(window).history.complete)


def expected(window, model, index, row, col):
    features = window.session.trajectory[index].features
    return load_model(model).attention_maps(features.z.float(), features.s.float(), row, col).weights[0].numpy()


def drawn(window, name, head):
    return window.findChild(LinePlot, name).points(head)


def test_the_lines_are_those_of_the_network_at_every_iterate(opened, tiny_model_path):
    for index in range(7):
        maps = expected(opened, tiny_model_path, index, 10, 12)
        for head in range(4):
            for name, value in (
                ("entropyPlot", entropy_bits(maps[head])),
                ("radiusPlot", effective_radius(maps[head], 2, 2)),
                ("itselfPlot", maps[head, 2, 2]),
            ):
                assert drawn(opened, name, head)[index] == (index, pytest.approx(value, abs=1e-4))


def test_nothing_is_read_until_it_is_looked_at(qtbot, window):
    assert over(window).history.found == {} and not over(window).isVisible()
    qtbot.mouseClick(window.findChild(QToolButton, "overIteratesButton"), LEFT)
    wait(qtbot, window)
    assert len(over(window).history.found) == 7 and over(window).isVisible()


def test_a_click_in_a_plot_and_on_a_map_goes_to_the_iterate(qtbot, opened):
    plot = opened.findChild(LinePlot, "radiusPlot")
    qtbot.mouseClick(plot, LEFT, pos=plot.position_of(4, drawn(opened, "radiusPlot", 0)[4][1]).toPoint())
    assert opened.session.index == 4
    strip = over(opened).strip
    qtbot.mouseClick(strip, LEFT, pos=strip.cell(2).center().toPoint())
    assert opened.session.index == 2
    assert "iterate 2: " in plot.accessibleDescription()
    frame = strip.grab().toImage().pixelColor(strip.cell(2).topLeft().toPoint())
    assert frame.name() == colours(opened.palette()).accent


def test_the_strip_shows_the_chosen_head_at_every_iterate(opened, tiny_model_path):
    strip = over(opened).strip
    for head in (0, 3):
        opened.findChild(QComboBox, "overIteratesHeadCombo").setCurrentIndex(head)
        image = strip.grab().toImage()
        for index in range(7):
            weights = expected(opened, tiny_model_path, index, 10, 12)[head]
            row, col = np.unravel_index(weights.argmax(), weights.shape)
            cell, pixel = strip.cell(index), strip.cell(index).width() / 5
            point = cell.topLeft().toPoint()
            seen = image.pixelColor(point.x() + round((col + 0.5) * pixel), point.y() + round((row + 0.5) * pixel))
            assert np.allclose(seen.getRgb()[:3], TOP, atol=4)


def test_another_pin_is_read_once_and_kept(qtbot, opened, monkeypatch):
    run, reads = type(opened.session.run), []
    true = run.attention_maps
    monkeypatch.setattr(run, "attention_maps", lambda *args: reads.append(args[1:]) or true(*args))
    opened.session.pins.put(20, 22, beside=True)
    wait(qtbot, opened)
    assert {place for place in reads if place[1:] == (20, 22)} == {(index, 20, 22) for index in range(7)}
    before = drawn(opened, "entropyPlot", 1)
    reads.clear()
    QTest.keyClick(opened.picture_view.viewport(), Qt.Key.Key_N)
    assert over(opened).history.complete and drawn(opened, "entropyPlot", 1) != before
    QTest.keyClick(opened.picture_view.viewport(), Qt.Key.Key_N)
    assert drawn(opened, "entropyPlot", 1) == before
    assert len(reads) == 2, "the panel's own reading of the shown iterate"


def test_iterates_that_arrive_are_added_and_it_goes_with_the_run(qtbot, opened):
    first = weakref.ref(opened.session.run)
    with qtbot.waitSignal(opened.session.controller.ended, timeout=30_000):
        opened.run()
    wait(qtbot, opened)
    assert opened.session.run is not first() and len(over(opened).history.found) == 7
    opened.session.remove_run(first())
    opened.session.history.clear()  # otherwise undo could restore it
    opened.session.show_run(opened.session.run)
    opened.session._before = None
    gc.collect()
    assert first() is None


def test_several_pins_come_back_as_a_table(qtbot, opened):
    opened.session.pins.put(20, 22, beside=True)
    assert over(opened).isVisible() and not opened.attention_panel.table.isVisible()
    qtbot.mouseClick(opened.findChild(QToolButton, "overIteratesButton"), LEFT)
    assert not over(opened).isVisible() and opened.findChild(QWidget, "pinRow2").isVisible()


def test_the_rollout_is_followed_back_from_the_result_in_the_strip(qtbot, opened):
    combo, maps = opened.findChild(QComboBox, "overIteratesHeadCombo"), opened.session.maps
    combo.setCurrentIndex(combo.count() - 1)
    assert combo.currentText() == "all heads, rollout"
    strip, trajectory = over(opened).strip, opened.session.trajectory
    qtbot.waitUntil(lambda: len(over(opened).rollout.found) == trajectory.result + 1)
    features = [trajectory[index].features for index in range(trajectory.result, -1, -1)]
    weights = list(rollout(opened.session.run.net, features, 10, 12, window=5))
    reach = (over(opened).rollout.found[0].window - 1) // 2
    image = strip.grab().toImage()
    for steps, index in ((0, trajectory.result), (trajectory.result, 0)):
        expected = weights[steps][0].numpy()
        part = expected[max(0, 10 - reach) : 11 + reach, max(0, 12 - reach) : 13 + reach]
        row, col = np.unravel_index(part.argmax(), part.shape)
        down, across = row + max(0, reach - 10), col + max(0, reach - 12)
        cell, pixel = strip.cell(index), strip.cell(index).width() / (2 * reach + 1)
        point = cell.topLeft().toPoint()
        seen = image.pixelColor(point.x() + round((across + 0.5) * pixel), point.y() + round((down + 0.5) * pixel))
        assert np.allclose(seen.getRgb()[:3], TOP, atol=4)
        found = over(opened).rollout.found[index].weights[0]
        assert found[min(10, reach), min(12, reach)] == pytest.approx(expected[10, 12], rel=1e-3)
    assert weights[-1][0].numpy()[10 - reach : 11 + reach, 12 - reach : 13 + reach].sum() >= 0.99
    bar = opened.findChild(ColourBar, "attentionColourBar")
    assert (bar.low, bar.high) == ("1.0e-5 × max", "max of each map (log)")
    combo.setCurrentIndex(0)
    assert maps._wanted["strip"] == [] and bar.high == "max of each head"


def test_why_there_is_no_rollout_yet_is_said(qtbot, opened):
    combo, words = opened.findChild(QComboBox, "overIteratesHeadCombo"), opened.findChild(QLabel, "overIteratesWords")
    opened.session.trajectory.stop_reason = None
    combo.setCurrentIndex(combo.count() - 1)
    qtbot.waitUntil(lambda: words.text().startswith("This map begins at the result"))
    assert words.isVisible()
