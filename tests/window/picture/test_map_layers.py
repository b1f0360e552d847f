"""Maps as layers of the picture: pixels on the screen, compared with the run's own features."""

import dataclasses

import numpy as np
import pyqtgraph as pg
import pytest
from dialog_person import Person, saves
from PIL import Image
from PySide6.QtCore import Qt, QThread
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QLabel, QSpinBox

from nerd_gui.analysis import RunMaps, spread
from nerd_gui.denoising.session_file.fields import Fields
from nerd_gui.window.modes import Mode
from nerd_gui.window.picture.layers import MAPS, Compare, Layer

INFERNO_ENDS = (0, 0, 4), (252, 255, 164)


@pytest.fixture
def ended(qtbot, window):
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.run()
    window.picture_view.set_compare(Compare.SINGLE)
    return window


def show(qtbot, window, layer):
    """Choose a layer in the list, and wait until it is shown."""
    combo = window.findChild(QComboBox, "rightLayerCombo")
    combo.setCurrentIndex(combo.findData(layer))
    wait(qtbot, window)


def wait(qtbot, window):
    maps = window.session.maps
    qtbot.waitUntil(lambda: not maps._missing() and maps._making is None, timeout=10_000)


def seen(window):
    """Return the picture at 100 % on the screen, (rows, cols, 3)."""
    view = window.picture_view
    view.set_zoom(1)
    image = view.viewport().grab().toImage()
    corner, (rows, cols) = view.position_of(0, 0), window.session.trajectory.subject.noisy.shape[1:]
    return np.array(
        [
            [image.pixelColor(corner.x() + col, corner.y() + row).getRgb()[:3] for col in range(cols)]
            for row in range(rows)
        ]
    )


def uncovered(values):
    """Leave out what is covered by caption and legend at the top."""
    return values[30:]


def features(window, index):
    return window.session.trajectory[index].features


def test_the_residual_map_follows_the_scrubber_brightest_where_the_residual_is(qtbot, ended):
    show(qtbot, ended, Layer.RESIDUAL)
    for index in (5, 2):
        ended.session.go(index)
        wait(qtbot, ended)
        norms = uncovered(features(ended, index).settling.residual[0].float().numpy())
        pixels = uncovered(seen(ended))
        brightness = pixels.sum(-1)
        assert tuple(pixels[np.unravel_index(norms.argmax(), norms.shape)]) == INFERNO_ENDS[1]
        order = np.argsort(norms.ravel())
        low, high = brightness.ravel()[order[:100]].mean(), brightness.ravel()[order[-100:]].mean()
        assert low < 0.6 * high
        assert ended.picture_view.captions() == [f"residual · iterate {index}"]


def test_a_feature_is_grey_around_nothing(qtbot, ended):
    show(qtbot, ended, Layer.FEATURE)
    spin = ended.findChild(QSpinBox, "mapFeatureSpin")
    assert spin.isVisible() and spin.text() == "feature 1/8"
    spin.setValue(6)
    wait(qtbot, ended)
    values = features(ended, ended.session.index).z[0, 5].float().numpy()
    most = np.percentile(np.abs(values), 99.5)
    expected = np.rint(255 * np.clip(0.5 + 0.5 * values / most, 0, 1))
    np.testing.assert_allclose(uncovered(seen(ended)), uncovered(expected)[..., None].repeat(3, -1), atol=1)
    assert ended.picture_view.captions() == [f"feature 6 · iterate {ended.session.index}"]


def test_the_attention_radius_of_a_head_and_its_value_under_the_pointer(qtbot, ended):
    show(qtbot, ended, Layer.RADIUS)
    ended.findChild(QSpinBox, "mapHeadSpin").setValue(3)
    wait(qtbot, ended)
    ended.session.pins.hover((33, 12))
    maps = features(ended, ended.session.index).attention_maps(ended.session.run.net, 33, 12, 5)
    weights = maps.weights[0, 2].double().numpy()
    down, across = np.indices(weights.shape)
    radius = np.sqrt((weights * ((down + maps.top - 33) ** 2 + (across + maps.left - 12) ** 2)).sum())
    text = ended.findChild(QLabel, "pixelLabel").text()
    assert text.endswith(f"attention radius {radius:.2g} pixels")
    ended.findChild(QComboBox, "mapRangeCombo").setCurrentIndex(1)  # at most the radius of a window of equal weights
    colour = pg.colormap.get("inferno").map(radius / 2, mode="byte")[:3]
    np.testing.assert_allclose(seen(ended)[33, 12], colour, atol=3)


