"""Attention maps saved through the menu and read back: the numbers, and the drawing."""

import numpy as np
import pytest
from dialog_person import NO, Person, answers, saves
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from nerd_gui.nerd import load_model

PINS = ((10, 12), (0, 1))


@pytest.fixture
def window(qtbot, make_window, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 36), dtype=np.uint8)).save(path)
    made = make_window(path)
    qtbot.waitUntil(lambda: made.session.workspace.photo is not None)
    made.controls.settings_button.max_iter.setValue(2)
    made.session.workspace.set_region((4, 6, 30, 28))
    with qtbot.waitSignal(made.session.controller.ended, timeout=30_000):
        made.run()
    made.session.pins.put(14, 18)
    made.session.pins.put(4, 7, beside=True)  # in the corner of the region
    return made


def save(window, path):
    with Person(saves(str(path))):
        window.edit_actions.save_maps.trigger()


def test_the_numbers_are_those_of_the_network(window, tmp_path, tiny_model_path):
    save(window, tmp_path / "maps.npz")
    found = np.load(tmp_path / "maps.npz")
    features = window.session.trajectory[window.session.index].features
    net = load_model(tiny_model_path)
    assert found["weights"].shape == (2, 4, 5, 5) and found["window"] == 5
    assert found["iterate"] == window.session.index and found["run"] == "Run 1"
    assert found["pin"].tolist() == [1, 2] and found["row"].tolist() == [14, 4] and found["col"].tolist() == [18, 7]
    for place, (row, col) in enumerate(PINS):
        maps = net.attention_maps(features.z.float(), features.s.float(), row, col)
        top, left = found["top"][place] - 4, found["left"][place] - 6  # in the region
        for head in range(4):
            for (i, j), weight in np.ndenumerate(found["weights"][place, head]):
                inside = 0 <= top + i < 30 and 0 <= left + j < 28
                assert np.isnan(weight) != inside
                if inside:
                    expected = maps.weights[0, head, top + i - maps.top, left + j - maps.left]
                    assert weight == pytest.approx(float(expected), abs=1e-4)


def test_the_picture_is_the_same_as_png_and_svg(window, tmp_path):
    save(window, tmp_path / "maps.png")
    save(window, tmp_path / "maps.svg")
    png = QImage(str(tmp_path / "maps.png"))
    svg = QImage(png.size(), QImage.Format.Format_RGB32)
    svg.fill(Qt.GlobalColor.white)
    painter = QPainter(svg)
    renderer = QSvgRenderer(str(tmp_path / "maps.svg"))
    assert renderer.isValid()
    renderer.render(painter)
    painter.end()
    grey = [each.convertToFormat(QImage.Format.Format_Grayscale8) for each in (png, svg)]
    values = [np.frombuffer(each.constBits(), np.uint8) for each in grey]
    assert values[0].shape == values[1].shape and np.mean(np.abs(values[0].astype(int) - values[1])) < 6
    text = (tmp_path / "maps.svg").read_text()
    for words in ("Run 1 · iterate 2", "head 4", "row 14", "column 7", "entropy", "radius", "softmax weight"):
        assert words in text, words


def test_the_largest_weight_has_the_top_colour_on_paper(window, tmp_path):
    save(window, tmp_path / "maps.png")
    pixels = np.asarray(Image.open(tmp_path / "maps.png").convert("RGB")).astype(int)
    top = (np.abs(pixels - (252, 255, 164)).max(axis=2) <= 3).sum()
    cell = (2 * 150 / 5) ** 2
    assert top > 8 * 0.6 * cell, "one pixel in each of the eight maps, but for the cross"


def test_a_file_is_not_replaced_without_a_yes(window, tmp_path):
    path = tmp_path / "maps.npz"
    path.write_bytes(b"mine")
    with Person(saves(str(path)), answers(NO), saves(leave=True)):
        window.edit_actions.save_maps.trigger()
    assert path.read_bytes() == b"mine"


def test_without_maps_it_says_what_to_do(window):
    window.session.show_run(None)
    window.edit_actions.save_maps.trigger()
    assert "click a pixel first" in window.statusBar().currentMessage()
