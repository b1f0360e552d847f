"""Starting a run at the previous equilibrium (Sec. IV-B), and how many evaluations this saves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nerd_gui.denoising.subject import Subject

NO_EQUILIBRIUM = "There is no last equilibrium, so the run starts from zero."


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """The result of a run as the start of a later one.

    Attributes
    ----------
    z : Tensor, (B, d, rows, cols), float16, on the CPU
        The iterate of least residual; half precision is accurate enough for a start.
    corner : (row, col)
        Position in the photo of z's upper left pixel.
    photo_size : (rows, cols)
        Size of the whole photo.
    runs : tuple of dict
        Records of the runs that led here, in order; each later run started from the result of the one before.
    """

    z: Tensor
    corner: tuple[int, int]
    photo_size: tuple[int, int]
    runs: tuple[dict[str, Any], ...]

    def misfit(self, subject: Subject, model: str, batch: int, features: int) -> str | None:
        """Return a sentence that says why a run cannot start from this equilibrium; None if it can.

        Parameters
        ----------
        subject : Subject
            The subject of the new run.
        model : str
            The network of the new run, by name or path.
        batch, features : int
            The first two dimensions of the new run's z.
        """
        if model != self.runs[-1]["model"] or features != self.z.shape[1]:
            return "The last equilibrium belongs to another network, so the run starts from zero."
        if batch != self.z.shape[0]:
            return "The last equilibrium has another number of channels, so the run starts from zero."
        if (subject.photo.rows, subject.photo.cols) != self.photo_size:
            return "The last equilibrium belongs to a photo of another size, so the run starts from zero."
        if any(here.stop <= here.start for here, _ in self._overlap(subject)):
            return "The last equilibrium belongs to another part of the photo, so the run starts from zero."
        return None

    def placed(self, subject: Subject) -> Tensor:
        """Return z shifted to its position in `subject`, padded with zeros: float32 (B, d, rows, cols), on the CPU."""
        (rows, to_rows), (cols, to_cols) = self._overlap(subject)
        z0 = torch.zeros(*self.z.shape[:2], subject.rows, subject.cols)
        z0[:, :, to_rows, to_cols] = self.z[:, :, rows, cols]
        return z0

    def _overlap(self, subject: Subject) -> list[tuple[slice, slice]]:
        """For rows, then columns: the range of the pixels that z and the subject share, in z and in the subject."""
        found = []
        for old, size, new, length in zip(
            self.corner, self.z.shape[2:], subject.corner, (subject.rows, subject.cols), strict=True
        ):
            first, stop = max(old, new), min(old + size, new + length)
            found.append((slice(first - old, stop - old), slice(first - new, stop - new)))
        return found


@dataclass(frozen=True)
class Saving:
    """The cost of a run compared with one from zero, up to a residual that both reached.

    Attributes
    ----------
    residual : float
        The least residual that both reached, or the tolerance if that is larger.
    evaluations, from_zero : int
        Evaluations of f until that residual, in this run and in the one from zero.
    """

    residual: float
    evaluations: int
    from_zero: int

    @property
    def saved(self) -> int:
        """Number of evaluations saved; negative if the run from zero was faster."""
        return self.from_zero - self.evaluations

    @classmethod
    def of(cls, residuals: Sequence[float | None], from_zero: Sequence[float | None], tol: float) -> "Saving | None":
        """Compare the residuals of two runs (None: not finite); return None if a run has no finite residual."""
        runs = [[float("inf") if value is None else value for value in run] for run in (residuals, from_zero)]
        if not all(runs):
            return None
        reached = max(tol, *(min(run) for run in runs))
        warm, cold = (next(i for i, value in enumerate(run, start=1) if value <= reached) for run in runs)
        return None if reached == float("inf") else cls(reached, warm, cold)
