"""The saved picture equals the shown one bit for bit, for every look, region, depth and orientation."""

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from dialog_person import Person, saves
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PySide6.QtGui import QImage

from nerd_gui.denoising import Iterate, Look, MemoryPlan, RunSettings, Subject, Trajectory
from nerd_gui.imaging import open_photo, save_picture, to_8_bit
from nerd_gui.window.files.export import save_all_iterates, save_iterate
from nerd_gui.window.picture.layers import Compare, Layer

ROWS, COLS = 13, 17
AMOUNTS = st.sampled_from([0.0, 0.37, 1.0, 1.21, 1.5])
LOOKS = st.builds(Look, AMOUNTS, AMOUNTS, st.sampled_from([0.0, 0.6, 1.0]))
#: The operations that turn a stored picture upright, by EXIF's definition of the orientations.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


@st.composite
def regions(draw, rows, cols):
    row, col = draw(st.integers(0, rows - 1)), draw(st.integers(0, cols - 1))
    return draw(st.none() | st.just((row, col, draw(st.integers(1, rows - row)), draw(st.integers(1, cols - col)))))


def write(path, stored, orientation):
    """Write a photo file in one of the eight orientations, without the tested code."""
    if path.suffix == ".png":
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(stored).save(path, exif=exif)
    else:
        kind = "rgb" if stored.ndim == 3 else "minisblack"
        tifffile.imwrite(path, stored, photometric=kind, extratags=[(274, 3, 1, orientation, True)])


def read(path):
    return tifffile.imread(path) if path.suffix == ".tif" else imagecodecs.png_decode(path.read_bytes())


def trajectory_of(subject, count, seed):
    """Make a run of random iterates; some of their pictures leave [0, 1]."""
    random = np.random.default_rng(seed)
    made = Trajectory(subject, RunSettings(model="none"), 5, MemoryPlan(0, 0, torch.float16, None))
    for index in range(count):
        n_hat = random.normal(0, 0.3, subject.noisy.shape).astype(np.float16)
        made.add(
            Iterate(index, n_hat, None, 0.5, None, None, 1.0, (1.0,) * len(n_hat), None, None, 0.1, index + 1, False)
        )
    return made


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), look=LOOKS, orientation=st.integers(1, 8), deep=st.booleans(), colour=st.booleans())
def test_the_file_holds_the_picture(tmp_path, data, look, orientation, deep, colour):
    depth, seed = (16 if deep else 8), data.draw(st.integers(0, 99))
    shape = (ROWS, COLS, 3) if colour else (ROWS, COLS)
    stored = np.random.default_rng(seed).integers(0, 2**depth, shape, dtype=f"uint{depth}")
    source = tmp_path / ("a.tif" if deep else "a.png")
    write(source, stored, orientation)
    upright = UPRIGHT[orientation](stored)
    region = data.draw(regions(*upright.shape[:2]))
    trajectory = trajectory_of(Subject.of(open_photo(source), region=region), 2, seed)
    index = data.draw(st.integers(0, 1))
    path = tmp_path / data.draw(st.sampled_from(["b.tif", "b.png"]))
    save_iterate(trajectory, index, path, look=look, overwrite=True)

    picture = trajectory.picture(index, look)
    expected = np.rint(np.clip(picture, 0, 1) * np.float32(2**depth - 1))
    found = read(path)
    assert found.dtype == stored.dtype
    assert np.array_equal(np.moveaxis(np.atleast_3d(found), -1, 0), expected)
    if (look.luma, look.chroma) == (0, 0):  # then it is the photo itself, or the region of it
        row, col, rows, cols = region or (0, 0, *upright.shape[:2])
        assert np.array_equal(found, upright[row : row + rows, col : col + cols])


def test_all_iterates_are_saved_in_the_look(tmp_path, tiny_photo):
    trajectory, look = trajectory_of(Subject.of(tiny_photo), 3, 0), Look(0.5, 0.5, 1.0)
    for index, path in enumerate(save_all_iterates(trajectory, tmp_path, ".png", look)):
        assert np.array_equal(np.asarray(Image.open(path)), to_8_bit(trajectory.picture(index, look))[0])


def on_screen(view, rows, cols):
    """Return the picture on the screen at 100 %, grey."""
    for layer in Layer:
        view.set_caption(layer, "")  # nothing over its corners
    view.set_compare(Compare.SINGLE, None, Layer.ITERATE)
    view.set_zoom(1)
    canvas = view.viewport()
    canvas.grab()
    while not view.ready():
        canvas.grab()
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    left, top = view.position_of(0, 0).toTuple()
    return lines[top : top + rows, left : left + cols].copy()


def test_the_window_saves_what_it_shows(qtbot, make_window, tiny_photo, tmp_path):
    window = make_window(save_picture(tmp_path / "a.png", tiny_photo))
    window.controls.settings_button.max_iter.setValue(2)
    with qtbot.waitSignal(window.session.controller.ended, timeout=30_000):
        window.run()
    plain = to_8_bit(window.session.trajectory.picture(2))[0]
    look = Look(0.4, 0.4, 0.5)
    window.session.set_look(look)
    shown = on_screen(window.picture_view, *plain.shape)
    with Person(saves("b")):
        window.actions_.export.trigger()
    qtbot.waitUntil((tmp_path / "b.png").exists)
    saved = np.asarray(Image.open(tmp_path / "b.png"))
    assert np.array_equal(saved, to_8_bit(window.session.trajectory.picture(2, look))[0])
    assert np.array_equal(saved, shown) and not np.array_equal(saved, plain)


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_these_tests_turn_pictures_as_pillow_does(tmp_path, orientation):
    from PIL import ImageOps

    stored = np.random.default_rng(0).integers(0, 256, (ROWS, COLS), dtype=np.uint8)
    write(tmp_path / "a.png", stored, orientation)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.png")))
    assert np.array_equal(UPRIGHT[orientation](stored), expected)
