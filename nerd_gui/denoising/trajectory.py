"""The record of a run: all its iterates, and the curves of their measures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from nerd_gui.compiled import Status
from nerd_gui.denoising.analysed import Analysed
from nerd_gui.denoising.features import Features
from nerd_gui.denoising.look import PLAIN, Look, NoiseProfile, look_part
from nerd_gui.denoising.memory_plan import MemoryPlan
from nerd_gui.denoising.report import outline, report
from nerd_gui.denoising.settings import PICTURE, RunSettings
from nerd_gui.denoising.subject import Subject
from nerd_gui.denoising.warm_start import Equilibrium, Saving
from nerd_gui.equilibrium import StopReason
from nerd_gui.imaging import luma, noise_level, psnr, ssim

#: Stop reasons with which the last iterate of a run with the stop rule "picture" is its result.
_BY_THE_PICTURE = (None, StopReason.SETTLED, StopReason.CONVERGED, StopReason.CANCELLED)
CURVES = ("residual", "relative_step", "residual_change", "noise_level", "psnr", "ssim")


@dataclass(frozen=True, eq=False)
class Iterate:
    """One iterate z_i of a run, decoded.

    Attributes
    ----------
    index : int
        0 is the start z_0, 1 is f(z_0).
    n_hat : float16 array (C, rows, cols)
        The noise estimate; the picture is y + n_hat (Eq. 5).
    features : Features or None
        The features, for attention maps and analyses; None if they were not kept.
    residual : float
        ||g_i|| / ||f(z_i)||; of the worst channel if channels are solved as a batch.
    relative_step, residual_change : float or None
        ||z_{i+1} - z_i|| / ||z_i|| (Fig. 10) and ||g_i - g_{i-1}|| / ||g_{i-1}|| (Sec. V-A), of the worst channel.
    noise_level : float
        Estimated noise level (Fig. 8) of the luma of n_hat, 0-255 scale.
    noise_levels : tuple of float
        The same for each channel.
    psnr, ssim : float or None
        PSNR (dB) and SSIM of the picture, if the clean picture is known.
    seconds : float
        Time from the start of the run until this iterate was ready.
    evaluations : int
        Number of evaluations of f so far.
    restarted : bool
        Whether the safeguard dropped the step that led here.
    stop_reason : StopReason or None
        Why the run ended, on the last iterate; else None.
    """

    index: int
    n_hat: np.ndarray
    features: Features | None
    residual: float
    relative_step: float | None
    residual_change: float | None
    noise_level: float
    noise_levels: tuple[float, ...]
    psnr: float | None
    ssim: float | None
    seconds: float
    evaluations: int
    restarted: bool
    stop_reason: StopReason | None = None

    def as_record(self) -> dict[str, Any]:
        """The iterate's entry in the report."""
        names = ("index", *CURVES, "seconds", "restarted")
        return {name: _plain(getattr(self, name)) for name in names}


def measured(subject: Subject, n_hat: np.ndarray) -> dict[str, Any]:
    """Measure an iterate's picture: noise levels, and PSNR and SSIM if the clean picture is known."""
    clean, score, similarity = subject.clean, None, None
    if clean is not None:
        x_hat = subject.noisy + n_hat
        score, similarity = psnr(clean, x_hat), ssim(clean, x_hat)
    return {
        "noise_level": float(noise_level(luma(n_hat))),
        "noise_levels": tuple(float(noise_level(channel)) for channel in n_hat),
        "psnr": score,
        "ssim": similarity,
    }


