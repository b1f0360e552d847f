"""What is said of a picture that cannot be opened or saved."""


class PhotoError(ValueError):
    """A picture cannot be opened or saved; the text is one sentence for the person at the screen."""


def in_words(error: BaseException) -> str:
    """What a decoder or an encoder raised, in one line; its kind where it says nothing."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
