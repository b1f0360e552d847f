"""How large a picture may be: what would take all memory, or minutes, is refused before anything is decoded.

A few bytes can claim to be a huge picture, and can even be one, since decoders repeat what they are told to. So the
size of the file counts, too. The sentences lack their subject, the name of the file.
"""

from nerd_gui.imaging.errors import PhotoError

MAX_SIDE = 32_767  # pixels
MAX_PIXELS = 268_435_456  # 2^28, 3 GiB as float32 RGB
_ANY_FILE = 2**25  # pixels that a file of any size may have: 0.8 GB while it is decoded, with alpha and 16 bits
_PIXELS_PER_BYTE = 32  # that a larger one may have; cameras write fewer than 10
_USUAL_SCANS = 20  # of a progressive JPEG file; programs write about 10
_MOST_SCANNED = 2**30  # pixels times scans where there are more: about two seconds

_allowed: int | None = None


def allow_pixels(count: int | None) -> None:
    """Let this process open pictures of so many pixels, whatever the size of their files; None: the usual ones."""
    global _allowed
    _allowed = count


def allowed_pixels() -> int | None:
    """What `allow_pixels` was told last."""
    return _allowed


def most_pixels() -> int:
    """The most pixels that a picture may have."""
    return MAX_PIXELS if _allowed is None else _allowed


def check_size(rows: int, cols: int, file_bytes: int) -> None:
    """Refuse pictures without pixels, with too many, or with more than a file of so many bytes is likely to hold.

    Raises
    ------
    PhotoError
        A sentence that lacks its subject.
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
    """Refuse JPEG files that go over their pixels so often that it takes minutes.

    Raises
    ------
    PhotoError
        A sentence that lacks its subject.
    """
    scans = jpeg.count(b"\xff\xda")
    if scans > _USUAL_SCANS and scans * rows * cols > _MOST_SCANNED:
        raise PhotoError(f"holds {scans} scans, which no camera writes; save it anew with another program.")


def _size(count: int) -> str:
    return f"{count} bytes" if count < 10_000 else f"{count // 1000} kB" if count < 10**7 else f"{count // 10**6} MB"
