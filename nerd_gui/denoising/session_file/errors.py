"""The errors of session files."""


class SessionFileError(ValueError):
    """A session cannot be opened or saved; the message says what is wrong and what to do."""


class PhotoWanted(SessionFileError):
    """The photo of a session is not found, or the file is another photo; the user should be asked for it."""
