"""The picture view's pixels on the screen, compared with the given arrays."""

import os
import subprocess
import sys

import numpy as np
import pytest
from picture_screen import (
    drag,
    origin,
    random_picture,
    rgb,
    screen,
    show_single,
)
from PySide6.QtCore import QPoint


@pytest.mark.parametrize(
    "pixels",
    [
        random_picture(200, 301),
        random_picture(3, 200, 301),
        random_picture(1, 200, 301),
        np.random.default_rng(1).normal(0.5, 0.4, (3, 120, 97)).astype(np.float32),
        np.random.default_rng(1).normal(0.5, 0.4, (120, 97)).astype(np.float16),
    ],
    ids=["grey", "rgb", "one channel", "float rgb", "half grey"],
)
def test_a_picture_at_100_percent_is_on_the_screen_as_it_is(view, pixels):
    show_single(view, pixels, 1)
    whole = pixels[0] if pixels.shape[0] == 1 else pixels
    if whole.dtype != np.uint8:
        whole = np.clip(np.rint(whole.astype(np.float64) * 255), 0, 255).astype(np.uint8)
    expected = rgb(whole)
    x, y = origin(view)
    shown = screen(view)[y : y + expected.shape[0], x : x + expected.shape[1]]
    # A float64 product may round a tie differently from the float32 product of files and PSNR.
    np.testing.assert_allclose(shown.astype(int), expected, atol=0 if pixels.dtype == np.uint8 else 1)
    assert (shown == expected).mean() > 0.999
    np.testing.assert_array_equal(rgb(view.shown_picture()) if whole.ndim == 2 else view.shown_picture(), shown)


