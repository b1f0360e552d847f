"""A run as an animation: one frame for each iterate, with a caption below and the residual curve beside it."""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw

from nerd_gui.denoising.animation_layout import Layout, font_of, lay_out
from nerd_gui.denoising.captions import caption
from nerd_gui.denoising.errors import RunError
from nerd_gui.denoising.look import PLAIN, Look
from nerd_gui.denoising.residual_drawing import Colours, residual_plot
from nerd_gui.denoising.trajectory import Trajectory
from nerd_gui.files import why_not, write_file
from nerd_gui.imaging import PhotoError, to_8_bit
from nerd_gui.imaging.area_means import AreaMeans

#: Pillow's format names by file suffix.
FORMATS = {".webp": "WEBP", ".png": "PNG", ".apng": "PNG", ".gif": "GIF"}
LAST_FRAME_SECONDS = 2.0
#: Limits of the longer side of the picture, in pixels.
SHORTEST, LONGEST = 64, 4096
_BAND = 64  # rows of a frame's picture that are computed at a time
_DRAWN = 0.7  # fraction of the work for drawing the frames; the rest is for writing the file
_MAGENTA = np.array([255, 0, 255], np.uint8)[:, None, None]  # the colour of NaN, as in the window


@dataclass(frozen=True)
class AnimationSettings:
    """Settings of an animation: the part of the picture, its size, and the timing.

    Attributes
    ----------
    part : (row, col, rows, cols) or None
        The part of the denoised picture; None: all of it.
    longest : int
        Largest length of the picture's longer side in pixels. A larger picture is reduced to this length; a small one
        is enlarged by a whole factor, to at most half of it, so that its pixels are visible.
    rate : float
        Iterates per second; the last one stays for `LAST_FRAME_SECONDS`, or longer at a low rate.
    loop : bool
        Whether the animation repeats.
    curve : bool
        Whether the residual curve is drawn beside the picture.
    look : Look
    colours : Colours

    Raises
    ------
    RunError
        If a value is out of its range.
    """

    part: tuple[int, int, int, int] | None = None
    longest: int = 1024
    rate: float = 4.0
    loop: bool = True
    curve: bool = True
    look: Look = PLAIN
    colours: Colours = field(default_factory=Colours)

    def __post_init__(self) -> None:
        if not SHORTEST <= self.longest <= LONGEST:
            raise RunError(f"The longer side must be {SHORTEST} to {LONGEST} pixels, not {self.longest}.")
        if not (math.isfinite(self.rate) and 0.1 <= self.rate <= 50):
            raise RunError(f"An animation shows 0.1 to 50 iterates a second, not {self.rate:g}.")

    def picture_size(self, rows: int, cols: int) -> tuple[int, int]:
        """The size (width, height) in the frames of a picture of rows x cols pixels."""
        side = max(rows, cols)
        if side <= self.longest:
            factor = max(1, self.longest // (2 * side))
            return factor * cols, factor * rows
        return max(1, round(cols * self.longest / side)), max(1, round(rows * self.longest / side))

    def durations(self, count: int) -> list[int]:
        """The duration of each of `count` frames, in milliseconds."""
        each = round(1000 / self.rate)
        return [each] * (count - 1) + [max(each, round(1000 * LAST_FRAME_SECONDS))]


class Frames:
    """Draws the frames of an animation of a run's iterates.

    Attributes
    ----------
    layout : Layout

    Raises
    ------
    RunError
        If there is no iterate, or the part does not lie inside the picture.
    """

    def __init__(self, trajectory: Trajectory, settings: AnimationSettings) -> None:
        if not len(trajectory):
            raise RunError("The run has no iterate yet; wait for the first one.")
        # A copy of the list, so that the animation does not change when the run goes on.
        self._trajectory = replace(trajectory, iterates=list(trajectory.iterates))
        self._settings = settings
        rows, cols = trajectory.subject.noisy.shape[1:]
        self._part = part = settings.part or (0, 0, rows, cols)
        if min(part[:2]) < 0 or min(part[2:]) < 1 or part[0] + part[2] > rows or part[1] + part[3] > cols:
            raise RunError(f"The part {part} does not lie inside the picture of {cols} x {rows} pixels.")
        self._captions = [caption(self._trajectory, index, settings.look) for index in range(len(self))]
        size = settings.picture_size(*part[2:])
        self.layout: Layout = lay_out(size, self._captions, curve=settings.curve)

    def __len__(self) -> int:
        return len(self._trajectory)

    def draw(self, index: int) -> Image.Image:
        """Draw the frame of an iterate as an RGB image."""
        layout, colours = self.layout, self._settings.colours
        frame = Image.new("RGB", (layout.width, layout.height), colours.ground)
        frame.paste(Image.fromarray(self._levels(index)), layout.picture[:2])
        if layout.curve is not None:
            left, top, *size = layout.curve
            plot = residual_plot((size[0], size[1]), self._trajectory, index, layout.letters, colours)
            frame.paste(plot, (left, top))
        draw, font = ImageDraw.Draw(frame), font_of(layout.letters)
        for place, words in zip(layout.words, self._captions[index], strict=True):
            first = place == layout.words[0]
            draw.text(place, words, colours.text if first else colours.second, font)
        return frame

    def in_256_colours(self, frame: Image.Image) -> Image.Image:
        """Reduce a frame to 256 colours for a GIF: a few for text and curve, all others for the picture."""
        left, top, width, height = self.layout.picture
        drawn = [level for colour in self._settings.colours.all() for level in ImageColor.getrgb(colour)]
        room = 256 - len(drawn) // 3
        picture = frame.crop((left, top, left + width, top + height))
        if self._trajectory.subject.channels == 1:
            own = np.rint(np.linspace(0, 255, room)).astype(int).repeat(3).tolist()
            pixels = Image.fromarray(np.rint(np.asarray(picture)[..., 0] * ((room - 1) / 255)).astype(np.uint8))
        else:
            pixels = picture.quantize(room)
            own = (pixels.getpalette() or [])[: 3 * room]
        palette = Image.new("P", (1, 1))
        palette.putpalette(own + drawn)
        # Pillow maps to the palette's colours only roughly, which is good enough for text but not for the picture.
        reduced = frame.quantize(palette=palette, dither=Image.Dither.NONE)
        reduced.paste(Image.frombytes("P", pixels.size, pixels.tobytes()), (left, top))
        return reduced

    def _levels(self, index: int) -> NDArray[np.uint8]:
        """The picture of an iterate at the size of the frame, (height, width, 3)."""
        row, col, rows, cols = self._part
        _, _, width, height = self.layout.picture
        if height >= rows:
            levels = _three_channels(self._trajectory.picture(index, self._settings.look, self._part))
            return np.moveaxis(levels, 0, -1).repeat(height // rows, axis=0).repeat(width // cols, axis=1)
        across = AreaMeans(cols, width, 0, width)
        bands = []
        for start in range(0, height, _BAND):
            down = AreaMeans(rows, height, start, min(_BAND, height - start))
            seen = row + down.first, col, down.count, cols
            values = self._trajectory.picture(index, self._settings.look, seen)
            bands.append(across.along(down.along(values, 1), 2))
        return np.moveaxis(_three_channels(np.concatenate(bands, axis=1)), 0, -1)


def _three_channels(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Convert a picture (1 or 3, rows, cols) to 8 bits and three channels; NaN becomes magenta."""
    undefined = np.isnan(values).any(axis=0)
    levels = to_8_bit(np.where(undefined, np.float32(0), values))
    return np.where(undefined, _MAGENTA, levels)  # broadcasting repeats the channel of a grey picture


def save_animation(
    path: Path,
    trajectory: Trajectory,
    settings: AnimationSettings,
    *,
    overwrite: bool,
    tell: Callable[[float], object] = lambda _: None,
) -> None:
    """Write a run's iterates as an animated WebP or PNG, which are lossless, or as a GIF of 256 colours.

    Parameters
    ----------
    path : Path
        The suffix determines the format, see `FORMATS`.
    overwrite : bool
        Whether an existing file may be replaced.
    tell : callable, optional
        Called often with the fraction of the work that is done. If it raises an exception, no file is written.

    Raises
    ------
    PhotoError
        If the suffix is not in `FORMATS`, or the file cannot be written, or exists and may not be replaced.
    RunError
        See `Frames`.
    """
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise PhotoError(f"“{path.name}” cannot be an animation; choose a name that ends in .webp, .png or .gif.")
    frames = Frames(trajectory, settings)
    images = []
    for index in range(len(frames)):
        tell(_DRAWN * index / len(frames))
        image = frames.draw(index)
        images.append(frames.in_256_colours(image) if form == "GIF" else image)
    stream = _Stream(lambda: tell(_DRAWN))
    durations = settings.durations(len(images))
    images[0].save(
        stream, form, save_all=True, append_images=images[1:], duration=durations, **_options(form, settings.loop)
    )
    try:
        write_file(path, stream.getvalue(), overwrite=overwrite)
    except OSError as error:
        raise PhotoError(f"The animation “{path}” was not saved: {why_not(error, path)}.") from error


class _Stream(io.BytesIO):
    """A file in memory that calls a function before each write, to report progress."""

    def __init__(self, written: Callable[[], object]) -> None:
        super().__init__()
        self._written = written

    def write(self, piece: Any) -> int:
        self._written()
        return super().write(piece)


def _options(form: str, loop: bool) -> dict[str, Any]:
    """Pillow's options for a format. Its "loop" is the number of repetitions; 0 means for ever."""
    if form == "GIF":
        return {"loop": 0} if loop else {}  # without the option, a GIF is shown once
    rounds = {"loop": 0 if loop else 1}
    return rounds | ({"lossless": True, "quality": 40, "method": 0} if form == "WEBP" else {})
