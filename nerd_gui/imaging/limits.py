"""Limits of the size of pictures: files that would take all memory, or minutes, are refused before decoding.

A file of a few bytes can claim to be, or even decode to, a huge picture. So the limit also depends on the size of the
file. The messages lack their subject, the name of the file.
"""

from nerd_gui.imaging.errors import PhotoError

MAX_SIDE = 32_767  # pixels
MAX_PIXELS = 268_435_456  # 2^28, 3 GiB as float32 RGB
_ANY_FILE = 2**25  # pixels that are always allowed; decoding them takes 0.8 GB with alpha and 16 bits
_PIXELS_PER_BYTE = 32  # limit for larger pictures; cameras write fewer than 10
_USUAL_SCANS = 20  # scans of a progressive JPEG file that are always allowed; programs write about 10
_MOST_SCANNED = 2**30  # limit of pixels times scans if there are more scans: about two seconds

_allowed: int | None = None


def allow_pixels(count: int | None) -> None:
    """Allow pictures of up to `count` pixels in this process, whatever the size of their files; None: the default."""
    global _allowed
    _allowed = count


def allowed_pixels() -> int | None:
    """The last argument of `allow_pixels`."""
    return _allowed


def most_pixels() -> int:
    """The largest allowed number of pixels."""
    return MAX_PIXELS if _allowed is None else _allowed


def check_size(rows: int, cols: int, file_bytes: int) -> None:
    """Refuse pictures with no pixels, with too many, or with implausibly many for the size of the file.

    Raises
    ------
    PhotoError
        If the picture is refused; the message lacks its subject.
    """
    if min(rows, cols) < 1:
        raise PhotoError("has no pixels; take another copy of it.")
    width, height, side = (f"{number:,}".replace(",", " ") for number in (cols, rows, MAX_SIDE))
    if rows * cols > most_pixels() or (_allowed is None and max(rows, cols) > MAX_SIDE):
        raise PhotoError(
            f"is {width} pixels wide and {height} high; the limit is {side} on a side and "
            f"{most_pixels() // 10**6} million in all, so scale it down or cut it first."
        )
    if _allowed is None and rows * cols > max(_ANY_FILE, _PIXELS_PER_BYTE * file_bytes):
        raise PhotoError(
            f"claims to be {width} pixels wide and {height} high in only {_size(file_bytes)}, which no photo is; if "
            "you know that it is whole, start nerd-gui with --max-pixels to open it."
        )


def check_scans(jpeg: bytes, rows: int, cols: int) -> None:
    """Refuse JPEG files with so many scans that decoding would take minutes.

    Raises
    ------
    PhotoError
        If the picture is refused; the message lacks its subject.
    """
    scans = jpeg.count(b"\xff\xda")
    if scans > _USUAL_SCANS and scans * rows * cols > _MOST_SCANNED:
        raise PhotoError(f"holds {scans} scans, which no camera writes; save it anew with another program.")


def _size(count: int) -> str:
    return f"{count} bytes" if count < 10_000 else f"{count // 1000} kB" if count < 10**7 else f"{count // 10**6} MB"