def _plain(value: Any) -> Any:
    """Replace infinity and NaN, which JSON lacks, by None."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass(eq=False)
class Trajectory:
    """The record of one run: its subject and settings, and its iterates 0 ... N. It is made by a `Recorder`.

    Attributes
    ----------
    subject : Subject
    settings : RunSettings
        As used by the run, see `DenoisingRun.settings`.
    window : int
        Attention window q of the run in pixels.
    plan : MemoryPlan
    iterates : list of Iterate
        The iterates so far.
    stop_reason : StopReason or None
        Why the run ended; None while it is running.
    peak_memory_mb : float or None
        See `peak_memory_mb`; None while the run is running.
    compiled : Status or None
        Whether attention and the solver ran as compiled code, and if not, why; None while the run is running.
    earlier_runs : tuple of dict
        Records of the runs that the start "last" depends on, see `Equilibrium`; empty for other starts.
    notice : str or None
        A sentence for the user that says why the run started from zero although the start was "last".
    weights_sha256 : str or None
        The SHA-256 of the network's file; None if it was not loaded from a file.
    grain : int
        Grain size: with 2, the network first denoises the photo's four half-size sub-pictures.
    analyses : dict of str to Analysed
        Answers of analyses of the result, by their names in `nerd_gui.analysis.catalogue`.
    """

    subject: Subject
    settings: RunSettings
    window: int
    plan: MemoryPlan
    iterates: list[Iterate] = field(default_factory=list)
    stop_reason: StopReason | None = None
    peak_memory_mb: float | None = None
    compiled: Status | None = None
    earlier_runs: tuple[dict[str, Any], ...] = ()
    notice: str | None = None
    weights_sha256: str | None = None
    grain: int = 1
    analyses: dict[str, Analysed] = field(default_factory=dict)
    _profiles: dict[tuple[int, StopReason | None], NoiseProfile] = field(default_factory=dict, repr=False)

    def add(self, iterate: Iterate) -> None:
        """Append the next iterate.

        Raises
        ------
        ValueError
            If its index is not the next one.
        """
        if iterate.index != len(self.iterates):
            raise ValueError(f"Iterate {iterate.index} was added, but the next one must be {len(self.iterates)}.")
        self.iterates.append(iterate)
        self.stop_reason = iterate.stop_reason

    def replace(self, iterates: Sequence[Iterate]) -> None:
        """Replace all iterates; those of a photo solved in tiles change with each tile."""
        self.iterates[:] = iterates
        self.stop_reason = iterates[-1].stop_reason if iterates else None

    def as_it_is(self) -> "Trajectory":
        """A copy with the current iterates, which does not change when the run goes on."""
        return replace(self, iterates=list(self.iterates), analyses=dict(self.analyses))

    def __len__(self) -> int:
        return len(self.iterates)

    def __getitem__(self, index: int) -> Iterate:
        return self.iterates[index]

    @property
    def result(self) -> int:
        """Index of the result: the iterate of least residual, or the last one if the stop rule is "picture".

        Raises
        ------
        ValueError
            If there is no iterate yet.
        """
        if not self.iterates:
            raise ValueError("The run has no iterate yet.")
        if self.settings.stop_on == PICTURE and self.stop_reason in _BY_THE_PICTURE:
            return len(self.iterates) - 1
        return min(self.iterates, key=lambda iterate: iterate.residual).index

    def picture(
        self, index: int, look: Look | None = None, part: tuple[int, int, int, int] | None = None
    ) -> np.ndarray:
        """Compute the picture of an iterate, optionally with a look: float32 (C, rows, cols), not clipped.

        If a part (row, col, rows, cols) is given, only this part is computed. It is bit for bit equal to that part of
        the whole picture.
        """
        look = look or PLAIN
        return look_part(look, self.subject.noisy, self.iterates[index].n_hat, part, self._profile(index, look))

    def _profile(self, index: int, look: Look) -> NoiseProfile | None:
        """The noise profile of an iterate if the look needs it; cached, but measured again when the run has ended."""
        if not look.detail:
            return None
        key = index, self.stop_reason
        if key not in self._profiles:
            self._profiles[key] = NoiseProfile.of(self.subject.noisy, self.iterates[index].n_hat)
        return self._profiles[key]

    def curve(self, name: str, channel: int | None = None) -> list[float | None]:
        """One of `CURVES` over the iterates; None where it is undefined.

        The noise level is that of the given channel, or of the luma if `channel` is None.
        """
        if name not in CURVES:
            raise ValueError(f"There is no curve “{name}”; choose one of {', '.join(CURVES)}.")
        if name == "noise_level" and channel is not None:
            return [_plain(iterate.noise_levels[channel]) for iterate in self.iterates]
        return [_plain(getattr(iterate, name)) for iterate in self.iterates]

    def true_noise_level(self, channel: int | None = None) -> float | None:
        """Level of the added noise in a channel, or, lower by averaging, in the luma; None if none was added."""
        sigma = self.subject.sigma
        if sigma is None or channel is not None or self.subject.channels == 1:
            return sigma
        # Luma is a weighted sum of independent channels, so its noise is sigma times the norm of the weights.
        return sigma * float(np.linalg.norm([float(luma(unit)) for unit in np.eye(3, dtype=np.float32)]))

    def attainable_noise_level(self, channel: int | None = None) -> float | None:
        """sqrt(sigma^2 - MSE) of the result: the noise level that a least-squares denoiser finds; None if unknown."""
        clean, level = self.subject.clean, self.true_noise_level(channel)
        if clean is None or level is None or not self.iterates:
            return None
        difference = self.picture(self.result) - clean
        error = float(np.mean((luma(difference) if channel is None else difference[channel]) ** 2)) * 255**2
        return math.sqrt(max(level**2 - error, 0.0))

    def equilibrium(self) -> Equilibrium | None:
        """The result as a start for a later run; None if it is not finite or its features were not kept."""
        best = self.iterates[self.result] if self.iterates else None
        if best is None or best.features is None or not math.isfinite(best.residual):
            return None
        # A sum is finite only if all values are, and computing it is faster than testing each value.
        if not best.features.z.sum(dtype=torch.float32).isfinite():
            return None
        photo = self.subject.photo
        run = {**outline(self), "residuals": self.curve("residual")}
        return Equilibrium(best.features.z, self.subject.corner, (photo.rows, photo.cols), (*self.earlier_runs, run))

    def saving(self) -> Saving | None:
        """What the start "last" saved compared with the first of the earlier runs, which started from zero.

        None for other starts, or if the first run did not start from zero or had other settings of the solver.
        """
        if not self.earlier_runs:
            return None
        first, own = self.earlier_runs[0], outline(self)
        alike = first["solver"] == own["solver"] and all(
            first["settings"][name] == own["settings"][name] for name in ("memory", "safeguard", "damping")
        )
        if not alike or first["settings"]["start"] != "zero":
            return None
        tol = self.settings.tol if self.settings.stop_on == "residual" else 0.0
        return Saving.of(self.curve("residual"), first["residuals"], tol)

    def report(self) -> dict[str, Any]:
        """The run's JSON-ready report; see `report.report`."""
        return report(self)
