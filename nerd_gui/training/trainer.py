"""One training run: its network, optimizers and random numbers, and the training step (Sec. V)."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import cast

import torch
from torch import Tensor

from nerd_gui.equilibrium import broyden, broyden_without_synchronisation, phantom_gradient
from nerd_gui.nerd import NERD
from nerd_gui.training.data import DataError, PatchSampler
from nerd_gui.training.execution import Evaluator, Execution
from nerd_gui.training.grain import NoisyPatches
from nerd_gui.training.guard import DivergenceGuard
from nerd_gui.training.learning_rate import learning_rate
from nerd_gui.training.muon import Muon
from nerd_gui.training.processes import Processes
from nerd_gui.training.recipe import Recipe, Stage
from nerd_gui.training.state import RunState, optimizer_tensors, restore_optimizer

#: Residual at which a solve in training ends early.
TOLERANCE = 1e-3
#: Number of patches from which BatchNorm's fixed statistics are computed.
_SEEN_BY_NORMS = 400


@dataclass(frozen=True)
class StepRecord:
    """One step's results over all processes: mean squared error (0-255 scale), residual of the solve, gradient norm."""

    mse: float
    residual: float
    gradient_norm: float


def equilibrium(f: Callable[[Tensor], Tensor], z0: Tensor, steps: int, tol: float) -> tuple[Tensor, Tensor]:
    """Return each sample's iterate of least residual within a number of Broyden steps, and that residual (B,).

    On an accelerator, all steps are taken and `tol` is ignored, so that the device is not waited for.
    """
    if z0.device.type != "cpu":
        return broyden_without_synchronisation(f, z0, steps=steps)
    best_z, best = z0, torch.full((z0.shape[0],), torch.inf, dtype=torch.float64)
    for step in broyden(f, z0, max_iter=steps, tol=tol):
        better = step.residual < best
        best = torch.minimum(best, step.residual)
        best_z = torch.where(better.to(z0.device).view(-1, *[1] * (z0.dim() - 1)), step.z, best_z)
    return best_z, best


