"""`nerd-gui train`: training sessions with a time budget, each of which continues where the last one ended."""

import csv
import io
import json
import math
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from nerd_gui.files import write_file
from nerd_gui.imaging.psnr_ssim import psnr
from nerd_gui.nerd import NERD, exact_float32, save_model
from nerd_gui.training.budget import Budget, fitting_decay
from nerd_gui.training.data import DataError, load_pictures
from nerd_gui.training.execution import Execution
from nerd_gui.training.grain import NoisyPatches
from nerd_gui.training.guard import DivergenceGuard
from nerd_gui.training.noise_models import NoiseModel
from nerd_gui.training.processes import Processes
from nerd_gui.training.recipe import Recipe, find_recipe
from nerd_gui.training.state import RunState
from nerd_gui.training.trainer import Trainer, equilibrium
from nerd_gui.training.widening import widened

_CURVE = ("samples", "seconds", "mse", "residual", "validation_psnr", "validation_residual", "learning_rate")
_CROP, _CROPS = 96, 6
_VALIDATION_BATCHES, _RELEASE_BATCHES = 3, 30  # batches for BatchNorm's statistics of the averaged network


def validation_batch(pictures: list[np.ndarray], noise: NoiseModel, device: torch.device) -> NoisyPatches:
    """Make noisy centre crops of the first validation pictures, and their targets, (6, C, 96, 96), always the same."""
    side = noise.side(_CROP)
    if any(min(picture.shape[-2:]) < side for picture in pictures[:_CROPS]):
        raise DataError(f"The validation pictures must be at least {side} pixels wide and high.")
    crops = []
    for picture in pictures[:_CROPS]:
        top, left = ((size - side) // 2 for size in picture.shape[-2:])
        crops.append(picture[..., top : top + side, left : left + side].reshape(-1, side, side))
    patches = noise.for_validation(torch.from_numpy(np.stack(crops).astype(np.float32) / 255))
    return NoisyPatches(*(tensor.to(device) for tensor in patches))


@torch.no_grad()
def validate(
    net: NERD, patches: NoisyPatches, steps: int = 12, *, told: float = 1.0, window: int | None = None
) -> tuple[float, float]:
    """Return the mean PSNR (dB) and the mean least residual, in float32; NaN and infinity if a result is not finite.

    A network with level input gets the true level of each picture times `told`. The window is that of the network if
    it is None.
    """
    noisy, clean, _ = patches
    with exact_float32():
        s = net.inject(noisy, told * patches.level if net.config.level_input else None)
        f = partial(net.implicit, s=s, precision="float32", window=window)
        z, residual = equilibrium(f, net.initial(s), steps, tol=0)
        x_hat, _ = net.estimate(noisy, z)
    if not x_hat.isfinite().all():
        return math.nan, math.inf
    pairs = zip(clean.cpu().numpy(), x_hat.cpu().numpy(), strict=True)
    return float(np.mean([psnr(one, other) for one, other in pairs])), float(residual.mean())


def _recipe_of(path: Path) -> Recipe:
    try:
        return find_recipe(str(path))
    except ValueError as error:
        raise DataError(str(error)) from error


def _describe(recipe: Recipe, folder: Path) -> bool:
    """Write the recipe of the run in a folder, and return whether it is the same as before."""
    described = folder / "recipe.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = _recipe_of(described) if described.exists() else None
        if before is not None and before.model != recipe.model:
            raise DataError(f"The run in “{folder}” trains another network; choose another folder.")
        write_file(described, json.dumps(recipe.to_json(), indent=2).encode())
    except OSError as error:
        raise DataError(f"Files cannot be written to “{folder}” ({error.strerror}); choose another folder.") from error
    return before == recipe


def _open_run(
    recipe: Recipe,
    pictures: Tensor,
    folder: Path,
    fork: Path | None,
    widen: bool,
    processes: Processes,
    execution: Execution,
) -> Trainer:
    """Continue the run in `folder` if it has a state; else start a new one, from the state `fork` if given."""
    (as_before,) = processes.agree(_describe(recipe, folder) if processes.first else False)
    trainer = Trainer(recipe, pictures, processes, execution)
    state = folder / "state.safetensors"
    if state.exists():
        trainer.restore(RunState.load(state, trainer.device))
    elif fork is not None:
        begun = RunState.load(fork, trainer.device).in_channels(recipe.model.channels)
        if recipe.model.level_input:
            begun = begun.with_level_input()
        trainer.restore(widened(begun, recipe.model.features) if widen else begun)
        trainer.decay_start = None
    if not as_before:  # another recipe's losses and learning rate are not comparable
        trainer.guard, trainer.rate_factor = DivergenceGuard(), 1.0
    return trainer


def train(
    recipe: Recipe,
    folders: Path | Sequence[Path],
    folder: Path,
    *,
    minutes: float,
    decay: int | Literal["fit"] = 0,
    fork: Path | None = None,
    widen: bool = False,
    device: str | torch.device = "cpu",
    validate_every: float = 4.0,
    release: Path | None = None,
    keep: Path | None = None,
    execution: Execution | None = None,
    processes: Processes | None = None,
    began: float | None = None,
) -> Trainer:
    """Train for a number of minutes, or to the end of the decay.

    If the run diverges, it returns to its state at the last validation (or at the beginning), and continues from there
    with other patches and half the learning rate.

    Parameters
    ----------
    folders : Path or sequence of Path
        Folders of training pictures, see `load_pictures`.
    folder : Path
        Folder of the run's state, recipe and curve.
    minutes : float
        Time budget of this session, including loading, validation and writing.
    decay : int or "fit"
        Start a decay over this number of samples (0: none). With "fit", the number is chosen so that the decay ends
        with this session, from the measured time of a few steps. A decay that has started already continues.
    fork : Path, optional
        State of another run to start from. A colour network may start from a grey one, and a network with level input
        from a blind one.
    widen : bool
        Widen the state `fork` to the features of this recipe's network first, so that it denoises as before.
    validate_every : float
        Minutes between validations; each validation saves the state.
    release : Path, optional
        File for the averaged network at the end. The state before the decay is saved beside it in `state/`, so that a
        later session can continue from it (`fork`).
    keep : Path, optional
        Folder for copies of curve, recipe and state, written with every validation. The state has no optimizer moments,
        which makes it small; a run that is forked from it warms up again.
    execution : Execution, optional
        How steps are computed on this machine, and the factor for batch sizes.
    processes : Processes, optional
        Processes that train together. They share all folders, and the first one writes. All other arguments but
        `device` must be the same in each.
    began : float, optional
        `time.monotonic()` at the start of the time budget; None: now.

    Raises
    ------
    DataError
        If the pictures, the state or the recipe in the folder cannot be used, a file cannot be written, or the run ends
        in a divergence.
    """
    budget = Budget(time.monotonic() if began is None else began, minutes)
    if release is not None:
        budget.release = _RELEASE_BATCHES / _VALIDATION_BATCHES
    processes, execution = processes or Processes(), execution or Execution()
    pictures, held_out = load_pictures(folders, recipe.model.channels)
    trainer = _open_run(execution.applied_to(recipe), pictures.to(device), folder, fork, widen, processes, execution)
    patches = validation_batch(held_out, recipe.noise, trainer.device)

    def validation() -> list[float]:
        figures = 0.0, 0.0
        if processes.first:
            with budget.timing("average"):
                net = trainer.averaged(_VALIDATION_BATCHES)
            figures = validate(net, patches, window=trainer.stage.window)
        return processes.agree(*figures)

    def start_decay(samples: int) -> None:
        if release is not None and processes.first:
            _keep_stable_state(trainer, release)
        trainer.start_decay(samples)

    if decay and not trainer.decayed:
        if decay == "fit":
            with budget.timing("validation"):
                validation()
            decay = fitting_decay(trainer, budget, validate_every)
        start_decay(decay)
    good = trainer.moment()
    errors: list[float] = []
    residuals: list[float] = []
    mark = time.monotonic()
    over = trainer.decay_finished  # an earlier session finished the decay but was killed before writing the network
    if over:
        score, residual = validation()
    while not over:
        if trainer.decay_due:
            start_decay(trainer.recipe.decay_over)
        stage = trainer.stage
        with budget.timing("step"):
            record = trainer.step()
        if trainer.guard.diverged:
            _go_back(trainer, good)
            errors, residuals = [], []
        elif math.isfinite(record.gradient_norm):
            errors.append(record.mse)
            residuals.append(record.residual)
        due = budget.due(mark, validate_every) and not trainer.guard.alarmed
        late, due = map(bool, processes.agree(budget.left(new_stage=trainer.stage != stage) <= 0, due))
        if not (late or due or trainer.decay_finished):
            continue
        trainer.seconds += time.monotonic() - mark
        with budget.timing("validation"):
            score, residual = validation()
            sound = math.isfinite(score) and math.isfinite(residual)
            if sound:
                good, state = trainer.moment(), trainer.state()
                if processes.first:
                    state.save(folder / "state.safetensors")
                    _report(trainer, folder, errors, residuals, score, residual)
                    if keep is not None:
                        _keep(trainer, folder, keep)
        if late and not sound:
            raise DataError(
                f"The run in “{folder}” has diverged; its last good state is kept. Lower the learning rate."
            )
        if not sound:
            _go_back(trainer, good)
        mark, errors, residuals = time.monotonic(), [], []
        # The session may also end because the validation took all remaining time.
        (spent,) = processes.agree(budget.left() <= 0)
        over = late or bool(spent) or trainer.decay_finished
    if release is not None and processes.first:
        release_network(trainer, release, score, residual)
    return trainer


def _go_back(trainer: Trainer, good: RunState) -> None:
    diverged = trainer.samples
    trainer.go_back(good)
    if trainer.processes.first:
        print(
            f"The run diverged at {diverged} samples. It continues from {trainer.samples} samples with other patches "
            f"and {trainer.rate_factor:g} times the recipe's learning rate.",
            file=sys.stderr,
            flush=True,
        )


def release_network(trainer: Trainer, path: Path, validation_psnr: float, validation_residual: float) -> None:
    """Write the averaged network with its training record."""
    record = {
        "recipe": trainer.recipe.to_json(),
        "samples": trainer.samples,
        "steps": trainer.steps,
        "hours": round(trainer.seconds / 3600, 3),
        "device": str(trainer.device),
        "threads": torch.get_num_threads(),
        "decayed": trainer.decay_finished,
        "validation_psnr": round(validation_psnr, 3),
        "validation_residual": _significant(validation_residual),
    }
    try:
        save_model(path, trainer.averaged(_RELEASE_BATCHES), record)
    except OSError as error:
        raise DataError(
            f"The network “{path}” cannot be written ({error.strerror}); the run's own state is kept."
        ) from error


def _keep_stable_state(trainer: Trainer, release: Path) -> None:
    state = release.parent / "state" / release.name
    try:
        state.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise DataError(f"The folder “{state.parent}” cannot be created ({error}); choose another place.") from error
    trainer.small_state().in_half().save(state)


def _keep(trainer: Trainer, folder: Path, keep: Path) -> None:
    try:
        keep.mkdir(parents=True, exist_ok=True)
        for name in ("curve.csv", "recipe.json"):
            write_file(keep / name, (folder / name).read_bytes())
    except OSError as error:
        raise DataError(
            f"Files cannot be written to “{keep}” ({error.strerror}); the run's own state is saved."
        ) from error
    trainer.small_state().in_half().save(keep / "state.safetensors")


def _significant(residual: float) -> float:
    """Round to three significant digits."""
    return float(f"{residual:.3g}")


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _report(
    trainer: Trainer, folder: Path, errors: list[float], residuals: list[float], score: float, residual: float
) -> None:
    row = (
        trainer.samples,
        round(trainer.seconds, 1),
        round(_mean(errors), 2),
        round(_mean(residuals), 5),
        round(score, 3),
        _significant(residual),
        round(trainer.learning_rate(), 6),
    )
    path = folder / "curve.csv"
    line = io.StringIO(newline="")
    csv.writer(line).writerow(row)
    try:
        before = path.read_bytes() if path.exists() else (",".join(_CURVE) + "\r\n").encode()
        write_file(path, before + line.getvalue().encode())
    except OSError as error:
        raise DataError(
            f"The training curve “{path}” cannot be written ({error.strerror}); the state is saved."
        ) from error
    speed = trainer.samples / max(trainer.seconds, 1e-9)
    print(
        f"{trainer.samples} samples, {trainer.seconds / 60:.1f} min ({speed:.1f}/s): "
        f"training error {row[2]:.1f}, residual {row[3]:.3f}; validation {score:.3f} dB, residual {residual:.1e}",
        file=sys.stderr,
        flush=True,
    )
