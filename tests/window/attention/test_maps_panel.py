"""The panel of maps: its numbers against theory, its pictures against the weights, its controls by mouse."""

import math

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage, QPalette
from PySide6.QtWidgets import QComboBox, QLabel, QSlider, QWidget

from nerd_gui.nerd import AttentionMaps
from nerd_gui.window.attention.head_map import WindowPicture
from nerd_gui.window.attention.maps_panel import MapsPanel
from nerd_gui.window.attention.measures import LOG_FLOOR, effective_radius, entropy_bits, place_in_window, scale_maps
from nerd_gui.window.attention.pixel_maps import EMPTY_TEXT

LEFT = Qt.MouseButton.LeftButton
INFERNO = {0.0: (0, 0, 4), 0.5: (188, 55, 84), 1.0: (252, 255, 164)}  # as published
WINDOW = 9


def weights_of(heads: int = 4, rows: int = WINDOW, cols: int = WINDOW, seed: int = 0) -> np.ndarray:
    raw = np.random.default_rng(seed).random((heads, rows, cols)) ** 4
    return raw / raw.sum(axis=(1, 2), keepdims=True)


def maps_of(weights: np.ndarray, top: int = 20, left: int = 30, row: int = 24, col: int = 34) -> AttentionMaps:
    return AttentionMaps(torch.from_numpy(weights)[None], top, left, row, col)


@pytest.fixture
def panel(qtbot) -> MapsPanel:
    widget = MapsPanel()
    qtbot.addWidget(widget)
    widget.resize(460, 330)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def picture_of(panel: MapsPanel, head: int) -> WindowPicture:
    found = panel.findChild(WindowPicture, f"attentionHead{head}")
    assert found is not None
    return found


def combo_of(panel: MapsPanel, name: str) -> QComboBox:
    found = panel.findChild(QComboBox, name)
    assert found is not None
    return found


# ---- mathematics ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (65, 65), (3, 7)])
def test_the_entropy_of_equal_weights_is_log2_of_their_number(shape):
    pixels = shape[0] * shape[1]
    assert entropy_bits(np.full(shape, 1 / pixels)) == pytest.approx(math.log2(pixels), abs=1e-12)


def test_the_entropy_of_one_pixel_is_nothing():
    one = np.zeros((5, 5))
    one[1, 2] = 1
    assert entropy_bits(one) == 0 and str(entropy_bits(one)) == "0.0"
    assert entropy_bits(np.array([[0.5, 0.25], [0.25, 0]])) == pytest.approx(1.5)


def test_the_effective_radius():
    one = np.zeros((5, 5))
    one[2, 3] = 0.7  # not normalised: only ratios count
    assert effective_radius(one, 2, 3) == 0
    assert effective_radius(one, 5, 7) == 5  # 3, 4, 5
    ring = np.zeros((7, 7))
    ring[[0, 6, 3, 3], [3, 3, 0, 6]] = 0.25
    assert effective_radius(ring, 3, 3) == 3
    square = sum(i**2 + j**2 for i in range(-2, 3) for j in range(-2, 3)) / 25
    assert effective_radius(np.full((5, 5), 1 / 25), 2, 2) == pytest.approx(math.sqrt(square))


