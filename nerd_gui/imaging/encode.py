"""From the values of a picture to the bytes of a file, and what each file format can hold."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.typing import NDArray
from PIL import Image

from nerd_gui.imaging.metadata import add_png_chunks, fill_tiff_directories, jpeg_iptc, tiff_options
from nerd_gui.imaging.particulars import COMMENT, DESCRIPTION, NOTHING, Particulars
from nerd_gui.imaging.xmp import smaller

# tifffile and imagecodecs are imported inside the functions that need them: training has only numpy and Pillow.

_PNG_LEVEL = 3  # of photos as small as the usual 6, in half the time
#: Of an EXIF block and of an XMP packet in a JPEG file.
JPEG_EXIF_BYTES, JPEG_XMP_BYTES = 65_533, 65_502
JPEG_SEGMENT_BYTES = 65_533


class Words(NamedTuple):
    r"""What a file says beside its pixels.

    Attributes
    ----------
    exif : bytes or None
        With the prefix ``Exif\0\0``.
    icc_profile : bytes or None
    xmp : bytes or None
        A packet.
    description : str or None
        What is said of the new picture.
    particulars : Particulars
        Of the photo.
    """

    exif: bytes | None
    icc_profile: bytes | None
    xmp: bytes | None
    description: str | None
    particulars: Particulars = NOTHING

    def text(self, key: str) -> str | None:
        """The photo's own text of that key."""
        return dict(self.particulars.texts).get(key)


@dataclass(frozen=True)
class Format:
    """What a file format can hold, and how it is written.

    Attributes
    ----------
    encode : callable
        Given samples (rows, cols) or (rows, cols, channels), the words and the quality (1-100), it makes the bytes of
        a file; of 2 and 4 channels the last one is alpha.
    """

    name: str
    depth: int  # bits, 32 for real numbers
    alpha: bool
    words: bool  # EXIF, XMP and a colour profile
    resolution: bool
    iptc: bool
    texts: tuple[str, ...] | None  # the keys of those that it has room for; None: of all
    max_side: int
    encode: Callable[[NDArray[Any], Words, int], bytes]


def _encode_png(samples: NDArray[Any], words: Words, _: int) -> bytes:
    from imagecodecs import png_encode  # Pillow has no 16-bit colours

    png = png_encode(samples, level=_PNG_LEVEL)
    texts = list(words.particulars.texts)
    if words.description is not None:
        texts.append((COMMENT if words.text(DESCRIPTION) else DESCRIPTION, words.description))
    blocks = words.exif, words.icc_profile, words.xmp
    return add_png_chunks(bytes(png), *blocks, texts, words.particulars.resolution)


def _encode_tiff(samples: NDArray[Any], words: Words, _: int) -> bytes:
    from tifffile import imwrite

    channels = 1 if samples.ndim == 2 else samples.shape[2]
    stream = io.BytesIO()
    imwrite(
        stream,
        samples,
        bigtiff=False,
        photometric="rgb" if channels > 2 else "minisblack",
        planarconfig=None if samples.ndim == 2 else "contig",
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        compression="zlib",
        predictor=True,
        iccprofile=words.icc_profile,
        metadata=None,
        software=False,
        resolution=words.particulars.resolution,
        resolutionunit=None if words.particulars.resolution is None else "INCH",
        **tiff_options(words.exif, words.xmp, words.particulars.iptc, words.description),
    )
    return fill_tiff_directories(stream.getvalue(), words.exif)


def _encode_jpeg(samples: NDArray[Any], words: Words, quality: int) -> bytes:
    said = [text for text in (words.text(COMMENT), words.description) if text]
    comment = "\n".join(said).encode()[:JPEG_SEGMENT_BYTES]
    xmp, _ = smaller(words.xmp or b"", JPEG_XMP_BYTES)
    options = {"comment": comment, "xmp": xmp, "extra": jpeg_iptc(words.particulars.iptc)} | _dpi(words)
    # Full colour resolution: fine detail is what a denoiser is for.
    return _pillow(samples, "JPEG", words, quality=quality, subsampling=0, **options)


def _encode_webp(samples: NDArray[Any], words: Words, quality: int) -> bytes:
    return _pillow(samples, "WEBP", words, quality=quality, lossless=quality == 100, exact=True, xmp=words.xmp or b"")


def _encode_bmp(samples: NDArray[Any], words: Words, _: int) -> bytes:
    return _pillow(samples, "BMP", words, **_dpi(words))


def _dpi(words: Words) -> dict[str, Any]:
    resolution = words.particulars.resolution
    return {} if resolution is None else {"dpi": tuple(map(round, resolution))}


def _pillow(samples: NDArray[Any], name: str, words: Words, **options: object) -> bytes:
    stream = io.BytesIO()
    # Pillow takes an empty block for none.
    exif, icc_profile = words.exif or b"", words.icc_profile or b""
    Image.fromarray(samples).save(stream, name, exif=exif, icc_profile=icc_profile, **options)
    return stream.getvalue()


_PNG = Format("PNG", 16, True, True, True, False, None, 2**31 - 1, _encode_png)
_TIFF = Format("TIFF", 32, True, True, True, True, (), 2**31 - 1, _encode_tiff)
_JPEG = Format("JPEG", 8, False, True, True, True, (COMMENT,), 65_535, _encode_jpeg)
_WEBP = Format("WebP", 8, True, True, False, False, (), 16_383, _encode_webp)
_BMP = Format("BMP", 8, False, False, True, False, (), 2**31 - 1, _encode_bmp)
#: The formats by the suffixes of their files.
FORMATS = {
    ".png": _PNG,
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": _WEBP,
    ".bmp": _BMP,
}
