"""How a long piece of work says how far it is, and learns that nobody wants its result any more."""

from collections.abc import Callable


class OpeningCancelled(Exception):
    """Whoever asked for a photo no longer wants it; nothing is wrong with the file."""


class Watch:
    """Passes progress on and asks, at every step, whether to go on.

    Parameters
    ----------
    progress : callable, optional
        Called with the fraction of the whole work that is done, 0 ... 1.
    cancelled : callable, optional
        Tells whether the result is no longer wanted; asked at every step.
    start, end : float
        The part of the whole work that this watch is about.
    """

    def __init__(
        self,
        progress: Callable[[float], object] | None = None,
        cancelled: Callable[[], bool] | None = None,
        start: float = 0.0,
        end: float = 1.0,
    ) -> None:
        self._progress = progress
        self._cancelled = cancelled
        self._start, self._end = start, end

    def at(self, fraction: float) -> None:
        """Say that this fraction of the part is done.

        Raises
        ------
        OpeningCancelled
            If the result is no longer wanted.
        """
        if self._cancelled is not None and self._cancelled():
            raise OpeningCancelled
        if self._progress is not None:
            self._progress(self._start + (self._end - self._start) * min(fraction, 1.0))

    def part(self, start: float, end: float) -> "Watch":
        """The watch of a part of the work, from one fraction of it to another."""
        length = self._end - self._start
        return Watch(self._progress, self._cancelled, self._start + length * start, self._start + length * end)