@pytest.mark.parametrize(
    ("row", "col", "window", "place"),
    [(100, 100, 65, (0, 0)), (0, 3, 65, (32, 29)), (100, 100, 32, (0, 0)), (5, 100, 32, (11, 0)), (0, 0, 1, (0, 0))],
)
def test_the_place_in_the_window(row, col, window, place):
    """The offsets are those of the paper, -q/2 ... q/2 - 1 for an even q."""
    first = -(window // 2)
    top, left = max(0, row + first), max(0, col + first)
    bottom, right = row + first + window, col + first + window
    maps = AttentionMaps(torch.ones(1, 1, bottom - top, right - left), top, left, row, col)
    assert place_in_window(maps, window) == place
    with pytest.raises(ValueError, match="does not fit into the window"):
        place_in_window(AttentionMaps(torch.ones(1, 1, window + 1, 1), top, left, row, col), window)


def test_scaling_is_monotonous_and_fills_its_range():
    weights = weights_of()
    for log in (False, True):
        for shared in (False, True):
            unit, low, high = scale_maps(weights, log=log, shared=shared)
            assert unit.min() >= 0 and unit.max() == 1
            for head in range(4):
                order = np.argsort(weights[head], axis=None)
                assert (np.diff(unit[head].ravel()[order]) >= 0).all()
                assert high[head] == (weights.max() if shared else weights[head].max())
                assert (unit[head].max() == 1) == (not shared or weights[head].max() == weights.max())
            assert (low == 0).all() != log


def test_the_logarithmic_scale_is_one():
    unit, low, high = scale_maps(np.array([[[1e-3, 1e-2, 1e-1]]]), log=True, shared=False)
    assert unit.ravel() == pytest.approx([0, 0.5, 1]) and (low[0], high[0]) == (1e-3, 0.1)
    unit, low, _ = scale_maps(np.array([[[0.0, 1e-30, 0.5]]]), log=True, shared=False)
    assert unit.ravel().tolist() == [0, 0, 1] and low[0] == 0.5 * LOG_FLOOR
    assert (scale_maps(np.full((2, 3, 3), 1 / 9), log=True, shared=False)[0] == 1).all()


# ---- pictures -------------------------------------------------------------------------------------------------------


def samples(picture: WindowPicture, rows: range, cols: range) -> np.ndarray:
    """Return the colours at the centres of the window's pixels, (rows, cols, 3)."""
    image: QImage = picture.grab().toImage()
    points = [[picture.pixel_rect(row, col).center().toPoint() for col in cols] for row in rows]
    return np.array([[image.pixelColor(point).getRgb()[:3] for point in line] for line in points])


def is_clear(row: int, col: int) -> bool:
    """Return whether a pixel of the 9 x 9 window is not covered by the cross."""
    return (row == col == 4) or (row != 4 and col != 4)


@pytest.mark.parametrize("log", [False, True])
def test_the_brightest_pixel_is_where_the_head_looks_most(panel, log):
    weights = weights_of()
    weights[:, 4, :] = weights[:, :, 4] = 1e-6  # covered by the cross
    panel.set_maps(maps_of(weights), WINDOW, caption="")
    combo_of(panel, "attentionScaleCombo").setCurrentText("log" if log else "linear")
    for head in range(4):
        colours = samples(picture_of(panel, head), range(WINDOW), range(WINDOW)).sum(axis=2)
        clear = np.array([[is_clear(row, col) for col in range(WINDOW)] for row in range(WINDOW)])
        shown = np.where(clear, colours, 0)
        brightest = shown == shown.max()
        assert brightest.ravel()[np.argmax(weights[head])]
        assert log or brightest.sum() == 1  # 256 steps: on the log scale near ones share a colour


def test_the_colours_are_infernos(panel):
    weights = np.zeros((4, WINDOW, WINDOW))
    weights[:, 0, 0], weights[:, 0, 1], weights[:, 4, 4] = 0.4, 0.2, 0.4
    panel.set_maps(maps_of(weights), WINDOW, caption="")
    colours = samples(picture_of(panel, 2), range(WINDOW), range(WINDOW))
    for (row, col), value in {(0, 0): 1.0, (0, 1): 0.5, (8, 8): 0.0, (4, 4): 1.0}.items():
        assert np.abs(colours[row, col] - INFERNO[value]).max() <= 3


def test_shared_and_own_range(panel, qtbot):
    weights = np.full((4, WINDOW, WINDOW), 1 / 81)
    weights[0] = 0
    weights[0, 0, 0] = 1.0
    panel.set_maps(maps_of(weights), WINDOW, caption="")
    combo = combo_of(panel, "attentionRangeCombo")

    def corner(head: int) -> np.ndarray:
        return samples(picture_of(panel, head), range(1), range(1))[0, 0]

    assert combo.currentText() == "own range"
    assert np.abs(corner(0) - INFERNO[1.0]).max() <= 3 and np.abs(corner(1) - INFERNO[1.0]).max() <= 3
    with qtbot.waitSignal(panel.overlayChanged):
        qtbot.keyClick(combo, Qt.Key.Key_Up)
    assert combo.currentText() == "shared range"
    assert np.abs(corner(0) - INFERNO[1.0]).max() <= 3 and corner(1).sum() < 30  # 1/81 of the range


def test_outside_the_picture_is_told_from_no_weight(panel):
    """The query is two pixels from the top left corner: 7 x 7 of its 9 x 9 window are inside the picture."""
    weights = weights_of(rows=7, cols=7)
    panel.set_maps(maps_of(weights, 0, 0, 2, 2), WINDOW, caption="")
    picture = picture_of(panel, 0)
    inside = samples(picture, range(2, 9), range(2, 9)).sum(axis=2)
    clear = np.array([[is_clear(row + 2, col + 2) for col in range(7)] for row in range(7)])
    expected = np.where(clear, weights[0], 0)
    assert np.argmax(np.where(clear, inside, 0)) == np.argmax(expected)
    image, outside = picture.grab().toImage(), picture.pixel_rect(0, 0).united(picture.pixel_rect(1, 8)).toRect()
    colours = {
        image.pixel(x, y)
        for x in range(outside.left(), outside.right())
        for y in range(outside.top() + 2, outside.bottom() - 2)
    }
    assert panel.palette().base().color().rgb() in colours and len(colours) == 2  # the hatching and its background


def test_the_cross_stands_on_the_query(panel):
    panel.set_maps(maps_of(np.full((4, WINDOW, WINDOW), 1 / 81)), WINDOW, caption="")
    picture = picture_of(panel, 0)
    image, square = picture.grab().toImage(), picture.square().toRect()
    # The map is pale yellow all over, the cross blue with a dark outline.
    places = [
        (x, y)
        for x in range(square.left(), square.right())
        for y in range(square.top(), square.bottom())
        if image.pixelColor(x, y).blue() > image.pixelColor(x, y).red() + 40
    ]
    centre = picture.pixel_rect(4, 4).center()
    assert len(places) > 8
    assert np.mean(places, axis=0) == pytest.approx([centre.x() - 0.5, centre.y() - 0.5], abs=0.6)


def test_the_neighbourhood_shows_the_photo(panel):
    rgb = np.random.default_rng(1).integers(0, 256, (WINDOW, WINDOW, 3), dtype=np.uint8)
    panel.set_maps(maps_of(weights_of()), WINDOW, caption="")
    panel.set_neighbourhood(rgb)
    picture = panel.findChild(WindowPicture, "attentionNeighbourhood")
    shown = samples(picture, range(WINDOW), range(WINDOW))
    for row in range(WINDOW):
        for col in range(WINDOW):
            assert not is_clear(row, col) or (shown[row, col] == rgb[row, col]).all()
    panel.set_maps(maps_of(weights_of(seed=1)), WINDOW, caption="the next iterate")
    assert (samples(picture, range(1), range(1)) == rgb[0, 0]).all()
    panel.set_maps(maps_of(weights_of(), 40, 40, 44, 44), WINDOW, caption="another pixel")
    assert not picture._patch  # otherwise the photo at another place would be shown
    with pytest.raises(ValueError, match="must be uint8 of shape"):
        panel.set_neighbourhood(rgb[:5])


# ---- numbers --------------------------------------------------------------------------------------------------------


def test_the_read_outs(panel):
    weights = np.full((4, WINDOW, WINDOW), 1 / 81)
    weights[1] = 0
    weights[1, 4, 4] = 1
    panel.set_maps(maps_of(weights), WINDOW, caption="pixel row 24, column 34 · iterate 5")
    radius = math.sqrt(sum(i**2 + j**2 for i in range(-4, 5) for j in range(-4, 5)) / 81)
    assert panel.readout(0) == f"entropy {math.log2(81):.1f} bit · radius {radius:.1f} px · maximum 1.2e-2"
    assert panel.readout(1) == "entropy 0.0 bit · radius 0.0 px · maximum 1.0"
    assert "pixel row 24, column 34 · iterate 5" in [label.text() for label in panel.findChildren(QLabel)]


def test_map_weights_are_what_was_given(panel):
    weights = weights_of()
    panel.set_maps(maps_of(weights), WINDOW, caption="")
    for head in range(4):
        assert np.array_equal(panel.map_weights(head), weights[head])


def test_the_colour_bar_names_its_ends(panel):
    weights = weights_of()
    panel.set_maps(maps_of(weights), WINDOW, caption="")
    bar = panel.findChild(QWidget, "attentionColourBar")
    combo_of(panel, "attentionRangeCombo").setCurrentIndex(0)
    assert bar.low == "0" and float(bar.high) == pytest.approx(weights.max(), rel=0.05)
    combo_of(panel, "attentionScaleCombo").setCurrentText("log")
    assert float(bar.low) == pytest.approx(max(weights.min(), LOG_FLOOR * weights.max()), rel=0.05)
    colours = [bar.grab().toImage().pixelColor(x, bar.height() // 2).lightness() for x in (70, 200, 360)]
    assert colours == sorted(colours) and colours[0] < colours[-1]


# ---- controls -------------------------------------------------------------------------------------------------------


def test_a_click_on_a_head_lays_it_over_the_picture(panel, qtbot):
    weights = weights_of()
    panel.set_maps(maps_of(weights, 20, 30), WINDOW, caption="")
    assert panel.overlay() is None
    changes = []
    panel.overlayChanged.connect(lambda: changes.append(panel.overlay()))
    with qtbot.waitSignal(panel.headChosen) as chosen:
        qtbot.mouseClick(picture_of(panel, 2), LEFT)
    assert chosen.args == [2] and combo_of(panel, "attentionOverlayCombo").currentText() == "head 3"
    assert len(changes) == 1
    values, top, left, opacity = changes[0]
    assert np.allclose(values, weights[2] / weights[2].max()) and (top, left) == (20, 30)
    assert opacity == panel.findChild(QSlider, "attentionOpacitySlider").value() / 100
    frame = QPoint(panel.width(), 0), panel.palette().highlight().color()
    for head in range(4):
        picture = picture_of(panel, head)
        edge = QPoint(int(picture.square().center().x()), int(picture.square().top()) - 2)
        assert (picture.grab().toImage().pixelColor(edge) == frame[1]) == (head == 2)


def test_the_keyboard_chooses_a_head_too_and_leaves_space_to_the_player(panel, qtbot):
    panel.set_maps(maps_of(weights_of()), WINDOW, caption="")
    picture = picture_of(panel, 1)
    picture.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(picture, Qt.Key.Key_Space)
    assert panel.overlay() is None
    with qtbot.waitSignal(panel.headChosen) as chosen:
        qtbot.keyClick(picture, Qt.Key.Key_Return)
    assert chosen.args == [1]


def test_the_mean_and_the_opacity(panel, qtbot):
    weights = weights_of()
    panel.set_maps(maps_of(weights), WINDOW, caption="")
    combo = combo_of(panel, "attentionOverlayCombo")
    slider = panel.findChild(QSlider, "attentionOpacitySlider")
    assert [combo.itemText(i) for i in range(combo.count())] == ["none", "head 1", "head 2", "head 3", "head 4", "mean"]
    assert not slider.isEnabled()
    qtbot.keyClick(combo, Qt.Key.Key_End)
    values, *_ = panel.overlay()
    mean = weights.mean(axis=0)
    assert np.allclose(values, mean / mean.max()) and slider.isEnabled()
    with qtbot.waitSignal(panel.overlayChanged):
        qtbot.keyClick(slider, Qt.Key.Key_End)
    assert panel.overlay()[3] == 1.0
    qtbot.keyClick(combo, Qt.Key.Key_Home)
    assert panel.overlay() is None


def test_nothing_to_see_at_first_and_after_clear(panel, qtbot):
    caption = panel.findChild(QLabel, "attentionCaption")
    assert caption.text() == EMPTY_TEXT == "Click a pixel to see where each head looks"
    chosen = []
    panel.headChosen.connect(chosen.append)
    qtbot.mouseClick(picture_of(panel, 0), LEFT)
    assert chosen == []
    panel.set_maps(maps_of(weights_of()), WINDOW, caption="some pixel")
    assert caption.text() == "some pixel" and picture_of(panel, 0).isVisible()
    combo_of(panel, "attentionOverlayCombo").setCurrentIndex(1)
    panel.set_maps(None, WINDOW, caption="")
    assert caption.text() == EMPTY_TEXT and panel.overlay() is None and panel.readout(0) == ""
    combo_of(panel, "attentionOverlayCombo").setCurrentIndex(0)
    said = panel.findChild(QLabel, "attentionEmpty")
    assert said.isVisible() and EMPTY_TEXT in said.text() and not picture_of(panel, 0).isVisible()


@pytest.mark.parametrize("heads", [1, 8])
def test_other_numbers_of_heads(panel, heads):
    combo_of(panel, "attentionOverlayCombo").setCurrentText("mean")
    weights = weights_of(heads)
    panel.set_maps(maps_of(weights), WINDOW, caption="")
    pictures = [child for child in panel.findChildren(WindowPicture) if child.objectName().startswith("attentionHead")]
    assert {picture.objectName() for picture in pictures} == {f"attentionHead{head}" for head in range(heads)}
    combo = combo_of(panel, "attentionOverlayCombo")
    assert combo.count() == heads + 2 and combo.currentText() == "mean"
    assert np.allclose(panel.overlay()[0], weights.mean(axis=0) / weights.mean(axis=0).max())


def test_a_batch_is_refused(panel):
    with pytest.raises(ValueError, match=r"one picture, not weights \(3, 4, 9, 9\)"):
        panel.set_maps(AttentionMaps(torch.ones(3, 4, 9, 9), 0, 0, 4, 4), WINDOW, caption="")


@pytest.mark.parametrize("width", [380, 460])
def test_nothing_is_clipped(panel, width, qtbot):
    assert panel.minimumSizeHint().width() <= 380
    panel.resize(width, 340)
    panel.set_maps(maps_of(weights_of(rows=9, cols=9)), WINDOW, caption="pixel row 2024, column 1034 · iterate 17")
    qtbot.waitUntil(lambda: panel.width() == width)
    for label in panel.findChildren(QLabel):
        needed = label.sizeHint() if not label.wordWrap() else label.minimumSizeHint()
        assert label.width() >= needed.width() and label.height() >= needed.height(), label.text()
    tops, sides = set(), set()
    for head in range(4):
        picture = picture_of(panel, head)
        assert panel.rect().contains(picture.geometry())
        assert picture.square().width() == picture.square().height() >= 60
        tops.add(picture.y())
        sides.add(picture.square().width())
    assert len(tops) == 1 and max(sides) - min(sides) <= 1  # side by side, of one size


def test_dark_and_light(panel):
    panel.set_maps(maps_of(weights_of(rows=7, cols=7), 0, 0, 2, 2), WINDOW, caption="")
    palette = QPalette(panel.palette())
    palette.setColor(QPalette.ColorRole.Base, QColor("#101418"))
    picture = picture_of(panel, 0)
    picture.setPalette(palette)
    image, outside = picture.grab().toImage(), picture.pixel_rect(0, 0).toRect()
    colours = [
        image.pixelColor(x, y).name()
        for x in range(outside.left(), outside.right())
        for y in range(outside.top() + 2, outside.bottom())
    ]
    assert colours.count("#101418") > len(colours) / 2


def test_everything_a_hand_can_reach_is_named(panel):
    for kind in (QComboBox, QSlider, WindowPicture):
        for child in panel.findChildren(kind):
            assert child.objectName() and child.accessibleName() and child.toolTip(), child
