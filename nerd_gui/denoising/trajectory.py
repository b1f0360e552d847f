"""The one record of a run: every iterate as it was, and the curves over them."""

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

#: Why a run that goes by the picture has ended, where its last iterate is the one that it was after.
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
        What the attention maps are made from; None where nobody will ask for them.
    residual : float
        ||g_i|| / ||f(z_i)||, the worst channel's where channels are solved as a batch.
    relative_step, residual_change : float or None
        ||z_{i+1} - z_i|| / ||z_i|| (Fig. 10) and ||g_i - g_{i-1}|| / ||g_{i-1}|| (Sec. V-A), worst channel's.
    noise_level : float
        Estimated noise level (Fig. 8) of the luma of n_hat, 0-255 units.
    noise_levels : tuple of float
        The same for each channel.
    psnr, ssim : float or None
        Of the picture, where the clean one is known.
    seconds : float
        From the start of the run until this iterate was ready.
    evaluations : int
        Evaluations of f so far.
    restarted : bool
        The safeguard dropped the step that led here.
    stop_reason : StopReason or None
        On the last iterate: why the run ended.
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
        """The iterate's numbers, as the report lists them."""
        names = ("index", *CURVES, "seconds", "restarted")
        return {name: _plain(getattr(self, name)) for name in names}


def measured(subject: Subject, n_hat: np.ndarray) -> dict[str, Any]:
    """What an `Iterate` says of its picture: noise levels, and PSNR and SSIM where the clean picture is known."""
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
    """JSON has no infinity: an undefined number is null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass(eq=False)
class Trajectory:
    """The iterates of one run, 0 ... N, with all that was known of it before the first one; a `Recorder` makes it.

    Attributes
    ----------
    subject : Subject
    settings : RunSettings
        As the run took them: the start is "zero" where no last equilibrium fitted.
    window : int
        q of the run.
    plan : MemoryPlan
    iterates : list of Iterate
        So far.
    stop_reason : StopReason or None
        Why the run ended; None while it goes on.
    peak_memory_mb : float or None
        See `peak_memory_mb`; known at the end.
    compiled : Status or None
        Whether attention and the solver ran as compiled code, and why not; known at the end.
    earlier_runs : tuple of dict
        Records of the runs that the start depends on, see `Equilibrium`; empty but for the start "last".
    notice : str or None
        What the person must be told of the start: that no last equilibrium fits, and it is zero.
    weights_sha256 : str or None
        The SHA-256 of the network's file; None for a network that came from none.
    grain : int
        2 where the network saw the photo's stride-2 sub-pictures first.
    analyses : dict of str to Analysed
        What was found out about its result, by the names of `nerd_gui.analysis.catalogue`.
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
            If it is not the next one.
        """
        if iterate.index != len(self.iterates):
            raise ValueError(f"Iterate {iterate.index} came where {len(self.iterates)} was due.")
        self.iterates.append(iterate)
        self.stop_reason = iterate.stop_reason

    def replace(self, iterates: Sequence[Iterate]) -> None:
        """Put these in the place of the iterates there are: those of a whole photo, which change with each tile."""
        self.iterates[:] = iterates
        self.stop_reason = iterates[-1].stop_reason if iterates else None

    def as_it_is(self) -> "Trajectory":
        """A record that does not grow with this one; it has the same iterates."""
        return replace(self, iterates=list(self.iterates), analyses=dict(self.analyses))

    def __len__(self) -> int:
        return len(self.iterates)

    def __getitem__(self, index: int) -> Iterate:
        return self.iterates[index]

    @property
    def result(self) -> int:
        """Index of the run's result: the iterate of least residual; the last one of a run that goes by the picture.

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
        """x_hat of an iterate, or what a look makes of it, float32 (C, rows, cols), not clipped.

        A part (row, col, rows, cols) is to the bit that of the whole, and no more of it is made.
        """
        look = look or PLAIN
        return look_part(look, self.subject.noisy, self.iterates[index].n_hat, part, self._profile(index, look))

    def _profile(self, index: int, look: Look) -> NoiseProfile | None:
        """What a look needs to know of an iterate's noise; measured once while the run goes on, and once after it."""
        if not look.detail:
            return None
        key = index, self.stop_reason
        if key not in self._profiles:
            self._profiles[key] = NoiseProfile.of(self.subject.noisy, self.iterates[index].n_hat)
        return self._profiles[key]

    def curve(self, name: str, channel: int | None = None) -> list[float | None]:
        """One of `CURVES` over the iterates; None where undefined.

        The noise level is that of a channel, or of the luma (None).
        """
        if name not in CURVES:
            raise ValueError(f"There is no curve “{name}”; choose one of {', '.join(CURVES)}.")
        if name == "noise_level" and channel is not None:
            return [_plain(iterate.noise_levels[channel]) for iterate in self.iterates]
        return [_plain(getattr(iterate, name)) for iterate in self.iterates]

    def true_noise_level(self, channel: int | None = None) -> float | None:
        """Level of the noise that was added, in a channel or in the luma (which averages it); None if none was."""
        sigma = self.subject.sigma
        if sigma is None or channel is not None or self.subject.channels == 1:
            return sigma
        # Luma is linear, so it makes of each channel's unit noise its own weight.
        return sigma * float(np.linalg.norm([float(luma(unit)) for unit in np.eye(3, dtype=np.float32)]))

    def attainable_noise_level(self, channel: int | None = None) -> float | None:
        """sqrt(sigma^2 - MSE) of the result: what a least-squares denoiser leaves of sigma; None without the truth."""
        clean, level = self.subject.clean, self.true_noise_level(channel)
        if clean is None or level is None or not self.iterates:
            return None
        difference = self.picture(self.result) - clean
        error = float(np.mean((luma(difference) if channel is None else difference[channel]) ** 2)) * 255**2
        return math.sqrt(max(level**2 - error, 0.0))

    def equilibrium(self) -> Equilibrium | None:
        """The result, as a later run can start from it; None where it is not finite or its features were not kept."""
        best = self.iterates[self.result] if self.iterates else None
        if best is None or best.features is None or not math.isfinite(best.residual):
            return None
        # The sum of halves is finite when all of them are; asking each of them keeps a new run waiting.
        if not best.features.z.sum(dtype=torch.float32).isfinite():
            return None
        photo = self.subject.photo
        run = {**outline(self), "residuals": self.curve("residual")}
        return Equilibrium(best.features.z, self.subject.corner, (photo.rows, photo.cols), (*self.earlier_runs, run))

    def saving(self) -> Saving | None:
        """What the start at the last equilibrium saved beside the first run of those it goes back to.

        None for other starts, and where that first run was none from zero, or the solver was another or set otherwise.
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
        """Everything needed to read the run, and to run it again, see `report.report`; JSON-ready."""
        return report(self)
