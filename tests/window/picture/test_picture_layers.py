"""Layers are read only where they are visible, as tiles that are kept while there is room."""

import numpy as np
import pytest
from picture_screen import Read, at, random_picture, screen, show_single
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QDoubleSpinBox

from nerd_gui.window.picture import tiles as module
from nerd_gui.window.picture.layers import Compare, Layer, PictureLayers


def plain(level: float, shape=(300, 400)) -> np.ndarray:
    return np.full(shape, level, np.float32)


def kin(pictures) -> list[Read]:
    """Make pictures of one family, such as the iterates of a run."""
    sources = [Read(picture) for picture in pictures]
    for source in sources:
        source.families = sources[0].families
    return sources


def test_nothing_is_read_before_it_is_looked_at_and_only_what_is_in_view(view):
    source = Read(np.zeros((3, 3000, 4000), np.float32))
    view.set_picture(Layer.ITERATE, source)
    view.set_picture(Layer.CLEAN, Read(np.zeros((3000, 4000), np.float32)))
    view.set_compare(Compare.SINGLE)
    assert view.shown_picture() is not None and source.values == 3 * 3000 * 4000
    view.set_zoom(1)
    canvas = view.viewport()
    source.values = 0
    screen(view)
    in_view = canvas.width() * canvas.height()
    assert 3 * in_view <= source.values < 3 * (canvas.width() + 600) * (canvas.height() + 600)


@pytest.mark.parametrize("zoom", [0.3, 1, 4])
def test_what_has_been_seen_is_not_read_again(view, zoom):
    sources = kin(random_picture(600, 900, seed=seed) for seed in range(3))
    show_single(view, sources[0], zoom)
    seen = []
    for source in (*sources, *reversed(sources)):
        view.set_picture(Layer.ITERATE, source)
        seen.append(screen(view))
    read = [source.values for source in sources]
    for first, again in zip(seen, reversed(seen), strict=True):
        np.testing.assert_array_equal(first, again)
    view.set_picture(Layer.RESULT, sources[1])
    view.set_compare(Compare.SINGLE, right=Layer.RESULT)
    np.testing.assert_array_equal(screen(view), seen[1])
    assert [source.values for source in sources] == read and min(read) > 0


def test_the_oldest_tiles_go_when_there_are_too_many(view, monkeypatch):
    sources = kin(random_picture(256, 256, seed=seed) for seed in range(3))
    show_single(view, sources[0], 1)
    monkeypatch.setattr(module, "_KEPT_BYTES", 2 * 4 * 256 * 256)
    for source in sources:
        source.values = 0
        view.set_picture(Layer.ITERATE, source)
        screen(view)
    read = []
    for number in (1, 2, 0, 2):
        before = sources[number].values
        view.set_picture(Layer.ITERATE, sources[number])
        screen(view)
        read.append(sources[number].values > before)
    assert read == [False, False, True, False]


def test_values_and_differences_are_those_of_the_present_picture(view):
    view.set_picture(Layer.NOISY, plain(0.1))
    view.set_compare(Compare.DIFFERENCE)
    gain = view.findChild(QDoubleSpinBox, "differenceGainSpin")
    for level in (0.22, 0.31, 0.22):
        view.set_picture(Layer.ITERATE, plain(level))
        for factor in (1, 2):
            gain.setValue(factor)
            assert at(screen(view), view.position_of(150, 200)) == (round(255 * (0.5 + factor * (level - 0.1))),) * 3


def test_a_difference_below_100_percent_is_the_mean_of_differences(view):
    rng = np.random.default_rng(0)
    noisy, clean = rng.normal(0.5, 0.5, (2, 2400, 3200)).astype(np.float32)
    view.set_picture(Layer.NOISY, noisy)
    view.set_picture(Layer.ITERATE, clean)
    view.set_compare(Compare.DIFFERENCE)
    view.findChild(QDoubleSpinBox, "differenceGainSpin").setValue(1)
    view.set_zoom(0.25)
    blocks = (clean - noisy).astype(float).reshape(600, 4, 800, 4).mean(axis=(1, 3))
    expected = np.clip(np.rint(255 * (0.5 + blocks)), 0, 255)
    assert view.zoom() == 0.25
    x, y = view.position_of(400, 400).toTuple()
    seen = screen(view)[y : y + 300, x : x + 500, 0].astype(float)
    np.testing.assert_allclose(seen, expected[100:400, 100:600], atol=1)


def test_a_picture_of_another_size_starts_over():
    layers = PictureLayers()
    layers.set(Layer.ITERATE, plain(0.5))
    layers.set(Layer.NOISY, plain(0.5, (3, 30, 30)))
    assert layers.available() == [Layer.NOISY] and layers.shape == (30, 30)


