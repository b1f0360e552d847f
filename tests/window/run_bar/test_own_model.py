"""A user's own model in the window."""

import numpy as np
import pytest
from PIL import Image

from nerd_gui.denoising import RunSettings, Subject, denoise
from nerd_gui.imaging import open_photo
from nerd_gui.nerd import own, register


class Smoother:
    """The mean of the picture and of the equilibrium's four neighbours; one head attends to the pixel itself."""

    heads = 1

    def inject(self, y):
        return y

    def f(self, z, x):
        around = z.roll(1, 2) + z.roll(-1, 2) + z.roll(1, 3) + z.roll(-1, 3)
        return (x + around / 4) / 2

    def decode(self, z):
        return z

    def attention_maps(self, z, x, row, col):
        weights = z.new_zeros(len(z), 1, *z.shape[2:])
        weights[:, :, row, col] = 1
        return weights


@pytest.fixture
def smoother(monkeypatch):
    monkeypatch.setattr(own, "_own", {})
    register("smoother", Smoother())
    return "smoother"


def test_it_is_in_the_list_runs_and_has_its_maps(qtbot, make_window, photo_path, smoother):
    window = make_window(photo_path, model=smoother)
    qtbot.waitUntil(lambda: window.session.workspace.photo is not None)
    choice = window.controls.model
    assert choice.currentText() == "smoother" and "your own" in choice.itemData(choice.currentIndex(), 3)
    with qtbot.waitSignal(window.session.controller.ended, timeout=20_000):
        window.actions_.run.trigger()
    run = window.session.run
    expected = denoise(Subject.of(open_photo(photo_path)), RunSettings(model=smoother, device="cpu"))
    found = run.trajectory
    assert found.stop_reason is not None and found[found.result].residual < 0.05
    both = min(len(found), len(expected)) - 1
    np.testing.assert_allclose(found.picture(both), expected.picture(both), atol=1e-3)
    maps = run.attention_maps(found.result, 5, 6)
    assert maps.weights.shape == (1, 1, 48, 40) and maps.weights[0, 0, 5, 6] == 1
    pixels = np.asarray(Image.open(photo_path), float) / 255
    around = sum(np.roll(found.picture(found.result)[0], way, axis) for way in (1, -1) for axis in (0, 1)) / 4
    np.testing.assert_allclose(found.picture(found.result)[0], (pixels + around) / 2, atol=0.02)
