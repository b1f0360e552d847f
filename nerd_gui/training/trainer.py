"""One training run: its network, its optimizer, its random numbers, and one step of them (Sec. V)."""

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

#: Residual at which a solve of training ends before its steps are used up.
TOLERANCE = 1e-3
#: Patches that the statistics which BatchNorm keeps are taken from.
_SEEN_BY_NORMS = 400


@dataclass(frozen=True)
class StepRecord:
    """What one step did, in all processes: mean squared error in 0-255 units, forward residual, gradient norm."""

    mse: float
    residual: float
    gradient_norm: float


def equilibrium(f: Callable[[Tensor], Tensor], z0: Tensor, steps: int, tol: float) -> tuple[Tensor, Tensor]:
    """Each sample's iterate of least residual within so many Broyden steps, and that residual (B,).

    An accelerator is not waited for: it takes all steps, whatever `tol` says.
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
    """Mean of ``||f(b) - f(a)||^2 / ||b - a||^2`` over the samples, for two points (a, f(a)) and (b, f(b)).

    Of neighbouring iterates: the square of the rate at which what is left of the residual, the directions that a solver
    is slow in, dies away. It costs no evaluation of f. 0 if there is only one point.
    """
    if len(points) < 2:
        return points[0][0].new_zeros(())
    (a, f_a), (b, f_b) = points
    apart = (b - a).flatten(1).square().sum(1).clamp(min=1e-12)
    return ((f_b - f_a).flatten(1).square().sum(1) / apart).mean()


def _batch_norms(net: NERD) -> list[torch.nn.BatchNorm2d]:
    return [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]


def _optimizers(net: NERD, recipe: Recipe) -> dict[str, torch.optim.Optimizer]:
    """Muon for the matrices, AdamW for all else and for the decoder, whose steps have to be smaller."""
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
    """What marks the random numbers of a process in the state; the first one's bear no mark, as those of one alone."""
    return f".{rank}" if rank else ""


