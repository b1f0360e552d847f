"""Before and after, side by side at twice the size: a sheet with two parts of each photo.

    python docs/before_after.py PHOTOS... --after FOLDER --out sheet.png

The results are what ``nerd-gui denoise PHOTOS... -o FOLDER`` wrote. Each row shows one photo: a part with little
structure, where remaining noise and blotches are seen, and one with much of it, where lost detail is.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

_PART, _SCALE = 128, 2  # pixels of the photo, and of the sheet for each of them
_GAP = 6


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--after", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    args = parser.parse_args()
    rows = [row(photo, result_of(photo, args.after)) for photo in args.photos]
    sheet = Image.new("RGB", (rows[0].width, sum(one.height + _GAP for one in rows)), "white")
    for index, one in enumerate(rows):
        sheet.paste(one, (0, index * (one.height + _GAP)))
    sheet.save(args.out)


def result_of(photo: Path, folder: Path) -> Path:
    """The file of the result: that of the photo's name, or with what *Save* adds to it."""
    found = sorted(folder.glob(f"{photo.stem}*"))
    if not found:
        raise SystemExit(f"{folder} holds no result of {photo.name}.")
    return found[0]


def row(before: Path, after: Path) -> Image.Image:
    """Two parts of a photo, each before and after."""
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in (before, after)]
    parts = places(pictures[1])
    side = _PART * _SCALE
    strip = Image.new("RGB", (4 * side + 3 * _GAP, side), "white")
    for index, (top, left) in enumerate(parts):
        for which, pixels in enumerate(pictures):
            part = Image.fromarray(pixels[top : top + _PART, left : left + _PART])
            strip.paste(part.resize((side, side), Image.Resampling.NEAREST), ((2 * index + which) * (side + _GAP), 0))
    ImageDraw.Draw(strip).text((4, 4), before.stem, fill="white", stroke_width=2, stroke_fill="black")
    return strip


def places(after: np.ndarray) -> list[tuple[int, int]]:
    """Top left corners of the part with least and with most structure, of those that are neither black nor white."""
    grey = after.mean(axis=2)
    found = []
    for top in range(0, grey.shape[0] - _PART + 1, _PART // 4):
        for left in range(0, grey.shape[1] - _PART + 1, _PART // 4):
            part = grey[top : top + _PART, left : left + _PART]
            if 20 < part.mean() < 235:
                found.append((float(np.abs(np.diff(part, axis=1)).mean()), top, left))
    found = sorted(found) or [(0.0, 0, 0)]
    return [found[0][1:], found[-1][1:]]


if __name__ == "__main__":
    main()
