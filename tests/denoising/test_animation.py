"""Animations of a run: frames are read with Pillow and compared with the pictures of the trajectory."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageColor, ImageSequence

from nerd_gui.denoising import Look, MemoryPlan, RunError, RunSettings, Subject, Trajectory
from nerd_gui.denoising.animation import AnimationSettings, Frames, save_animation
from nerd_gui.denoising.animation_layout import font_of, lay_out
from nerd_gui.denoising.captions import caption
from nerd_gui.denoising.residual_drawing import Axes, Colours
from nerd_gui.denoising.trajectory import Iterate
from nerd_gui.imaging import Photo, PhotoError, to_8_bit

RESIDUALS = (1.0, 0.2, 0.3, 0.0021)


def run_of(shape, count=4, **changes):
    random = np.random.default_rng(0)
    noisy = random.uniform(-0.1, 1.1, shape).astype(np.float32)
    subject = Subject(Photo(noisy, name="scripted"), noisy)
    trajectory = Trajectory(subject, RunSettings(tol=0.0), 9, MemoryPlan(0, 0, torch.float16, None))
    for index in range(count):
        n_hat = random.normal(0, 0.1, shape).astype(np.float16)
        numbers = {"relative_step": None, "residual_change": None, "noise_level": 20.44, "noise_levels": (20.44,)}
        known = {"psnr": 29.06, "ssim": 0.8, "seconds": float(index), "evaluations": index + 1}
        fields = {"restarted": index == 2, **numbers, **known, **changes}
        trajectory.add(Iterate(index, n_hat, None, RESIDUALS[index % 4], **fields))
    return trajectory


@pytest.fixture(scope="module")
def colour_run():
    return run_of((3, 40, 56))


def pictures_in(path, layout):
    """Return the part of each frame that shows the picture, (height, width, 3)."""
    left, top, width, height = layout.picture
    with Image.open(path) as image:
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
    return [frame[top : top + height, left : left + width] for frame in frames]


def seconds_and_rounds(path):
    """Return how long each frame is shown, and the number of repetitions as Pillow reads them (0: endless)."""
    with Image.open(path) as image:
        seconds = []
        for frame in ImageSequence.Iterator(image):
            frame.load()
            seconds.append(frame.info["duration"] / 1000)
        return seconds, image.info.get("loop", 1)


@pytest.mark.parametrize("suffix", [".webp", ".png", ".apng", ".WebP"])
def test_frames_hold_the_pictures_of_the_iterates_to_the_bit(colour_run, tmp_path, suffix):
    path = tmp_path / f"run{suffix}"
    wanted = AnimationSettings(longest=64)
    save_animation(path, colour_run, wanted, overwrite=False)
    found = pictures_in(path, Frames(colour_run, wanted).layout)
    assert len(found) == 4
    for index, picture in enumerate(found):
        np.testing.assert_array_equal(picture, np.moveaxis(to_8_bit(colour_run.picture(index)), 0, -1))


def test_a_gif_holds_them_as_well_as_256_colours_can(tmp_path):
    grey = run_of((1, 40, 56))
    wanted = AnimationSettings(longest=64)
    save_animation(tmp_path / "run.gif", grey, wanted, overwrite=False)
    found = pictures_in(tmp_path / "run.gif", Frames(grey, wanted).layout)
    for index, picture in enumerate(found):
        error = picture.astype(float) - to_8_bit(grey.picture(index))[0][..., None]
        assert np.abs(error).max() <= 1


@pytest.mark.parametrize("suffix", [".webp", ".png", ".gif"])
@pytest.mark.parametrize("loop", [True, False])
def test_the_rate_the_last_frame_and_the_rounds_are_those_asked_for(colour_run, tmp_path, suffix, loop):
    path = tmp_path / f"run{suffix}"
    save_animation(path, colour_run, AnimationSettings(longest=64, rate=8, loop=loop), overwrite=False)
    seconds, rounds = seconds_and_rounds(path)
    assert seconds == pytest.approx([1 / 8] * 3 + [2], abs=0.011), "a GIF counts hundredths"
    assert rounds == (0 if loop else 1)


def test_a_part_and_a_look_are_shown_and_a_small_part_is_enlarged_by_a_whole_number(colour_run, tmp_path):
    part, look = (7, 11, 10, 16), Look(0.5, 0.2)
    wanted = AnimationSettings(part=part, look=look, longest=100)
    frames = Frames(colour_run, wanted)
    assert frames.layout.picture[2:] == (48, 30)
    save_animation(tmp_path / "part.webp", colour_run, wanted, overwrite=False)
    expected = np.moveaxis(to_8_bit(colour_run.picture(2, look, part)), 0, -1).repeat(3, axis=0).repeat(3, axis=1)
    np.testing.assert_array_equal(pictures_in(tmp_path / "part.webp", frames.layout)[2], expected)


def test_a_large_picture_is_reduced_to_the_means_of_areas():
    trajectory = run_of((1, 300, 450), count=1)
    frames = Frames(trajectory, AnimationSettings(longest=150))
    left, top, width, height = frames.layout.picture
    assert (width, height) == (150, 100)
    shown = np.asarray(frames.draw(0))[top : top + height, left : left + width, 0]
    means = trajectory.picture(0)[0].reshape(100, 3, 150, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(shown, 255 * means, atol=0.51)


def test_pixels_that_are_no_number_are_magenta():
    trajectory = run_of((1, 40, 56), count=1)
    trajectory.subject.noisy[0, 5, 6] = np.nan
    frames = Frames(trajectory, AnimationSettings(longest=64, curve=False))
    left, top, *_ = frames.layout.picture
    assert frames.draw(0).getpixel((left + 6, top + 5)) == (255, 0, 255)


def test_captions_say_what_is_known():
    trajectory = run_of((1, 8, 8))
    assert caption(trajectory, 0) == ("start", "residual 1.0", "29.1 dB", "noise level 20.4")
    assert caption(trajectory, 2)[0] == "iterate 2 (restarted)"
    assert caption(trajectory, 3) == ("iterate 3 (result)", "residual 2.1e-3", "29.1 dB", "noise level 20.4")
    assert caption(trajectory, 1, Look(0.5, 0.5))[2] == "amount 50%", "the PSNR is of another picture"
    unknown = run_of((1, 8, 8), psnr=None, ssim=None, noise_level=np.nan)
    assert caption(unknown, 1) == ("iterate 1", "residual 2.0e-1", "noise level not finite")
    unknown.iterates[1] = replace(unknown[1], residual=np.inf)
    assert caption(unknown, 1)[1] == "residual not finite"


def box_of(layout, place, words):
    left, top, right, bottom = font_of(layout.letters).getbbox(words)
    return place[0] + left, place[1] + top, place[0] + right, place[1] + bottom


def apart(one, other):
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 2048), st.integers(1, 2048), st.booleans(), st.booleans())
def test_everything_has_its_place_whatever_the_size(width, height, curve, known):
    trajectory = run_of((1, 4, 4), psnr=29.06 if known else None)
    captions = [caption(trajectory, index) for index in range(4)]
    layout = lay_out((width, height), captions, curve=curve)
    left, top, *size = layout.picture
    assert tuple(size) == (width, height) and (layout.curve is not None) == curve
    boxes = [(left, top, left + width, top + height)]
    if layout.curve:
        x, y, wide, high = layout.curve
        assert wide >= 12 * layout.letters and high >= 12 * layout.letters, "its axes can be read"
        boxes.append((x, y, x + wide, y + high))
    for words in captions:
        shown = boxes + [box_of(layout, place, part) for place, part in zip(layout.words, words, strict=True)]
        assert all(apart(one, other) for i, one in enumerate(shown) for other in shown[:i])
        assert all(a >= 0 and b >= 0 and c <= layout.width and d <= layout.height for a, b, c, d in shown)


def test_words_are_drawn_where_the_layout_says(colour_run):
    frames = Frames(colour_run, AnimationSettings(longest=256))
    ground = np.array(ImageColor.getrgb(Colours().ground))
    frame = np.asarray(frames.draw(3)).astype(int)
    below = frame[max(box[1] + box[3] for box in (frames.layout.picture, frames.layout.curve)) :]
    assert (np.abs(below - ground).sum(axis=2) > 100).sum() > 200
    start = frames.layout.height - len(below)
    for place, words in zip(frames.layout.words, caption(colour_run, 3), strict=True):
        left, top, right, bottom = box_of(frames.layout, place, words)
        below[top - start : bottom - start, left:right] = ground
    assert (below == ground).all(), "and nowhere else"


def test_the_curve_has_logarithmic_axes_and_a_cursor_that_moves(colour_run):
    frames = Frames(colour_run, AnimationSettings(longest=256))
    left, top, width, height = frames.layout.curve
    axes = Axes.of((width, height), RESIDUALS, frames.layout.letters)
    heights = [axes.y(value) for value in (1.0, 0.1, 0.01)]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1])
    labels = dict(axes.ticks())
    assert {1.0: "1", 0.1: "0.1", 0.01: "0.01"}.items() <= labels.items() and list(axes.steps()) == [0, 1, 2, 3]
    assert all(axes.top <= axes.y(value) <= axes.bottom for value in (*labels, *RESIDUALS))
    accent = np.array(ImageColor.getrgb(Colours().accent))
    for index in range(4):
        plot = np.asarray(frames.draw(index)).astype(int)[top : top + height, left : left + width]
        blue = np.argwhere(np.abs(plot - accent).sum(axis=2) < 30)
        assert abs(blue[:, 1].max() - axes.x(index)) <= 6, "the curve has been reached so far"
        y, x = round(axes.y(RESIDUALS[index])), round(axes.x(index))
        assert np.abs(plot[y, x] - accent).sum() < 40, "the point of this iterate"


@pytest.mark.parametrize("residuals", [[1.0], [2e-3, 2e-3], [np.inf, None, 0.0], [1e3, 1e-7], [0.1] * 101])
def test_axes_fit_any_residuals(residuals):
    axes = Axes.of((300, 200), residuals, 13)
    assert axes.left < axes.right and axes.top < axes.bottom and axes.low < axes.high
    assert 1 <= len(axes.ticks()) <= 8 and len(axes.steps()) <= 7
    gaps = [above - below for below, above in pairwise(sorted(axes.y(value) for value, _ in axes.ticks()))]
    assert all(gap >= 13 for gap in gaps), "labels do not touch"


def test_a_run_under_way_is_saved_as_far_as_it_was(tmp_path):
    trajectory = run_of((1, 40, 56), count=3)
    last = run_of((1, 40, 56))[3]

    def arrive(fraction):
        if len(trajectory) == 3:
            trajectory.add(last)

    save_animation(tmp_path / "run.webp", trajectory, AnimationSettings(longest=64), overwrite=False, tell=arrive)
    with Image.open(tmp_path / "run.webp") as image:
        assert image.n_frames == 3 and len(trajectory) == 4


def test_one_iterate_alone_is_a_picture(tmp_path):
    for suffix in (".webp", ".png", ".gif"):
        save_animation(tmp_path / f"a{suffix}", run_of((1, 40, 56), count=1), AnimationSettings(), overwrite=False)
        with Image.open(tmp_path / f"a{suffix}") as image:
            assert getattr(image, "n_frames", 1) == 1


class Enough(Exception):
    pass


@pytest.mark.parametrize("suffix", [".webp", ".png", ".gif"])
def test_cancelling_anywhere_leaves_no_file_and_the_old_one(colour_run, tmp_path, suffix):
    path = tmp_path / f"run{suffix}"
    told = []
    wanted = AnimationSettings(longest=64)
    save_animation(path, colour_run, wanted, overwrite=False, tell=told.append)
    assert told == sorted(told) and told[0] == 0 and len(told) > 4
    path.write_bytes(b"old")
    for last in (1, 4, len(told)):

        def tell(fraction, left=[last]):  # noqa: B006 - a counter of this turn
            left[0] -= 1
            if not left[0]:
                raise Enough

        with pytest.raises(Enough):
            save_animation(path, colour_run, wanted, overwrite=True, tell=tell)
        assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_saved_is_said_in_a_sentence(colour_run, tmp_path):
    wanted = AnimationSettings(longest=64)
    with pytest.raises(PhotoError, match=r"run.mp4.* cannot be an animation; choose .*\.webp"):
        save_animation(tmp_path / "run.mp4", colour_run, wanted, overwrite=False)
    (tmp_path / "there.webp").write_bytes(b"old")
    with pytest.raises(PhotoError, match="it exists already; choose another name"):
        save_animation(tmp_path / "there.webp", colour_run, wanted, overwrite=False)
    assert (tmp_path / "there.webp").read_bytes() == b"old"
    with pytest.raises(PhotoError, match="does not exist; choose another one"):
        save_animation(tmp_path / "none" / "run.gif", colour_run, wanted, overwrite=False)
    with pytest.raises(RunError, match="does not lie inside the picture of 56 x 40"):
        save_animation(tmp_path / "a.gif", colour_run, AnimationSettings(part=(0, 50, 9, 9)), overwrite=False)
    with pytest.raises(RunError, match="no iterate yet"):
        Frames(run_of((1, 4, 4), count=0), wanted)
    with pytest.raises(RunError, match="64 to 4096 pixels, not 5"):
        AnimationSettings(longest=5)
    with pytest.raises(RunError, match="iterates a second, not 0"):
        AnimationSettings(rate=0)
