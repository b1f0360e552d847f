"""The progress and summary that `nerd-gui denoise` prints."""

import shutil
import sys
import time
from collections.abc import Sequence
from typing import Any

from nerd_gui.cli.arguments import say
from nerd_gui.denoising.batch import Job, Outcome, Progress, summary
from nerd_gui.denoising.time_left import about

_PAUSE = 10.0  # seconds between two lines if stderr is not a terminal


class ProgressLine:
    """Progress on stderr: on a terminal one line that is updated, elsewhere a new line now and then.

    For a single photo that is solved in one piece, every iterate is printed.
    """

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._open = False
        self._said_at = time.monotonic()
        self._told: set[str] = set()

    def __call__(self, progress: Progress) -> None:
        """Print the progress, unless the last line was printed a moment ago."""
        iterate = progress.step.iterate
        if progress.count == 1 and iterate is not None:
            figures = figures_of(iterate.as_record())
            self._show(f"{progress.job.source.name}: iterate {iterate.index:2}, {figures}")
        elif progress.count == 1 and progress.step.fraction == 0:
            return  # the remaining time is not known yet
        elif self._live or time.monotonic() - self._said_at >= _PAUSE:
            self._show(_line(progress))

    def _show(self, line: str) -> None:
        self._said_at = time.monotonic()
        self._open = self._live
        if self._live:
            line = f"\r{line[: shutil.get_terminal_size().columns - 1]}\x1b[K"
        print(line, end="" if self._live else "\n", file=sys.stderr, flush=True)

    def announce(self, job: Job, sentence: str) -> None:
        """Print a sentence about a photo, unless it was printed before."""
        if sentence not in self._told:
            self._told.add(sentence)
            self.leave()
            say(sentence)

    def leave(self) -> None:
        """End the updated line, so that something else can be printed."""
        if self._open:
            print(file=sys.stderr)
        self._open = False


def _line(progress: Progress) -> str:
    words = f"{progress.job.source.name}: {progress.step.fraction:.0%}"
    if progress.count > 1:
        words = f"{progress.number} of {progress.count}, {words}"
    left = progress.step.seconds_left if progress.count == 1 else progress.seconds_left
    if left is None:
        return words
    return f"{words}, about {about(left)} left{' in all' if progress.count > 1 else ''}"


def figures_of(record: dict[str, Any]) -> str:
    """Format an iterate's numbers from its record in a report."""

    def number(name: str, form: str) -> str:
        return "none" if record[name] is None else format(record[name], form)

    score = "" if record["psnr"] is None else f"{record['psnr']:.2f} dB, "
    return (
        f"residual {number('residual', '.1e')}, noise level {number('noise_level', '.2f')}, "
        f"{score}{record['seconds']:.1f} s"
    )


def tell(outcome: Outcome) -> None:
    """Print the outcome of a photo, unless it was skipped."""
    if outcome.reason is not None:
        say(outcome.reason)
    if outcome.report is not None:
        result, iterations = outcome.report["result"], outcome.report["iterations"]
        print(
            f"{outcome.job.target}: {outcome.report['stop_reason']}, the result is iterate {result} of "
            f"{len(iterations) - 1}: {figures_of(iterations[result])}",
            flush=True,
        )


def summarize(outcomes: Sequence[Outcome], count: int) -> None:
    """Print to stderr how many photos of a batch were denoised, and why the others were not."""
    say(summary([outcome.state for outcome in outcomes], count))
    for outcome in outcomes:
        if outcome.reason is not None:
            print(f"  {outcome.job.source}: {' '.join(outcome.reason.split())}", file=sys.stderr, flush=True)
