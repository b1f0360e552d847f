"""Encodes pictures in file formats, and describes what each format can store."""

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

_PNG_LEVEL = 3  # compresses photos as well as the usual level 6, in half the time
#: Largest size of an EXIF block and of an XMP packet in a JPEG file.
JPEG_EXIF_BYTES, JPEG_XMP_BYTES = 65_533, 65_502
JPEG_SEGMENT_BYTES = 65_533


class Words(NamedTuple):
    r"""The metadata of a file.

    Attributes
    ----------
    exif : bytes or None
        With the prefix ``Exif\0\0``.
    icc_profile : bytes or None
    xmp : bytes or None
        The XMP packet.
    description : str or None
        A description of the new picture.
    particulars : Particulars
        Further metadata of the photo.
    """

    exif: bytes | None
    icc_profile: bytes | None
    xmp: bytes | None
    description: str | None
    particulars: Particulars = NOTHING

    def text(self, key: str) -> str | None:
        """The photo's own text for this key."""
        return dict(self.particulars.texts).get(key)


@dataclass(frozen=True)
class Format:
    """A file format: what it can store, and its encoder.

    Attributes
    ----------
    encode : callable
        Makes the bytes of a file from samples (rows, cols) or (rows, cols, channels), metadata and quality (1-100).
        With 2 or 4 channels, the last one is alpha.
    """

    name: str
    depth: int  # bits, 32 for real numbers
    alpha: bool
    words: bool  # whether it stores EXIF, XMP and a colour profile
    resolution: bool
    iptc: bool
    texts: tuple[str, ...] | None  # keys of the texts that it can store; None: all
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
    # Full colour resolution, to keep the fine detail that denoising preserves.
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
    # Pillow writes no block if it is empty.
    exif, icc_profile = words.exif or b"", words.icc_profile or b""
    Image.fromarray(samples).save(stream, name, exif=exif, icc_profile=icc_profile, **options)
    return stream.getvalue()


_PNG = Format("PNG", 16, True, True, True, False, None, 2**31 - 1, _encode_png)
_TIFF = Format("TIFF", 32, True, True, True, True, (), 2**31 - 1, _encode_tiff)
_JPEG = Format("JPEG", 8, False, True, True, True, (COMMENT,), 65_535, _encode_jpeg)
_WEBP = Format("WebP", 8, True, True, False, False, (), 16_383, _encode_webp)
_BMP = Format("BMP", 8, False, False, True, False, (), 2**31 - 1, _encode_bmp)
#: The formats by file suffix.
FORMATS = {
    ".png": _PNG,
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": _WEBP,
    ".bmp": _BMP,
}