def test_each_map_can_be_chosen_and_says_what_it_is(qtbot, ended):
    ended.session.pins.put(20, 20)
    combo = ended.findChild(QComboBox, "rightLayerCombo")
    for layer in MAPS:
        row = combo.findData(layer)
        assert combo.model().item(row).isEnabled() and combo.model().item(row).toolTip()
        show(qtbot, ended, layer)
        assert len(np.unique(seen(ended)[30:])) > 5, layer
    headings = [combo.itemText(row) for row in range(combo.count()) if combo.itemData(row) is None]
    assert headings == ["Pictures", "Where it has not settled", "What the features hold", "Where the heads look"]


def test_why_there_is_no_map_is_said_in_a_sentence(qtbot, ended):
    show(qtbot, ended, Layer.UPDATE)
    readout = ended.findChild(QLabel, "pixelLabel")
    ended.session.go(0)
    wait(qtbot, ended)
    assert readout.text() == "Iterate 0 is the start, so there is no change before it to show. Choose a later iterate."
    show(qtbot, ended, Layer.ROLLOUT)
    assert readout.text().startswith("Click a pixel of the picture")
    ended.picture_view.set_compare(Compare.DIFFERENCE, Layer.ITERATE, Layer.RESIDUAL)
    wait(qtbot, ended)
    assert readout.text().startswith("A map cannot be subtracted from a picture")
    assert ended.picture_view.captions() == ["residual · iterate 0"]


def test_without_a_run_maps_are_greyed_out_and_photo_mode_shows_none(qtbot, window):
    combo = window.findChild(QComboBox, "leftLayerCombo")
    assert not combo.model().item(combo.findData(Layer.ENTROPY)).isEnabled()
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.run()
    assert combo.model().item(combo.findData(Layer.ENTROPY)).isEnabled()
    show(qtbot, window, Layer.RESIDUAL)
    window.modes.choose(Mode.PHOTO)
    assert window.picture_view.compare()[1:] == (Layer.NOISY, Layer.ITERATE)


def test_the_way_maps_are_looked_at_is_kept(qtbot, ended):
    view = ended.picture_view
    show(qtbot, ended, Layer.FEATURE)
    ended.findChild(QSpinBox, "mapFeatureSpin").setValue(4)
    ended.findChild(QComboBox, "mapRangeCombo").setCurrentIndex(1)
    state = view.state()
    ended.findChild(QSpinBox, "mapFeatureSpin").setValue(1)
    view.set_compare(Compare.WIPE, Layer.NOISY, Layer.ITERATE)
    view.restore(Fields(state))
    assert view.compare()[2] is Layer.FEATURE
    assert ended.findChild(QSpinBox, "mapFeatureSpin").value() == 4
    del state["maps"]  # a session saved before there were any
    view.restore(Fields(state))


def test_iterates_that_are_passed_by_are_not_waited_for(qtbot, ended):
    show(qtbot, ended, Layer.ENTROPY)
    for index in (0, 3, 1, 4):
        ended.session.go(index)  # each before the previous one is ready
    wait(qtbot, ended)
    own = spread(ended.session.run.net, features(ended, 4).z, features(ended, 4).s)
    assert ended.picture_view.captions() == [
        f"entropy of head 1 · iterate 4 · mean {float(own.entropy[0, 0].mean()):.2f}"
    ]
    assert {key.index for key, _ in ended.session.maps._kept} < {0, 1, 3, 4, 6}


def test_a_map_is_saved_as_numbers_and_as_a_figure(qtbot, ended, tmp_path):
    ended.actions_.export_map.trigger()
    assert "There is no map to save" in ended.statusBar().currentMessage()
    show(qtbot, ended, Layer.FEATURE)
    ended.findChild(QSpinBox, "mapFeatureSpin").setValue(3)
    ended.session.go(2)
    wait(qtbot, ended)
    for name in ("map.npz", "map.png"):
        with Person(saves(str(tmp_path / name))):
            ended.actions_.export_map.trigger()
    with np.load(tmp_path / "map.npz") as saved:
        np.testing.assert_array_equal(saved["values"][0], features(ended, 2).z[0, 2].float())
        assert str(saved["kind"]) == "feature" and (int(saved["iterate"]), int(saved["number"])) == (2, 2)
        assert str(saved["run"]) == "Run 1" and saved["corner"].tolist() == [0, 0]
    figure = np.asarray(Image.open(tmp_path / "map.png").convert("RGB"))
    levels = ended.picture_view.shown_picture()
    times = 512 // 48
    enlarged = levels.repeat(times, 0).repeat(times, 1)[..., None].repeat(3, -1)
    heights = range(20, len(figure) - len(enlarged))
    across = slice(16, 16 + enlarged.shape[1])
    top = next(row for row in heights if (figure[row : row + len(enlarged), across] == enlarged).all())
    assert (figure[top + len(enlarged) + 8 :] < 200).any() and (figure[16:top] < 200).any(), "legend and title"


