"""The iterates of a picture that was solved in tiles."""

from collections.abc import Iterator, Sequence

import numpy as np

from nerd_gui.denoising.subject import Subject
from nerd_gui.denoising.trajectory import Iterate, measured
from nerd_gui.equilibrium import StopReason
from nerd_gui.imaging.tiles import Tile, blend

#: Of the tiles' reasons, the first of these that occurs is the picture's.
_WORST_FIRST = (
    StopReason.DIVERGED,
    StopReason.CANCELLED,
    StopReason.STEP_LIMIT,
    StopReason.STALLED,
    StopReason.CONVERGED,
)


def together(subject: Subject, tiles: Sequence[Tile], runs: Sequence[Sequence[Iterate]]) -> Iterator[Iterate]:
    """Make the picture's iterates of those of its tiles; a tile that has ended stays where it is.

    Residuals and evaluations are those of the worst tile; the seconds are what it took to bring all of them so far.
    """
    for index in range(max(map(len, runs))):
        parts = [run[min(index, len(run) - 1)] for run in runs]
        noise = [part.n_hat.astype(np.float32) for part in parts]
        n_hat = blend(tiles, noise, subject.rows, subject.cols)
        reasons = {part.stop_reason for part in parts}
        yield Iterate(
            index=index,
            n_hat=n_hat.astype(np.float16),
            features=None,
            residual=max(part.residual for part in parts),
            relative_step=_worst([part.relative_step for part in parts]),
            residual_change=_worst([part.residual_change for part in parts]),
            **measured(subject, n_hat),
            seconds=sum(part.seconds for part in parts),
            evaluations=max(part.evaluations for part in parts),
            restarted=any(run[index].restarted for run in runs if index < len(run)),
            stop_reason=None if None in reasons else next(reason for reason in _WORST_FIRST if reason in reasons),
        )


def _worst(measures: Sequence[float | None]) -> float | None:
    known = [measure for measure in measures if measure is not None]
    return max(known) if known else None
