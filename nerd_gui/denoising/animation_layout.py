"""The layout of an animation's frames: the positions of picture, residual curve and caption."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import ImageFont

_SMALLEST, _LARGEST = 13, 22  # limits of the font's height in pixels
_LETTERS = 48  # the longer side of the picture, in multiples of the font's height
_CURVE_WIDTH, _CURVE_HEIGHT = 22, 13  # in multiples of the font's height; the curve is at least as high as the picture
_GAP = 2  # between the parts of a caption, in multiples of the font's height

Box = tuple[int, int, int, int]  # left, top, width, height


@dataclass(frozen=True)
class Layout:
    """Positions in a frame, in pixels from its upper left corner; all frames of an animation have the same layout.

    Attributes
    ----------
    width, height : int
        Size of the frame.
    picture : Box
    curve : Box or None
        The residual curve with its axes.
    words : tuple of (left, top)
        The upper left corner of each part of the caption.
    letters : int
        The font's height.
    """

    width: int
    height: int
    picture: Box
    curve: Box | None
    words: tuple[tuple[int, int], ...]
    letters: int


@lru_cache
def font_of(letters: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow, so that a frame looks the same on every machine."""
    return ImageFont.load_default(letters)


def text_width(text: str, letters: int) -> int:
    """The width of a text in pixels, rounded up."""
    return -int(-font_of(letters).getlength(text) // 1)


def lay_out(picture: tuple[int, int], captions: Sequence[Sequence[str]], *, curve: bool) -> Layout:
    """Arrange a frame: the curve is right of the picture, the caption is below both.

    The parts of the caption form columns that are wide enough for all frames, so that no number moves. If they do not
    fit into one line, all columns get the same width and the caption takes several lines. The frame is at least as wide
    as the widest part.

    Parameters
    ----------
    picture : (width, height)
    captions : sequence of sequences of str
        For each frame, the parts of its caption; all frames have the same number of parts.
    curve : bool
        Whether the residual curve is drawn.
    """
    width, height = picture
    letters = min(max(round(max(picture) / _LETTERS), _SMALLEST), _LARGEST)
    beside = _CURVE_WIDTH * letters if curve else 0
    body = max(height, _CURVE_HEIGHT * letters if curve else 0)
    margin = letters
    columns = [max(text_width(words, letters) for words in part) for part in zip(*captions, strict=True)]
    whole = max(width + beside, 2 * margin + max(columns, default=0))
    left, top = (whole - width - beside) // 2, (body - height) // 2
    line = 3 * letters // 2
    gap, room = _GAP * letters, whole - 2 * margin
    if sum(columns) + gap * (len(columns) - 1) > room:
        columns = [max(columns)] * len(columns)
    words: list[tuple[int, int]] = []
    across, down = 0, body + letters // 2
    for column in columns:
        if across + column > room:
            across, down = 0, down + line
        words.append((margin + across, down + (line - letters) // 2))
        across += column + gap
    box = (left + width, 0, beside, body) if curve else None
    return Layout(whole, down + line + letters // 2, (left, top, width, height), box, tuple(words), letters)
