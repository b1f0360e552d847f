"""Raw files written by the tests: what a sensor behind a Bayer mosaic measured."""

import numpy as np
import tifffile

_BLACK, _WHITE = 512, 16_383
#: From CIE XYZ to linear sRGB (IEC 61966-2-1): this camera's own colours are sRGB's.
_XYZ_TO_RGB = ((3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570))
_MOSAIC = ((0, 1), (1, 2))  # red green / green blue


def write_dng(path, linear, *, neutral=(1, 1, 1), orientation=1, tags=()):
    """Write a DNG file.

    Parameters
    ----------
    linear : array (3, rows, cols)
        Linear light that the three kinds of sensor pixels measure, 0 ... 1.
    neutral : triple
        What they measure of a neutral grey, which is its AsShotNeutral.
    orientation : int
        EXIF's.
    tags : iterable
        Further ones, as tifffile takes them.
    """
    _, rows, cols = linear.shape
    values = np.empty((rows, cols))
    for row in (0, 1):
        for col in (0, 1):
            values[row::2, col::2] = linear[_MOSAIC[row][col], row::2, col::2]
    matrix = [part for number in np.ravel(_XYZ_TO_RGB) for part in (round(number * 10_000), 10_000)]
    shot = [part for number in neutral for part in (round(number * 10_000), 10_000)]
    entries = [
        (50_706, 1, 4, bytes([1, 4, 0, 0]), True),  # DNGVersion
        (33_421, 3, 2, (2, 2), True),  # CFARepeatPatternDim
        (33_422, 1, 4, bytes(np.ravel(_MOSAIC).tolist()), True),  # CFAPattern
        (50_714, 4, 1, _BLACK, True),  # BlackLevel
        (50_717, 4, 1, _WHITE, True),  # WhiteLevel
        (50_721, 10, 9, tuple(matrix), True),  # ColorMatrix1
        (50_778, 3, 1, 21, True),  # CalibrationIlluminant1: D65
        (50_728, 5, 3, tuple(shot), True),  # AsShotNeutral
        (274, 3, 1, orientation, True),
        (271, 2, 0, "Testmaker", True),
        (272, 2, 0, "Camera 1", True),
        (306, 2, 0, "2024:05:01 10:00:00", True),
        *tags,
    ]
    samples = np.rint(_BLACK + (_WHITE - _BLACK) * values).astype(np.uint16)
    tifffile.imwrite(path, samples, photometric=32_803, extratags=entries, metadata=None, software=False)
    return path