@pytest.mark.parametrize("zoom", [2, 3, 8])
def test_above_100_percent_every_pixel_is_a_flat_square_also_after_panning(view, zoom):
    pixels = random_picture(300, 400)
    show_single(view, pixels, zoom)
    canvas = view.viewport()
    before = screen(view)
    row, col = view.pixel_at(canvas.rect().center())
    corner = view.position_of(row, col) - QPoint(zoom // 2, zoom // 2)
    count = 20
    expected = np.kron(pixels[row : row + count, col : col + count], np.ones((zoom, zoom), np.uint8))
    area = before[corner.y() : corner.y() + count * zoom, corner.x() : corner.x() + count * zoom]
    np.testing.assert_array_equal(area, rgb(expected))

    middle = canvas.rect().center()
    drag(canvas, middle, middle + QPoint(37, -53))
    after = screen(view)
    np.testing.assert_array_equal(after[:-53, 37:], before[53:, :-37])


def area_average(picture: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """Compute the mean of `picture` over the area of each pixel of a smaller one, by cumulative sums."""
    for axis, count in ((0, rows), (1, cols)):
        lines = np.moveaxis(picture, axis, 0)
        sums = np.concatenate([np.zeros((1, *lines.shape[1:])), np.cumsum(lines, axis=0, dtype=float)])
        edges = np.linspace(0, len(lines), count + 1)
        floor = np.minimum(edges.astype(int), len(lines) - 1)
        at_edges = sums[floor] + (edges - floor)[:, None] * lines[floor]
        picture = np.moveaxis(np.diff(at_edges, axis=0) * count / len(lines), 0, axis)
    return picture


@pytest.mark.parametrize("zoom", [0.24, 0.25, 0.37, 0.5, 0.7])
def test_below_100_percent_pixels_are_averaged_over_their_area(view, zoom):
    # The noise must be shown as it is: sampling it, even bilinearly, would change its level or make a moire.
    picture = random_picture(2400, 3600)
    show_single(view, picture, zoom)
    assert view.zoom() == zoom
    expected = area_average(picture, round(2400 * zoom), round(3600 * zoom))
    x0, y0 = origin(view)
    seen = screen(view)[..., 0].astype(float)
    rows, cols = (slice(max(0, -start), size - start) for start, size in ((y0, seen.shape[0]), (x0, seen.shape[1])))
    seen = seen[max(0, y0) :, max(0, x0) :][: len(expected[rows]), : expected[:, cols].shape[1]]
    if zoom >= 0.25:
        np.testing.assert_allclose(seen, expected[rows, cols], atol=0.51)
    else:  # means over 2 x 2 pixels, some of which cross a border: noise keeps its level
        error = seen - expected[rows, cols]
        assert error.std() < 0.5 * expected.std() and seen.std() == pytest.approx(expected.std(), rel=0.1)


@pytest.mark.parametrize("shape", [(3, 1301, 1777), (2999, 231), (117, 4001)])
def test_reduced_pictures_of_any_size_are_means_over_areas(view, shape):
    rows, cols = (np.arange(size) / size for size in shape[-2:])
    picture = np.broadcast_to(np.sin(9 * rows)[:, None] * np.cos(7 * cols) / 2 + 0.5, shape).astype(np.float32)
    show_single(view, picture)
    width, height = (max(1, int(np.ceil(size * view.zoom() - 0.5))) for size in shape[:-3:-1])
    grey = picture[0] if len(shape) == 3 else picture
    corner = view.position_of(0, 0)
    x0, y0 = (np.floor(corner.x() - view.zoom() / 2 + 0.5), np.floor(corner.y() - view.zoom() / 2 + 0.5))
    seen = screen(view)[int(y0) : int(y0) + height, int(x0) : int(x0) + width, 1]
    np.testing.assert_allclose(seen, 255 * area_average(grey, height, width), atol=2)


def test_odd_sizes_keep_their_place_below_100_percent(view):
    pixels = np.zeros((1001, 1503), np.uint8)
    pixels[:, 1200:] = 255
    show_single(view, pixels)
    assert view.zoom() < 0.6
    line = screen(view)[view.position_of(500, 0).y(), :, 0]
    start = view.position_of(500, 0).x() + 2
    assert abs(start + int(np.argmax(line[start:] > 127)) - view.position_of(500, 1200).x()) <= 1


@pytest.mark.parametrize("size", [(900, 400), (420, 800)])
@pytest.mark.parametrize("shape", [(64, 64), (90, 300), (700, 500), (1500, 200)])
def test_pixels_are_square_in_any_window(view, size, shape):
    view.resize(*size)
    show_single(view, np.full(shape, 255, np.uint8))
    white = (screen(view) == 255).all(axis=2)
    rows, cols = np.flatnonzero(white.any(1)), np.flatnonzero(white.any(0))
    height, width = np.ptp(rows) + 1, np.ptp(cols) + 1
    canvas = view.viewport()
    assert width >= canvas.width() - 1 or height >= canvas.height() - 1, "the picture is as large as it can be"
    assert width / shape[1] == pytest.approx(height / shape[0], abs=2 / min(shape))
    assert abs(rows[0] + rows[-1] - (canvas.height() - 1)) <= 2 and abs(cols[0] + cols[-1] - (canvas.width() - 1)) <= 2


def test_100_percent_is_one_device_pixel_on_a_screen_scaled_by_150_percent():
    program = """
import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
app = QApplication([])
from nerd_gui.window.picture.layers import Compare, Layer
from nerd_gui.window.picture.view import PictureView
from nerd_gui.window.session.session import Session
view = PictureView(Session()); view.resize(600, 500)
view.set_caption(Layer.ITERATE, ""); view.show(); app.processEvents()
pixels = np.random.default_rng(0).integers(0, 256, (301, 403), dtype=np.uint8)
view.set_picture(Layer.ITERATE, pixels); view.set_compare(Compare.SINGLE); view.set_zoom(1)
image = view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
assert view.devicePixelRatioF() == 1.5, view.devicePixelRatioF()
screen = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)[:, : image.width()]
windows = np.lib.stride_tricks.sliding_window_view(screen, (301, 1))[..., 0]
first = [(y, x) for y in range(windows.shape[0]) for x in range(windows.shape[1])
         if windows[y, x, 0] == pixels[0, 0] and np.array_equal(windows[y, x], pixels[:, 0])]
(y, x), = first
assert np.array_equal(screen[y : y + 301, x : x + 403], pixels)
position = view.position_of(150, 200)
row, col = view.pixel_at(position)
assert abs(row - 150) <= 1 and abs(col - 200) <= 1
assert int(position.x() * 1.5) - x == col and int(position.y() * 1.5) - y == row
"""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": "1.5"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
