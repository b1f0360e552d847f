"""One run: it turns a photo, a network and settings into a stream of iterates."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from nerd_gui import allocator
from nerd_gui.denoising.channels import batch_size, from_batch, to_batch
from nerd_gui.denoising.devices import check_device
from nerd_gui.denoising.errors import RunError
from nerd_gui.denoising.eye_rule import EyeRule
from nerd_gui.denoising.features import HALF_MAX, Features, FeatureStore, Settling, pixel_norms
from nerd_gui.denoising.kept_memory import IN_MEMORY
from nerd_gui.denoising.memory_plan import MemoryPlan, plan_run, roomy_plan, want_of_memory
from nerd_gui.denoising.settings import PICTURE, RunSettings
from nerd_gui.denoising.strength import with_strength
from nerd_gui.denoising.subject import Subject
from nerd_gui.denoising.trajectory import Iterate, measured
from nerd_gui.denoising.warm_start import NO_EQUILIBRIUM, Equilibrium
from nerd_gui.equilibrium import SOLVERS, SolverStep, StopReason
from nerd_gui.nerd import Network, exact_float32, load_model

_NO_PREDICTION = "Only the tiles of a whole photo have a predicted start, so the run starts from zero."


class _Stopped(Exception):
    """Aborts an evaluation of f after cancelling."""


class DenoisingRun:
    """A run that is ready to start; `iterates` does the work, on the thread that calls it.

    Parameters
    ----------
    subject : Subject
    settings : RunSettings
    net : Network, optional
        None: the network `settings.model` is loaded.
    start_from : Equilibrium, optional
        The start of a run with the start "last": `Trajectory.equilibrium` of an earlier run.

    Attributes
    ----------
    settings : RunSettings
        The given settings with two changes: the start is "zero" if there is no such start here, and the strength is the
        noise level that the network is given.
    notice : str or None
        A sentence that says why the start is "zero" although another one was asked for.

    Raises
    ------
    RunError
        If the device is missing, the picture does not suit the network, memory does not suffice, there is an
        equilibrium but the start is not "last", or a strength but the network does not take one.
    ModelError
        If the network cannot be loaded.
    """

    def __init__(
        self,
        subject: Subject,
        settings: RunSettings,
        net: Network | None = None,
        start_from: Equilibrium | None = None,
    ) -> None:
        check_device(settings.device)
        self.subject = subject
        self.net = net if net is not None else load_model(settings.model, device=settings.device)
        if self.net.config.channels not in (1, 3):
            raise RunError(
                f"The network “{settings.model}” takes {self.net.config.channels} channels; photos have 1 or 3."
            )
        self.settings = settings = with_strength(settings, subject, self.net)
        self.window = settings.window or self.net.config.window
        self.batch = batch_size(self.net, subject.channels)
        self.plan = self._planned()
        self.start_from, self.notice = self._checked_start(start_from)
        if self.notice is not None:
            self.settings = replace(settings, start="zero")

    def _planned(self) -> MemoryPlan:
        what = self.net.config, self.settings, self.batch, self.subject.rows, self.subject.cols
        if not roomy_plan(*what):
            allocator.trim()  # releases memory that an earlier run kept for reuse
        return plan_run(*what)

    def _checked_start(self, given: Equilibrium | None) -> tuple[Equilibrium | None, str | None]:
        """The equilibrium that the run starts from, or a sentence that says why it starts from zero instead."""
        settings = self.settings
        if settings.start != "last":
            if given is not None:
                raise RunError(f"A run with the start “{settings.start}” takes no equilibrium; choose “last”.")
            return None, _NO_PREDICTION if settings.start == "predicted" else None
        if given is None:
            return None, NO_EQUILIBRIUM
        misfit = given.misfit(self.subject, settings.model, self.batch, self.net.config.features)
        return (given, None) if misfit is None else (None, misfit)

    def iterates(
        self, should_stop: Callable[[], bool] | None = None, *, keep_features: bool = True
    ) -> Iterator[Iterate]:
        """Solve, and yield every iterate, decoded, as it arrives.

        Parameters
        ----------
        should_stop : callable, optional
            Called before, during and after each evaluation of f; if it returns True, the stream ends.
        keep_features : bool
            Whether to keep the features, for attention maps and analyses (2.4 GB per megapixel for 17 steps at
            d = 64). What does not fit into memory is kept on disk.

        Raises
        ------
        OutOfMemory
            If memory runs out.
        RunError
            If the disk is full.
        """
        try:
            with want_of_memory(self.settings, "close other programs, or choose a smaller region or another device"):
                yield from self._iterates(should_stop, self._feature_store() if keep_features else None)
        except _Stopped:
            return

    def _feature_store(self) -> FeatureStore:
        if self.settings.device.startswith("cuda"):  # the plan is for the GPU's memory; features are in main memory
            return FeatureStore(IN_MEMORY)
        return FeatureStore(max(0, min(IN_MEMORY, self.plan.budget - self.plan.needed)))

    def _iterates(self, should_stop: Callable[[], bool] | None, store: FeatureStore | None) -> Iterator[Iterate]:
        settings, net = self.settings, self.net
        if not (self.plan.reuse and allocator.reuses()):
            # Until the first iterate: what is compiled and loaded for it must not lie among what is reused.
            allocator.return_freed()
        with torch.no_grad(), exact_float32():
            y = to_batch(self.subject.noisy, net).to(settings.device)
            s = net.inject(y, settings.strength)
            kept_s = store.keep(s) if store else None

        def interrupt() -> None:
            if should_stop is not None and should_stop():
                raise _Stopped

        def f(z: Tensor) -> Tensor:
            with exact_float32():
                return net.implicit(z, s, window=self.window, precision=settings.precision, interrupt=interrupt)

        keywords = replace(settings, memory=self.plan.pairs).solver_keywords()
        keywords |= {"pair_dtype": self.plan.pair_dtype, "should_stop": should_stop}
        rule = EyeRule() if settings.stop_on == PICTURE else None
        before: Tensor | None = None  # the previous iterate, which the solver holds too
        for step in SOLVERS[settings.solver](f, self._start(s), **keywords):
            features = None
            if store is not None and kept_s is not None:
                settling = _settling(step, before, store)
                features = Features(store.keep(step.z), kept_s, net.attention_statistics(step.z, s), settling)
            iterate = self._decoded(step, y, features, rule, store)
            yield iterate
            if iterate.stop_reason is StopReason.SETTLED:
                return
            if not step.index:
                allocator.set_reuse(self.plan.reuse)
            before = step.z
            del step, iterate  # so that f can reuse the memory of f(z) and of the features

    def _start(self, s: Tensor) -> Tensor:
        z0 = self.net.initial(s)
        if self.start_from is not None:
            return z0.copy_(self.start_from.placed(self.subject))
        if self.settings.start == "random":
            # Drawn on the CPU so that a seed means the same start on every device.
            generator = torch.Generator().manual_seed(self.settings.start_seed)
            z0.copy_(torch.randn(z0.shape, generator=generator))
        return z0

    @torch.no_grad()
    def _decoded(
        self,
        step: SolverStep,
        y: Tensor,
        features: Features | None,
        rule: EyeRule | None,
        store: FeatureStore | None,
    ) -> Iterate:
        subject = self.subject
        _, estimated = self.net.estimate(y, step.z)
        # A diverging z may decode to NaN, or to values beyond the range of half precision.
        n_hat = np.nan_to_num(from_batch(estimated, subject.channels)).clip(-HALF_MAX, HALF_MAX)
        reason = step.stop_reason
        if rule is not None and rule.settled(n_hat) and reason in (None, StopReason.STEP_LIMIT):
            reason = StopReason.SETTLED
        return Iterate(
            index=step.index,
            n_hat=n_hat.astype(np.float16) if store is None else store.keep(torch.from_numpy(n_hat)).numpy(),
            features=features,
            residual=float(step.residual.max()),
            relative_step=_worst(step.relative_step),
            residual_change=_worst(step.residual_change),
            **measured(subject, n_hat),
            seconds=step.seconds,
            evaluations=step.evaluations,
            restarted=bool(step.restarted),
            stop_reason=reason,
        )


@torch.no_grad()
def _settling(step: SolverStep, before: Tensor | None, store: FeatureStore) -> Settling:
    residual = store.keep(pixel_norms(step.f_z, step.z))
    update = None if before is None else store.keep(pixel_norms(step.z, before))
    pixels = step.z.shape[2] * step.z.shape[3]
    sizes = torch.linalg.vector_norm(step.f_z, dim=(1, 2, 3)) / pixels**0.5
    return Settling(residual, update, tuple(sizes.tolist()))


def _worst(measure: Tensor | None) -> float | None:
    return None if measure is None else float(measure.max())
