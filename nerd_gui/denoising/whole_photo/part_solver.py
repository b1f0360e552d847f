"""Solves a part of a photo with fixed statistics of f, in one pass or two."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nerd_gui.denoising.channels import from_batch, to_batch
from nerd_gui.denoising.eye_rule import EyeRule
from nerd_gui.denoising.features import HALF_MAX
from nerd_gui.denoising.settings import PICTURE, RunSettings
from nerd_gui.denoising.whole_photo.predicted_start import PredictedStart
from nerd_gui.denoising.whole_photo.sub_pictures import merge, split
from nerd_gui.equilibrium import SOLVERS, SolverStep, StopReason
from nerd_gui.nerd import NERD, exact_float32


class Interrupted(Exception):
    """Aborts the work on a part after cancelling."""


@dataclass(frozen=True, eq=False)
class Pass:
    """One pass over a part: it solves the part itself, or its stride-2 sub-pictures.

    Attributes
    ----------
    stride : int
        1 for the part itself, 2 for its sub-pictures.
    nets : tuple of NERD
        Networks with the photo's statistics, one for each picture in the photo's batch (see `batch_size`).
    strength : float or None
        The noise level that is given to networks with level input, 0-255 scale; else None.
    start : PredictedStart or None
        Where the solver starts; None: at zero.
    """

    stride: int
    nets: tuple[NERD, ...]
    strength: float | None
    start: PredictedStart | None


@dataclass(frozen=True, eq=False)
class PartIterate:
    """A decoded iterate of a part; for the attributes, see `Iterate`.

    If a part has settled, f is not evaluated at its last iterate, so the residual is that of the iterate before.
    """

    n_hat: NDArray[np.float32]
    residual: float
    relative_step: float | None
    residual_change: float | None
    evaluations: int
    seconds: float
    restarted: bool
    stop_reason: StopReason | None


@dataclass(frozen=True)
class How:
    """The settings that all parts of a photo share: those of the run and of the solver's pairs, and cancelling."""

    settings: RunSettings
    window: int
    pairs: int | None
    pair_dtype: torch.dtype
    should_stop: Callable[[], bool]

    def interrupt(self) -> None:
        """Raise Interrupted if the work is to stop."""
        if self.should_stop():
            raise Interrupted


def solve_part(noisy: NDArray[np.float32], passes: Sequence[Pass], how: How) -> Iterator[PartIterate]:
    """Solve a part (C, rows, cols) of a photo, and yield its iterates.

    With two passes, the second denoises the result of the first, and its iterates follow those of the first. Its start
    is omitted, because it does not decode to a meaningful picture.

    Raises
    ------
    Interrupted
        If the work was cancelled.
    """
    _, rows, cols = noisy.shape
    removed = np.zeros_like(noisy)
    evaluations, seconds = 0, 0.0
    for number, one in enumerate(passes):
        last_pass = number == len(passes) - 1
        found = None
        for step, parts in _solve(split(noisy + removed, one.stride), one, how):
            found = removed + merge(parts, rows, cols)
            if number and not step.index:
                continue
            yield PartIterate(
                n_hat=found,
                residual=float(step.residual.max()),
                relative_step=None if step.relative_step is None else float(step.relative_step.max()),
                residual_change=None if step.residual_change is None else float(step.residual_change.max()),
                evaluations=evaluations + step.evaluations,
                seconds=seconds + step.seconds,
                restarted=bool(step.restarted),
                stop_reason=step.stop_reason if last_pass else None,
            )
            if step.stop_reason is not None:
                evaluations, seconds = evaluations + step.evaluations, seconds + step.seconds
        assert found is not None
        removed = found


@dataclass(frozen=True)
class _Step:
    """A `SolverStep` without its large tensors."""

    index: int
    residual: Tensor
    relative_step: Tensor | None
    residual_change: Tensor | None
    evaluations: int
    seconds: float
    restarted: bool
    stop_reason: StopReason | None


def _solve(parts: NDArray[np.float32], one: Pass, how: How) -> Iterator[tuple[_Step, NDArray[np.float32]]]:
    """Solve one pass; yield its steps, each with n_hat (parts, C, rows, cols)."""
    settings, first = how.settings, one.nets[0]
    with torch.no_grad(), exact_float32():
        y = torch.cat([to_batch(part, first) for part in parts]).to(settings.device)
        s = first.inject(y, one.strength)
        z0 = first.initial(s) if one.start is None else one.start(s)
    count = len(one.nets)

    def f(z: Tensor) -> Tensor:
        keywords = {"window": how.window, "precision": settings.precision, "interrupt": how.interrupt}
        with exact_float32():
            if count == 1:
                return first.implicit(z, s, **keywords)  # type: ignore[arg-type]
            out = torch.empty_like(z)
            for index, net in enumerate(one.nets):
                out[index::count] = net.implicit(z[index::count], s[index::count], **keywords)  # type: ignore[arg-type]
            return out

    rule = EyeRule() if settings.stop_on == PICTURE else None
    steps = solver_steps(f, z0, how)
    del z0  # so that its memory is freed once the iterates after it are computed
    following: NDArray[np.float32] | None = None  # n_hat of the iterate after this one
    for step in steps:
        n_hat, settled = following, False
        if n_hat is None or step.stop_reason is StopReason.DIVERGED:  # then z is not the iterate that was decoded
            n_hat = n_hats(first, y, step.z, len(parts), parts.shape[1])
        if rule is not None and step.z_next is not None:
            if not step.index:
                rule.settled(n_hat)
            following = n_hats(first, y, step.z_next, len(parts), parts.shape[1])
            settled = rule.settled(following)
        kept = _Step(
            step.index,
            step.residual,
            step.relative_step,
            step.residual_change,
            step.evaluations,
            step.seconds,
            bool(step.restarted),
            step.stop_reason,
        )
        del step  # so that f can reuse the memory of f(z)
        yield kept, n_hat
        if settled and following is not None:
            yield replace(kept, index=kept.index + 1, restarted=False, stop_reason=StopReason.SETTLED), following
            return


def solver_steps(f: Callable[[Tensor], Tensor], z0: Tensor, how: How) -> Iterator[SolverStep]:
    """Run the solver that the settings name."""
    keywords = how.settings.solver_keywords()
    if how.pairs is not None:
        keywords["memory"] = how.pairs
    return SOLVERS[how.settings.solver](f, z0, **keywords, pair_dtype=how.pair_dtype)


@torch.no_grad()
def n_hats(net: NERD, y: Tensor, z: Tensor, parts: int, channels: int) -> NDArray[np.float32]:
    """Decode z (batch, d, rows, cols) to n_hat (parts, C, rows, cols), finite and within half precision."""
    _, estimated = net.estimate(y, z)
    each = estimated.unflatten(0, (parts, -1))
    decoded: NDArray[np.float32] = np.stack([from_batch(one, channels) for one in each])
    np.nan_to_num(decoded, copy=False).clip(-HALF_MAX, HALF_MAX, out=decoded)
    return decoded
