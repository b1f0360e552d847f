"""What a session file says when it cannot be read or written."""


class SessionFileError(ValueError):
    """A session that cannot be opened or saved; the message says what is wrong and what to do."""


class PhotoWanted(SessionFileError):
    """The photo of a session is not where it was, or another one lies there: a person may know where it is."""