def contraction(points: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Compute the mean of ``||f(b) - f(a)||^2 / ||b - a||^2`` over the samples, for points (a, f(a)) and (b, f(b)).

    For successive iterates near the equilibrium, this is the squared rate at which f contracts the remaining residual,
    which consists of the directions in which the solver is slow. It needs no evaluation of f. With only one point, it
    is 0.
    """
    if len(points) < 2:
        return points[0][0].new_zeros(())
    (a, f_a), (b, f_b) = points
    apart = (b - a).flatten(1).square().sum(1).clamp(min=1e-12)
    return ((f_b - f_a).flatten(1).square().sum(1) / apart).mean()


def _batch_norms(net: NERD) -> list[torch.nn.BatchNorm2d]:
    return [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]


def _optimizers(net: NERD, recipe: Recipe) -> dict[str, torch.optim.Optimizer]:
    """Make the optimizers: Muon for matrix weights, AdamW for all others and for the decoder, with smaller steps."""
    decoder = list(net.f_decode.parameters())
    others = [weight for name, weight in net.named_parameters() if not name.startswith("f_decode.")]
    rate, decay = recipe.learning_rate, recipe.weight_decay
    rest = [weight for weight in others if not (recipe.muon and Muon.suits(weight))]
    groups = [{"params": rest, "rate": 1.0}, {"params": decoder, "rate": recipe.decoder_rate}]
    made: dict[str, torch.optim.Optimizer] = {
        "adamw": torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.999), weight_decay=decay)
    }
    if recipe.muon:
        matrices = [weight for weight in others if Muon.suits(weight)]
        made["muon"] = Muon([{"params": matrices, "rate": 1.0}], lr=rate, weight_decay=decay)
    return made


def _of(rank: int) -> str:
    """Suffix of the names of a process's random states; the first process has none, as in a run of a single process."""
    return f".{rank}" if rank else ""


class Trainer:
    """A training run. `state` and `restore` save and restore it bit for bit.

    If there are several `processes`, each has a trainer with its own patches and dropout; everything else is the same.
    """

    def __init__(
        self, recipe: Recipe, pictures: Tensor, processes: Processes | None = None, execution: Execution | None = None
    ) -> None:
        self.recipe = recipe
        self.processes = processes or Processes()
        self.device = pictures.device
        torch.backends.cudnn.benchmark = self.device.type == "cuda"  # thousands of steps of a few shapes
        torch.manual_seed(recipe.seed)
        self.net = NERD(recipe.model).to(self.device).train()
        self.evaluator = Evaluator(self.net, execution or Execution())
        self.ema = {name: value.detach().clone() for name, value in self.net.named_parameters()}
        self.optimizers = _optimizers(self.net, recipe)
        if self.processes.rank:
            torch.manual_seed(recipe.seed + self.processes.rank)
        self.generator = torch.Generator(self.device).manual_seed(recipe.seed + self.processes.rank)
        self.sampler = PatchSampler(pictures, recipe.noise, self.generator)
        self.samples = 0
        self.steps = 0
        self.seconds = 0.0
        self.warm_from = 0
        self.norms_fixed = False
        self.decay_start: int | None = None
        self.decay_samples = 0
        self.guard = DivergenceGuard()
        self.rate_factor = 1.0  # every divergence halves it

    @property
    def decayed(self) -> float:
        """The fraction of the decay that is over: 0 in the stable phase, 1 at the end."""
        return 0.0 if self.decay_start is None else min(1.0, (self.samples - self.decay_start) / self.decay_samples)

    @property
    def decay_finished(self) -> bool:
        """Whether the learning rate has reached 0, so that the network can be released."""
        return self.decayed == 1

    @property
    def decay_due(self) -> bool:
        """Whether the recipe's automatic decay is to start now."""
        at = self.recipe.decay_at
        return self.decay_start is None and at is not None and self.samples >= at

    @property
    def stage(self) -> Stage:
        """The current stage."""
        return self.recipe.stage(self.samples, self.decayed)

    def start_decay(self, samples: int) -> None:
        """Start a decay: the learning rate falls to 0 over the next `samples` samples."""
        if self.decay_start is None:
            self.decay_start, self.decay_samples = self.samples, samples

    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        since_start = self.samples - self.warm_from
        return learning_rate(self.recipe, self.stage, since_start, self.decayed, self.rate_factor)

    def _noise_feature(self, s: Tensor, stage: Stage) -> tuple[Tensor, Tensor, Tensor]:
        """Return z with its gradient, the mean residual of the solve, and the penalty on slow contraction."""
        f, z0 = self.evaluator.at(s, stage.precision, stage.window), self.net.initial(s)
        if stage.solver_steps == 0:
            z = before = z0
            for _ in range(stage.unroll):
                before, z = z, f(z)
            residual = ((z - before).flatten(1).norm(dim=1) / z.flatten(1).norm(dim=1)).detach()
            return z, residual.mean(), z.new_zeros(())
        z_star, residual = equilibrium(f, z0, stage.solver_steps, tol=TOLERANCE)
        points: list[tuple[Tensor, Tensor]] = []  # z and f(z)

        def recorded(z: Tensor) -> Tensor:
            points.append((z, f(z)))
            return points[-1][1]

        z = phantom_gradient(recorded, z_star, steps=stage.unroll, damping=self.recipe.damping)
        return z, residual.mean(), contraction(points[-2:])

    def step(self) -> StepRecord:
        """Draw a batch and take one optimizer step, which is skipped if the gradient is not finite."""
        stage = self.stage
        fix_from = self.recipe.norms_fixed_from
        if not self.norms_fixed and fix_from is not None and self.samples >= fix_from:
            batches = min(100, max(10, _SEEN_BY_NORMS // self.recipe.decay_stage.batch))
            self.fix_norms(self.averaged(batches).state_dict())
        patches = self.sampler.batch(stage.batch, stage.patch)
        noisy, target, sigma = patches
        self.net.renew_dropout(stage.batch)
        s = self.net.inject(noisy, self._told(patches, self.generator))
        z, residual, slowness = self._noise_feature(s, stage)
        x_hat, _ = self.net.estimate(noisy, z)
        squared = (x_hat - target).square().mean(dim=(1, 2, 3))
        weight = (25 / sigma.clamp(min=5)) ** self.recipe.noise_weight
        # In units of (0.1)^2, so that the clipping threshold has the same meaning at every noise level.
        loss = (weight * squared).mean() * 100 + self.recipe.contraction_weight * slowness
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate() * group["rate"]
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        figures = torch.stack([figure.detach().to(loss) for figure in (squared.mean(), loss, residual)])
        self.processes.average([*(p.grad for p in self.net.parameters() if p.grad is not None), figures])
        size = torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.recipe.clip)
        # This is the only place in a step that waits for the device.
        error, weighted, mean_residual, norm = torch.stack([*figures, size.to(loss)]).tolist()
        if math.isfinite(norm):
            for optimizer in self.optimizers.values():
                optimizer.step()
            self._average()
        self.samples += stage.batch * self.processes.count
        self.steps += 1
        self.guard.watch(weighted, norm)
        if self.stage != stage:  # losses of different stages are not comparable
            self.guard = DivergenceGuard()
        return StepRecord(error * 255**2, mean_residual, norm)

    def _told(self, patches: NoisyPatches, generator: torch.Generator) -> Tensor | None:
        """The inputs of a network with level input: the true levels times random factors; None for other networks."""
        if not self.recipe.model.level_input:
            return None
        uniform = torch.rand(len(patches.noisy), generator=generator, device=self.device)
        return patches.level * self.recipe.level_jitter ** (2 * uniform - 1)

    def fix_norms(self, statistics: Mapping[str, Tensor]) -> None:
        """Make BatchNorm use the running statistics of this state dictionary from now on."""
        buffers = {name for name, _ in self.net.named_buffers()}
        self.net.load_state_dict({name: statistics[name] for name in buffers}, strict=False)
        for norm in _batch_norms(self.net):
            norm.eval()
        self.norms_fixed = True

    @torch.no_grad()
    def _average(self) -> None:
        # The average has a short memory at first, so that it forgets the random initial weights.
        decay = min(self.recipe.ema, (1 + self.steps) / (10 + self.steps))
        parameters = dict(self.net.named_parameters())
        torch._foreach_lerp_(list(self.ema.values()), [parameters[name].detach() for name in self.ema], 1 - decay)

    def small_state(self) -> RunState:
        """Weights, averages and counters, without moments and random states: a small state for committing."""
        tensors = {f"model.{name}": value for name, value in self.net.state_dict().items()}
        tensors |= {f"ema.{name}": value for name, value in self.ema.items()}
        numbers = {
            "samples": self.samples,
            "steps": self.steps,
            "seconds": self.seconds,
            "warm_from": self.warm_from,
            "norms_fixed": self.norms_fixed,
            "decay_start": self.decay_start,
            "decay_samples": self.decay_samples,
            "rate_factor": self.rate_factor,
            "guard": asdict(self.guard),
        }
        return RunState(tensors, numbers)

    def state(self) -> RunState:
        """The complete state, including the random states of all processes."""
        state = self._but_for_random()
        for name, own in self._random().items():
            state.tensors |= {
                f"random.{name}{_of(rank)}": value for rank, value in enumerate(self.processes.gather(own))
            }
        return state

    def _but_for_random(self) -> RunState:
        state = self.small_state()
        for kind, optimizer in self.optimizers.items():
            state.tensors |= {f"{kind}.{name}": value for name, value in optimizer_tensors(optimizer).items()}
        return state

    def _random(self) -> dict[str, Tensor]:
        return {"global": torch.get_rng_state(), "sampler": self.generator.get_state()}

    def restore(self, state: RunState) -> None:
        """Continue from `state`. If it has no moments or random states (a small state), the run warms up again.

        Raises
        ------
        DataError
            If the state belongs to another network.
        """
        try:
            self.net.load_state_dict(state.part("model"))
        except RuntimeError as error:
            raise DataError("The training state belongs to another network; use that network's recipe.") from error
        for name, value in state.part("ema").items():
            self.ema[name].copy_(value)
        self.net.train()
        self.norms_fixed = False
        self.samples, self.steps = state.numbers["samples"], state.numbers["steps"]
        self.seconds = state.numbers["seconds"]
        self.decay_start, self.decay_samples = state.numbers["decay_start"], state.numbers["decay_samples"]
        # Older states lack these numbers.
        self.warm_from = state.numbers.get("warm_from", 0)
        self.rate_factor = state.numbers.get("rate_factor", 1.0)
        self.guard = DivergenceGuard(**state.numbers.get("guard", {}))
        if state.numbers.get("norms_fixed", False):
            self.fix_norms(state.part("model"))
        moments = {kind: state.part(kind) for kind in self.optimizers}
        if all(moments.values()):
            for kind, optimizer in self.optimizers.items():
                restore_optimizer(optimizer, moments[kind])
        else:
            for optimizer in self.optimizers.values():
                optimizer.state.clear()
            self.warm_from = self.samples
        random, rank = state.part("random"), self.processes.rank
        if f"global{_of(rank)}" in random:
            torch.set_rng_state(random[f"global{_of(rank)}"].cpu())
            self.generator.set_state(random[f"sampler{_of(rank)}"].cpu())
        else:
            # Without a saved random state, the seed must differ from the initial one, so that patches do not repeat.
            self.generator.manual_seed(self.recipe.seed + self.samples + rank)

    def moment(self) -> RunState:
        """Return a copy of this process's state in memory, for `go_back`."""
        state = self._but_for_random()
        return RunState({name: value.detach().clone() for name, value in state.tensors.items()}, state.numbers)

    def go_back(self, good: RunState) -> None:
        """Return to a `moment` before a divergence, and halve the learning rate.

        The random states are not restored, so that other patches are drawn. A run that was resumed in between diverges
        at the same step and continues in the same way.
        """
        rate_factor = self.rate_factor / 2
        own = {f"random.{name}{_of(self.processes.rank)}": value for name, value in self._random().items()}
        tensors = {name: value.clone() for name, value in good.tensors.items()}
        self.restore(RunState(tensors | own, good.numbers))
        self.rate_factor = rate_factor
        self.guard.calm()

    @torch.no_grad()
    def averaged(self, batches: int = 30) -> NERD:
        """Make the network of the averaged weights in evaluation mode, with BatchNorm statistics of `batches` batches.

        Fixed statistics are kept. The batches are drawn with a separate random generator, so that the run itself is not
        changed.
        """
        with torch.random.fork_rng(devices=[]):  # initialising a network would draw from the run's random numbers
            net = NERD(self.recipe.model).to(self.device)
        net.load_state_dict({**self.net.state_dict(), **self.ema})
        net.eval()
        if self.norms_fixed:
            return net
        for norm in _batch_norms(net):
            norm.reset_running_stats()
            norm.momentum = cast(float, None)  # a plain mean over the batches
            norm.train()
        generator = torch.Generator(self.device).manual_seed(self.recipe.seed + 1)
        sampler = PatchSampler(self.sampler.pictures, self.recipe.noise, generator)
        stage = self.recipe.decay_stage
        precision = stage.precision if self.device.type == "cuda" else None  # attention is many times faster there
        for _ in itertools.repeat(None, batches):
            patches = sampler.batch(stage.batch, stage.patch)
            s = net.inject(patches.noisy, self._told(patches, generator))
            f = partial(net.implicit, s=s, precision=precision, window=stage.window)
            z, _ = equilibrium(f, net.initial(s), stage.solver_steps or 8, tol=TOLERANCE)
            net.decode(z)
        return net.eval()
