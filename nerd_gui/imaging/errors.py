"""What is said of a picture that cannot be opened or saved."""

_MOST = 200  # characters


class PhotoError(ValueError):
    """A picture cannot be opened or saved; the text is one sentence for the person at the screen."""


def in_words(error: BaseException) -> str:
    """What a decoder or an encoder raised, in one line of bearable length; its kind where it says nothing."""
    words = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return words if len(words) <= _MOST else f"{words[:_MOST].rstrip()} …"
