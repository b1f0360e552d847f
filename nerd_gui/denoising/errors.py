"""What a run says when it cannot start or go on."""


class RunError(ValueError):
    """A run that cannot start or go on; the message says what is wrong and what to do."""


class OutOfMemory(RunError):
    """Memory ran out in the middle of a run that should have fitted into it."""


class TooLittleMemory(RunError):
    """A run does not fit into the memory that it may take."""