@pytest.mark.parametrize("zoom", [0.5, 1, 3])
def test_what_is_not_a_number_is_magenta_and_named(view, zoom):
    picture = plain(0.4, (600, 800))
    picture[300:310, 400:420] = np.nan
    show_single(view, picture, zoom)
    view.set_caption(Layer.ITERATE, "iterate 3")
    seen = screen(view)
    for position, colour in (((304, 410), (255, 0, 255)), ((290, 380), (102, 102, 102))):
        assert at(seen, view.position_of(*position)) == colour
    assert view.captions() == ["iterate 3 · not a number where it is magenta"]
    view.set_picture(Layer.ITERATE, plain(0.4, (600, 800)))
    screen(view)
    assert view.captions() == ["iterate 3"]


@pytest.mark.parametrize("zoom", [0.25, 1, 2])
def test_a_changed_part_is_read_anew_and_nothing_else(view, zoom):
    values = random_picture(3, 1600, 2000)
    source = Read(values)
    view.set_picture(Layer.NOISY, plain(0.5, (1600, 2000)))
    view.set_picture(Layer.ITERATE, source)
    view.set_compare(Compare.DIFFERENCE)
    view.set_zoom(zoom)
    before = screen(view)
    whole, source.values = source.values, 0
    row, col = view.pixel_at(view.viewport().rect().center())
    values[:, row : row + 16, col : col + 16] = 255 - values[:, row : row + 16, col : col + 16]
    view.update_pictures(source, (row, col, 16, 16))
    changed = np.argwhere((screen(view) != before).any(axis=2))
    corner, end = view.position_of(row, col), view.position_of(row + 16, col + 16)
    edge = max(zoom, 1)  # if the part begins within a pixel of the screen, that whole pixel changes
    assert corner.y() - edge <= changed[:, 0].min() and changed[:, 0].max() <= end.y() + edge
    assert corner.x() - edge <= changed[:, 1].min() and changed[:, 1].max() <= end.x() + edge
    assert len(changed) > 0.9 * (16 * zoom) ** 2 and 0 < source.values < whole / 2
    fresh = Read(values)
    view.set_picture(Layer.ITERATE, fresh)
    after = screen(view)
    view.set_picture(Layer.ITERATE, source)
    np.testing.assert_array_equal(screen(view), after)


class TestWhileAPictureIsNotReady:
    """One step of work for each paint event: the pictures seen meanwhile."""

    @pytest.fixture(autouse=True)
    def _slow(self, monkeypatch):
        for name in ("_AT_FIRST", "_LATER", "_AT_LEAST"):
            monkeypatch.setattr(module, name, 0)

    @staticmethod
    def first_sight(view) -> np.ndarray:
        """The canvas as it is first painted."""
        made, view.ready = view.ready, lambda: True
        try:
            return screen(view)
        finally:
            view.ready = made

    def test_a_draft_of_it_is_seen_and_painting_goes_on_by_itself(self, qtbot, view):
        rows, cols = np.mgrid[:2000, :3000].astype(np.float32)
        picture = rows / 4000 + cols / 6000
        show_single(view, picture)
        draft = self.first_sight(view).astype(int)
        assert not view.ready()
        view.viewport().update()
        qtbot.waitUntil(view.ready)
        whole = screen(view).astype(int)
        assert 0 < np.abs(draft - whole).max() <= 3

    def test_what_was_seen_at_another_zoom_stays(self, qtbot, view):
        picture = random_picture(2000, 3000)
        picture[:] = picture.mean()
        picture[1000:, :] = 0  # the draft would have the edge at another place
        show_single(view, picture)
        screen(view)
        view.set_zoom(1)
        seen, edge = self.first_sight(view), view.position_of(1000, 1500)
        assert not view.ready()
        assert at(seen, edge + QPoint(0, 20)) == (0, 0, 0) and at(seen, edge - QPoint(0, 20)) == (127,) * 3

    def test_the_one_before_of_the_same_family_stays_and_no_other(self, view):
        first, second = kin(np.full((900, 1200), level, np.uint8) for level in (60, 160))
        show_single(view, first)
        screen(view)
        view.set_picture(Layer.ITERATE, second)
        seen = self.first_sight(view)
        middle, corner = view.position_of(450, 600), view.position_of(10, 10)
        assert at(seen, middle) == (160,) * 3 and at(seen, corner) == (60,) * 3
        view.set_picture(Layer.ITERATE, random_picture(900, 1200) // 8 + np.uint8(200))
        assert self.first_sight(view)[corner.y() :, corner.x() :].min() >= 40
        assert at(self.first_sight(view), corner)[0] >= 200