def test_a_copied_map_is_what_is_seen(qtbot, ended):
    show(qtbot, ended, Layer.RESIDUAL)
    ended.picture_view.fit()
    QGuiApplication.clipboard().clear()
    ended.clipboard.copy_picture.trigger()
    image = QGuiApplication.clipboard().image()
    assert (image.width(), image.height()) == (40, 48)
    norms = features(ended, ended.session.index).settling.residual[0].float().numpy()
    row, col = np.unravel_index(norms.argmax(), norms.shape)
    assert image.pixelColor(int(col), int(row)).getRgb()[:3] == INFERNO_ENDS[1]


def test_an_empty_pane_says_why_it_is_empty(qtbot, ended):
    view = ended.picture_view
    view.set_compare(Compare.SIDE_BY_SIDE, Layer.ITERATE, Layer.UPDATE)
    wait(qtbot, ended)
    view.fit()

    def chip():
        """Return whether the right pane's corner has light text on a dark background."""
        at = view.position_of(0, 0, pane=1)
        image = view.viewport().grab().toImage()
        return {image.pixelColor(at.x() + dx, at.y() + 15).lightness() > 200 for dx in range(20, 160)} == {False, True}

    ended.session.go(0)
    wait(qtbot, ended)
    assert len(view.captions()) == 1 and chip()
    view.set_missing(Layer.UPDATE, "")
    view.viewport().update()
    assert not chip(), "it was these words"


def test_maps_are_made_off_the_windows_thread(qtbot, ended, monkeypatch):
    threads, make = [], RunMaps.make
    monkeypatch.setattr(
        RunMaps, "make", lambda *args, **given: threads.append(QThread.currentThread()) or make(*args, **given)
    )
    for layer in (Layer.RESIDUAL, Layer.COMPONENTS, Layer.ENTROPY):
        show(qtbot, ended, layer)
    assert len(threads) == 3 and ended.thread() not in threads


def test_a_selected_map_goes_on_with_the_next_run(qtbot, ended):
    show(qtbot, ended, Layer.RESIDUAL)
    first = ended.session.run
    with qtbot.waitSignal(ended.session.controller.ended, timeout=30_000):
        ended.run()
    wait(qtbot, ended)
    assert ended.session.run is not first
    qtbot.waitUntil(lambda: ended.picture_view.captions() == [f"residual · iterate {ended.session.index}"])
    norms = features(ended, ended.session.index).settling.residual[0].float().numpy()
    assert tuple(seen(ended)[np.unravel_index(norms.argmax(), norms.shape)]) == INFERNO_ENDS[1]
    ended.session.show_run(first)
    wait(qtbot, ended)
    assert ended.session.maps._current is first and Layer.RESIDUAL in ended.picture_view._comparison.layers


def test_the_rollout_of_a_region_begins_at_the_pin(qtbot, window):
    window.session.workspace.set_region((10, 12, 30, 24))
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.run()
    window.session.pins.put(20, 15)
    assert window.session.pin_in_run == (10, 3)
    window.picture_view.set_compare(Compare.SINGLE)
    window.session.go(window.session.trajectory.result)
    show(qtbot, window, Layer.ROLLOUT)
    values = window.picture_view.map_figure().arrays()
    assert values["corner"].tolist() == [10, 12]
    assert np.unravel_index(values["values"][0].argmax(), (30, 24)) == (10, 3), "half of the weight stays there"
    assert values["values"].sum() == pytest.approx(100, rel=1e-4)
    window.session.pins.put(2, 2)
    assert window.session.pin_in_run is None
    wait(qtbot, window)
    assert window.findChild(QLabel, "pixelLabel").text().startswith("Click a pixel")


def test_a_run_from_a_file_has_no_maps_and_says_so(qtbot, ended):
    show(qtbot, ended, Layer.RESIDUAL)
    read = dataclasses.replace(ended.session.run, net=None)
    ended.session.runs.add(read)
    ended.session.show_run(read)
    combo = ended.findChild(QComboBox, "rightLayerCombo")
    assert not combo.model().item(combo.findData(Layer.RESIDUAL)).isEnabled()
    assert "Explore a region" in ended.findChild(QLabel, "pixelLabel").text()
    assert ended.picture_view.captions()[0].startswith(("noisy", "Run", "iterate"))


def test_the_list_is_gone_through_by_keys_past_its_headings(qtbot, ended):
    combo = ended.findChild(QComboBox, "rightLayerCombo")
    combo.setFocus()
    chosen = []
    ended.picture_view.selectionChanged.connect(lambda: chosen.append(ended.picture_view.compare()[2]))
    ended.picture_view.set_compare(Compare.SINGLE, right=Layer.RESULT)
    chosen.clear()
    for _ in range(3):
        qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert chosen == [Layer.RESIDUAL, Layer.UPDATE, Layer.DECODED_INJECTION]
    wait(qtbot, ended)
    assert ended.picture_view.captions() == ["photo, decoded"]
