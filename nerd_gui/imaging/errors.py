"""The error for pictures that cannot be opened or saved."""

_MOST = 200  # characters


class PhotoError(ValueError):
    """A picture cannot be opened or saved; the message is one sentence for the user."""


def in_words(error: BaseException) -> str:
    """Format the error of a decoder or encoder as one short line; if it has no message, return its class name."""
    words = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return words if len(words) <= _MOST else f"{words[:_MOST].rstrip()} …"
