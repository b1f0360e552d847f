"""Small picture files of every readable kind, which tests damage."""

import io

import imagecodecs
import numpy as np
import tifffile
from dng import write_dng
from PIL import Image, PngImagePlugin


def picture_files(folder):
    """Return the bytes of the files by their kind."""
    return {**_pngs(), **_jpegs(), **_tiffs(), **_others(), **_raws(folder)}


def _colours(kind=np.uint8, rows=24, cols=20):
    top = np.iinfo(kind).max if np.issubdtype(kind, np.integer) else 1
    values = np.random.default_rng(0).random((rows, cols, 3)) * 0.3 + np.linspace(0, 0.7, cols)[None, :, None]
    return (values * top).astype(kind)


def _saved(image, form, **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def _exif():
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x8769], exif[0x8825] = "Maker", 6, {0x829A: 0.01, 0x9286: b"words"}, {1: "N"}
    return exif


def _pngs():
    image, texts = Image.fromarray(_colours()), PngImagePlugin.PngInfo()
    texts.add_text("Title", "Evening", zip=True)
    texts.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    turned = image.rotate(90)
    return {
        "png": _saved(image, "PNG", pnginfo=texts, exif=_exif(), dpi=(300, 300), icc_profile=b"profile"),
        "palette png": _saved(image.quantize(20), "PNG", transparency=3),
        "grey png": _saved(image.convert("L"), "PNG"),
        "bits png": _saved(image.convert("1"), "PNG"),
        "alpha png": _saved(image.convert("LA"), "PNG"),
        "16-bit png": imagecodecs.png_encode(_colours(np.uint16)),
        "16-bit grey png": imagecodecs.png_encode(_colours(np.uint16)[..., 0].copy()),
        "animated png": _saved(image, "PNG", save_all=True, append_images=[turned]),
    }


def _jpegs():
    image = Image.fromarray(_colours(rows=40, cols=33))
    return {
        "jpeg": _saved(image, "JPEG", exif=_exif(), comment=b"words", dpi=(300, 300), icc_profile=b"profile"),
        "progressive jpeg": _saved(image, "JPEG", progressive=True),
        "cmyk jpeg": _saved(image.convert("CMYK"), "JPEG"),
        "grey jpeg": _saved(image.convert("L"), "JPEG", restart_marker_blocks=1),
        "several jpegs": _saved(image, "MPO", save_all=True, append_images=[image.rotate(90)]),
    }


def _tiff(values, **options):
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, **options)
    return stream.getvalue()


def _tiffs():
    values, deep, image = _colours(), _colours(np.uint16), Image.fromarray(_colours())
    tags = [(700, 1, 12, b"<x:xmpmeta/>", True), (33723, 7, 5, b"\x1c\2\5\0\0", True), (34675, 7, 4, b"icc!", True)]
    return {
        "tiff": _tiff(values, photometric="rgb", extratags=tags, resolution=(300, 300)),
        "lzw tiff": _tiff(values, photometric="rgb", compression="lzw", rowsperstrip=5),
        "zip tiff": _tiff(deep, photometric="rgb", compression="zlib", predictor=True),
        "tiled tiff": _tiff(_colours(rows=64, cols=64), photometric="rgb", tile=(16, 16), compression="packbits"),
        "jpeg tiff": _tiff(_colours(rows=64, cols=64), photometric="rgb", tile=(64, 64), compression="jpeg"),
        "real tiff": _tiff(_colours(np.float32), photometric="rgb", compression="zlib", predictor=True),
        "half tiff": _tiff(_colours(np.float32)[..., 0].astype(np.float16).copy()),
        "planar tiff": _tiff(np.moveaxis(deep, 2, 0), photometric="rgb", planarconfig="separate"),
        "alpha tiff": _tiff(np.dstack([values, values[..., :1]]), photometric="rgb", extrasamples=["assocalpha"]),
        "big tiff": _tiff(values, photometric="rgb", bigtiff=True),
        "reversed tiff": _tiff(deep, photometric="rgb", byteorder=">"),
        "white tiff": _tiff(values[..., 0].copy(), photometric="miniswhite"),
        "pages tiff": _tiff(np.stack([values, values]), photometric="rgb"),
        "palette tiff": _saved(image.quantize(20), "TIFF"),
        "cmyk tiff": _saved(image.convert("CMYK"), "TIFF", compression="tiff_lzw"),
        "fax tiff": _saved(image.convert("1"), "TIFF", compression="group4"),
    }


def _others():
    image = Image.fromarray(_colours())
    clear = image.convert("RGBA")
    clear.putalpha(100)
    return {
        "webp": _saved(image, "WEBP", exif=_exif(), xmp=b"<x:xmpmeta/>", icc_profile=b"profile"),
        "lossless webp": _saved(image, "WEBP", lossless=True),
        "alpha webp": _saved(clear, "WEBP"),
        "animated webp": _saved(image, "WEBP", save_all=True, append_images=[image.rotate(90)], duration=50),
        "bmp": _saved(image, "BMP", dpi=(300, 300)),
        "palette bmp": _saved(image.quantize(20), "BMP"),
        "bits bmp": _saved(image.convert("1"), "BMP"),
    }


def _raws(folder):
    import importlib.util

    if importlib.util.find_spec("rawpy") is None:
        return {}
    linear = np.moveaxis(_colours(np.float64, 32, 32), 2, 0)
    return {"raw": write_dng(folder / "raw.dng", linear, orientation=6).read_bytes()}
