"""The errors of runs."""


class RunError(ValueError):
    """A run cannot start or continue; the message says what is wrong and what to do."""


class OutOfMemory(RunError):
    """Memory ran out during a run although its estimate had fitted."""


class TooLittleMemory(RunError):
    """A run does not fit into the memory that it may use."""
