"""The pictures of iterates in a look: at full size to the bit, reduced as means, and where they change."""

import numpy as np
import pytest
from picture_screen import at, origin, screen
from scripted_session import make_iterate, make_trajectory, show

from nerd_gui.denoising import PLAIN, Look, Subject
from nerd_gui.imaging import Photo
from nerd_gui.imaging.psnr_ssim import to_8_bit
from nerd_gui.window.picture.captions import iterate_caption
from nerd_gui.window.picture.iterate_pictures import IteratePictures
from nerd_gui.window.picture.layers import Compare, Layer

SHAPE = (3, 610, 830)
LOOKS = [PLAIN, Look(0.4, 0.4), Look(1.5, 0), Look(0.8, 1.2, 0.7)]


def run_of(shape=SHAPE, iterates=2):
    """A finished run whose noise estimates hold noise and a texture."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, shape).astype(np.float32)
    texture = noise[:, 100:300, 200:500]
    texture += 0.2 * np.sin(np.arange(texture.shape[2]))
    trajectory = make_trajectory([])
    trajectory.subject = Subject(Photo(np.zeros(shape, np.float32)), 0.5 + noise)
    for index in range(iterates):
        n_hat = (-noise * (index + 1) / iterates).astype(np.float16)
        trajectory.add(make_iterate(index, 1 / (index + 1), n_hat=n_hat, known=False, last=index == iterates - 1))
    return trajectory


@pytest.fixture
def trajectory():
    return run_of()


def show_iterate(view, session, trajectory):
    show(session, trajectory)
    session.controller.iterateAdded.emit(0, session.run)
    view.set_compare(Compare.SINGLE)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_at_100_percent_the_look_is_on_the_screen_to_the_bit(view, session, trajectory, look):
    show_iterate(view, session, trajectory)
    view.set_zoom(1)
    screen(view)
    session.set_look(look)
    for layer in Layer:
        view.set_caption(layer, "")
    expected = np.moveaxis(to_8_bit(trajectory.picture(session.index, look)), 0, -1)
    x, y = origin(view)
    rows, cols = slice(max(0, -y), None), slice(max(0, -x), None)
    seen = screen(view)[max(0, y) :, max(0, x) :][: SHAPE[1], : SHAPE[2]]
    np.testing.assert_array_equal(seen, expected[rows, cols][: seen.shape[0], : seen.shape[1]])


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize(("zoom", "channels"), [(0.5, 3), (0.25, 3), (0.125, 1)])
def test_reduced_it_is_the_means_of_the_whole_picture(view, session, look, zoom, channels):
    view.resize(300, 400)
    block = round(1 / zoom)
    trajectory = run_of((channels, 400 * block, 640 * block), iterates=1)
    show_iterate(view, session, trajectory)
    session.set_look(look)
    for layer in Layer:
        view.set_caption(layer, "")
    view.set_zoom(zoom)
    assert view.zoom() == zoom
    whole = trajectory.picture(session.index, look)
    removed = 0.5 + 2 * (whole - trajectory.subject.noisy)
    for layer, values in ((Layer.ITERATE, whole), (Layer.NOISE, removed)):
        view.set_compare(Compare.SINGLE, right=layer)
        means = values.astype(float).reshape(channels, 400, block, 640, block).mean(axis=(2, 4))
        expected = np.moveaxis(np.clip(255 * means, 0, 255), 0, -1)
        x, y = view.position_of(0, 0).toTuple()
        seen = screen(view)[max(0, y) :, max(0, x) :, :channels].astype(float)
        expected = expected[max(0, -y) :, max(0, -x) :][: seen.shape[0], : seen.shape[1]]
        np.testing.assert_allclose(seen[: len(expected), : expected.shape[1]], expected, atol=0.75)


def test_what_the_plain_look_removes_is_the_noise_estimate(trajectory):
    removed = IteratePictures(trajectory).removed(1, PLAIN)
    np.testing.assert_array_equal(removed.read((5, 6, 70, 80)), trajectory[1].n_hat[:, 5:75, 6:86])


@pytest.mark.parametrize("look", [PLAIN, Look(detail=1)], ids=str)
@pytest.mark.parametrize("zoom", [0.4, 1, 2])
def test_a_part_that_has_been_denoised_meanwhile_is_shown(view, session, look, zoom):
    trajectory = run_of((1, 1300, 1500), iterates=1)
    n_hat = trajectory[0].n_hat
    done = n_hat[:, 500:700, 600:800].copy()
    n_hat[...] = 0
    show_iterate(view, session, trajectory)
    session.set_look(look)
    view.set_zoom(zoom)
    view.set_compare(Compare.DIFFERENCE)
    before = screen(view)
    assert at(before, view.position_of(600, 700)) == (128,) * 3
    n_hat[:, 500:700, 600:800] = done
    view.update_iterates(500, 600, 200, 200)
    after = screen(view)
    assert (after != before).any()
    view.set_picture(Layer.ITERATE, None)  # from the beginning
    view.set_picture(Layer.ITERATE, IteratePictures(trajectory).picture(0, look))
    assert session.run is not None
    view.set_caption(Layer.ITERATE, iterate_caption(session.run, 0, look, named=False))
    np.testing.assert_array_equal(after, screen(view))


def test_a_held_iterate_keeps_its_look_and_captions_say_which(view, session, trajectory):
    show_iterate(view, session, trajectory)
    view.set_compare(Compare.WIPE)
    session.go(0)
    session.set_look(Look(0.5, 0.5))
    view.hold_iterate()
    session.set_look(Look(detail=1))
    session.go(1)
    assert view.captions() == ["iterate 0 of Run 1 · amount 50%", "iterate 1 · amount 100%, detail 100%"]
    held, shown = view.current()
    np.testing.assert_array_equal(held, np.moveaxis(to_8_bit(trajectory.picture(0, Look(0.5, 0.5))), 0, -1))
    np.testing.assert_array_equal(shown, np.moveaxis(to_8_bit(trajectory.picture(1, Look(detail=1))), 0, -1))
    session.set_look(PLAIN)
    assert view.captions()[1] == "iterate 1"


def test_levels_are_kept_within_their_limit(monkeypatch):
    pictures = IteratePictures(run_of((1, 256, 256), iterates=6))
    monkeypatch.setattr("nerd_gui.window.picture.iterate_pictures._KEPT_BYTES", 3 * 64 * 64 * 2)
    first = pictures.n_hat(0)
    for index in (0, 1, 0, 2, 0, 3, 0):
        list(pictures.n_hat(index).making((0, 0, 64, 64), 2))
    assert pictures.n_hat(0) is first
    for index in (1, 2, 3, 4):
        list(pictures.n_hat(index).making((0, 0, 64, 64), 2))
    assert pictures.n_hat(0) is not first


@pytest.mark.parametrize("zoom", [0.6, 1])
def test_noise_estimates_that_are_others_are_shown(view, session, zoom):
    view.resize(300, 300)
    trajectory = run_of((1, 1024, 1024))
    show_iterate(view, session, trajectory)
    session.go(0)
    view.set_zoom(zoom)
    screen(view)
    trajectory.iterates[0] = make_iterate(0, 1.0, n_hat=np.zeros((1, 1024, 1024), np.float16), known=False)
    session.go(1)
    session.go(0)
    view.set_compare(Compare.DIFFERENCE)
    np.testing.assert_array_equal(screen(view)[60:], 128)
