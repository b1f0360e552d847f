"""Solves a part of a photo with fixed statistics of f, in one pass or two."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nerd_gui.denoising.channels import from_batch, to_batch
from nerd_gui.denoising.eye_rule import EyeRule
from nerd_gui.denoising.features import HALF_MAX
from nerd_gui.denoising.settings import PICTURE, RunSettings
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
    """

    stride: int
    nets: tuple[NERD, ...]
    strength: float | None


@dataclass(frozen=True, eq=False)
class PartIterate:
    """A decoded iterate of a part; for the attributes, see `Iterate`."""

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
    for step in solver_steps(f, first.initial(s), how):
        decoded = n_hats(first, y, step.z, len(parts), parts.shape[1])
        reason = step.stop_reason
        if rule is not None and rule.settled(decoded) and reason in (None, StopReason.STEP_LIMIT):
            reason = StopReason.SETTLED
        kept = _Step(
            step.index,
            step.residual,
            step.relative_step,
            step.residual_change,
            step.evaluations,
            step.seconds,
            bool(step.restarted),
            reason,
        )
        del step  # so that f can reuse the memory of f(z)
        yield kept, decoded
        if reason is not None:
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
