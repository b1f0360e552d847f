"""Progress and cancelling of long work."""

from collections.abc import Callable


class OpeningCancelled(Exception):
    """Opening a photo was cancelled; this is not an error of the file."""


class Watch:
    """Reports progress, and checks at every step whether the work was cancelled.

    Parameters
    ----------
    progress : callable, optional
        Called with the fraction of the whole work that is done, 0 ... 1.
    cancelled : callable, optional
        Returns whether the work is cancelled; called at every step.
    start, end : float
        The range of the whole work that this watch covers.
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
        """Report that this fraction of the part is done.

        Raises
        ------
        OpeningCancelled
            If the work was cancelled.
        """
        if self._cancelled is not None and self._cancelled():
            raise OpeningCancelled
        if self._progress is not None:
            self._progress(self._start + (self._end - self._start) * min(fraction, 1.0))

    def part(self, start: float, end: float) -> "Watch":
        """Make a watch for a part of this one's work, from one fraction to another."""
        length = self._end - self._start
        return Watch(self._progress, self._cancelled, self._start + length * start, self._start + length * end)