class Trainer:
    """The moving parts of a run; all of them go into `state` and come back with `restore`, to the bit.

    Of several `processes` each has a trainer, with patches and dropout of its own and all else the same.
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
        self.rate_factor = 1.0  # halved by every divergence

    @property
    def decayed(self) -> float:
        """The part of the decay that is over: 0 in the stable phase, 1 at the end."""
        return 0.0 if self.decay_start is None else min(1.0, (self.samples - self.decay_start) / self.decay_samples)

    @property
    def decay_finished(self) -> bool:
        """Whether the learning rate has reached 0, so that the network can be released."""
        return self.decayed == 1

    @property
    def decay_due(self) -> bool:
        """Whether the recipe lets a decay begin by itself, and now."""
        at = self.recipe.decay_at
        return self.decay_start is None and at is not None and self.samples >= at

    @property
    def stage(self) -> Stage:
        """The settings that hold at this number of samples."""
        return self.recipe.stage(self.samples, self.decayed)

    def start_decay(self, samples: int) -> None:
        """Let the learning rate fall to 0 over the next `samples` samples."""
        if self.decay_start is None:
            self.decay_start, self.decay_samples = self.samples, samples

    def learning_rate(self) -> float:
        """The rate of the next step."""
        since_start = self.samples - self.warm_from
        return learning_rate(self.recipe, self.stage, since_start, self.decayed, self.rate_factor)

    def _noise_feature(self, s: Tensor, stage: Stage) -> tuple[Tensor, Tensor, Tensor]:
        """The z to decode with its gradient, the mean residual of the solve, and the penalty that keeps it small."""
        f, z0 = self.evaluator.at(s, stage.precision), self.net.initial(s)
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
        """Draw a batch and make one step of the optimizer; a step that is not finite is dropped."""
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
        # The one wait for the device in a step.
        error, weighted, mean_residual, norm = torch.stack([*figures, size.to(loss)]).tolist()
        if math.isfinite(norm):
            for optimizer in self.optimizers.values():
                optimizer.step()
            self._average()
        self.samples += stage.batch * self.processes.count
        self.steps += 1
        self.guard.watch(weighted, norm)
        if self.stage != stage:  # whose losses are others
            self.guard = DivergenceGuard()
        return StepRecord(error * 255**2, mean_residual, norm)

    def _told(self, patches: NoisyPatches, generator: torch.Generator) -> Tensor | None:
        """The levels that a network with level input is told: the true ones, more or less."""
        if not self.recipe.model.level_input:
            return None
        uniform = torch.rand(len(patches.noisy), generator=generator, device=self.device)
        return patches.level * self.recipe.level_jitter ** (2 * uniform - 1)

    def fix_norms(self, statistics: Mapping[str, Tensor]) -> None:
        """Let BatchNorm use the running statistics in this state dictionary from now on."""
        buffers = {name for name, _ in self.net.named_buffers()}
        self.net.load_state_dict({name: statistics[name] for name in buffers}, strict=False)
        for norm in _batch_norms(self.net):
            norm.eval()
        self.norms_fixed = True

    @torch.no_grad()
    def _average(self) -> None:
        # A short memory at first, so that the average does not drag the random start along.
        decay = min(self.recipe.ema, (1 + self.steps) / (10 + self.steps))
        parameters = dict(self.net.named_parameters())
        torch._foreach_lerp_(list(self.ema.values()), [parameters[name].detach() for name in self.ema], 1 - decay)

    def small_state(self) -> RunState:
        """Weights, averages and counts alone: what is worth committing."""
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
        """Everything needed to go on from here, the random numbers of all processes included."""
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
        """Go on from `state`; one without moments or random numbers (a committed, small one) is re-warmed.

        Raises
        ------
        DataError
            If it is that of another network.
        """
        try:
            self.net.load_state_dict(state.part("model"))
        except RuntimeError as error:
            raise DataError("The training state is that of another network; go on with its own recipe.") from error
        for name, value in state.part("ema").items():
            self.ema[name].copy_(value)
        self.net.train()
        self.norms_fixed = False
        self.samples, self.steps = state.numbers["samples"], state.numbers["steps"]
        self.seconds = state.numbers["seconds"]
        self.decay_start, self.decay_samples = state.numbers["decay_start"], state.numbers["decay_samples"]
        # Older states lack what came later.
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
            # Without its old state the generator must not repeat the patches that the run began with.
            self.generator.manual_seed(self.recipe.seed + self.samples + rank)

    def moment(self) -> RunState:
        """A copy of this process's state in memory, to `go_back` to."""
        state = self._but_for_random()
        return RunState({name: value.detach().clone() for name, value in state.tensors.items()}, state.numbers)

    def go_back(self, good: RunState) -> None:
        """Return from a divergence to a `moment` before it, to go on with half the learning rate.

        The random numbers do not return: what is drawn next was not drawn before. A run that is resumed in between
        comes to the same divergence, goes back alike, and goes on alike.
        """
        rate_factor = self.rate_factor / 2
        own = {f"random.{name}{_of(self.processes.rank)}": value for name, value in self._random().items()}
        tensors = {name: value.clone() for name, value in good.tensors.items()}
        self.restore(RunState(tensors | own, good.numbers))
        self.rate_factor = rate_factor
        self.guard.calm()

    @torch.no_grad()
    def averaged(self, batches: int = 30) -> NERD:
        """The network of the EMA weights in eval mode, its BatchNorm statistics taken anew from `batches` batches.

        Statistics that are fixed stay as they are. Draws from a generator of its own: asking for the average does not
        change the run.
        """
        with torch.random.fork_rng(devices=[]):  # the start of a network draws from the run's random numbers
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
            f = partial(net.implicit, s=s, precision=precision)
            z, _ = equilibrium(f, net.initial(s), stage.solver_steps or 8, tol=TOLERANCE)
            net.decode(z)
        return net.eval()
