"""Where picture, residual curve and caption stand in the frames of an animation."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import ImageFont

_SMALLEST, _LARGEST = 13, 22  # pixels of the letters
_LETTERS = 48  # of the letters' height in the longer side of the picture
_CURVE_WIDTH, _CURVE_HEIGHT = 22, 13  # in heights of the letters; the curve is as high as the picture if that is more
_GAP = 2  # between the parts of a caption

Box = tuple[int, int, int, int]  # left, top, width, height


@dataclass(frozen=True)
class Layout:
    """The places in a frame, in pixels from its upper left corner; the same in all frames of an animation.

    Attributes
    ----------
    width, height : int
        Of the frame.
    picture : Box
    curve : Box or None
        Of the residual curve with its axes.
    words : tuple of (left, top)
        Where each part of the caption begins.
    letters : int
        The height of the letters.
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
    """Pixels that a text takes in a line, rounded up."""
    return -int(-font_of(letters).getlength(text) // 1)


def lay_out(picture: tuple[int, int], captions: Sequence[Sequence[str]], *, curve: bool) -> Layout:
    """Find a place for everything: the curve right of the picture, the caption below both.

    Parts of the caption stand in columns wide enough for those of every frame, so that no number moves. Where a line is
    too short for all of them the columns are alike, and several lines below each other. The frame is wide enough for
    each part.

    Parameters
    ----------
    picture : (width, height)
    captions : for each frame, the parts of its caption; as many in each
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
