"""`nerd-gui train`: stretches of training, budgeted in minutes, each going on where the last one ended."""

import csv
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nerd_gui.imaging.metrics import psnr
from nerd_gui.imaging.noise import add_noise
from nerd_gui.nerd import NERD, save_model
from nerd_gui.nerd.weights import write_atomically
from nerd_gui.training.data import DataError, load_pictures
from nerd_gui.training.recipe import Recipe, find_recipe
from nerd_gui.training.state import RunState
from nerd_gui.training.trainer import Trainer, equilibrium

_CURVE = ("samples", "seconds", "mse", "residual", "validation_psnr", "validation_residual", "learning_rate")
_CROP, _CROPS = 96, 6


def validation_batch(pictures: list[np.ndarray], sigma: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """Noisy and clean centre crops of the first validation pictures, (6, 1, 96, 96); one seed for each."""
    if any(min(picture.shape) < _CROP for picture in pictures[:_CROPS]):
        raise DataError(f"The validation pictures must be at least {_CROP} pixels wide and high.")
    clean = []
    for picture in pictures[:_CROPS]:
        top, left = ((size - _CROP) // 2 for size in picture.shape)
        clean.append(picture[top : top + _CROP, left : left + _CROP].astype(np.float32)[None] / 255)
    noisy = [add_noise(picture, sigma, seed) for seed, picture in enumerate(clean)]
    return torch.from_numpy(np.stack(noisy)).to(device), torch.from_numpy(np.stack(clean)).to(device)


@torch.no_grad()
def validate(net: NERD, noisy: Tensor, clean: Tensor, steps: int = 12) -> tuple[float, float]:
    """Mean PSNR (dB) of the result and mean least residual, in float32."""
    net.precision = "float32"
    s = net.inject(noisy)
    z, residual = equilibrium(lambda z: net.implicit(z, s), net.initial(s), steps, tol=0)
    x_hat, _ = net.estimate(noisy, z)
    pairs = zip(clean.cpu().numpy(), x_hat.cpu().numpy(), strict=True)
    return float(np.mean([psnr(one, other) for one, other in pairs])), float(residual.mean())


def _recipe_of(path: Path) -> Recipe:
    try:
        return find_recipe(str(path))
    except ValueError as error:
        raise DataError(str(error)) from error


def _open_run(recipe: Recipe, pictures: Tensor, folder: Path, fork: Path | None) -> Trainer:
    """The run in `folder`, gone on with where it has a state, else begun, from the state `fork` if one is given."""
    described = folder / "recipe.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if described.exists() and _recipe_of(described).model != recipe.model:
            raise DataError(f"The run in “{folder}” trains another network; choose another folder.")
        write_atomically(described, json.dumps(recipe.to_json(), indent=2).encode())
    except OSError as error:
        raise DataError(f"The folder “{folder}” cannot be written ({error}); choose another one.") from error
    trainer = Trainer(recipe, pictures)
    state = folder / "state.safetensors"
    if state.exists():
        trainer.restore(RunState.load(state, trainer.device))
    elif fork is not None:
        trainer.restore(RunState.load(fork, trainer.device))
        trainer.decay_start = None
    return trainer


def train(
    recipe: Recipe,
    source: Path,
    folder: Path,
    *,
    minutes: float,
    decay: int = 0,
    fork: Path | None = None,
    device: str = "cpu",
    check_every: float = 4.0,
    release: Path | None = None,
) -> Trainer:
    """Train for so many minutes, or to the end of the decay.

    Parameters
    ----------
    source : Path
        Folder of training pictures, or a packed `.npz`.
    folder : Path
        Where the run keeps its state, its recipe and its curve.
    minutes : float
        Budget of this stretch, loading included.
    decay : int
        Start a decay over so many samples (0: stay in the stable phase); one under way goes on.
    fork : Path, optional
        State of another run to begin from.
    check_every : float
        Minutes between validations, each of which saves the state.
    release : Path, optional
        Write the averaged network there at the end; the run as it stood before its decay, which the next stretch goes
        on from (`fork`), is kept beside it in `state/`.

    Raises
    ------
    DataError
        If the pictures, the state or the recipe in the folder cannot be used, or a file cannot be written.
    """
    began = time.monotonic()
    pictures, held_out = load_pictures(source)
    trainer = _open_run(recipe, pictures.to(device), folder, fork)
    if decay and not trainer.decayed:
        if release is not None:
            _keep_stable_state(trainer, release)
        trainer.start_decay(decay)
    sigma = 25.0 if recipe.noise.low <= 25 <= recipe.noise.high else recipe.noise.high
    noisy, clean = validation_batch(held_out, sigma, trainer.device)
    mark, errors, residuals = time.monotonic(), [], []
    while True:
        record = trainer.step()
        errors.append(record.mse)
        residuals.append(record.residual)
        now = time.monotonic()
        over = trainer.decay_finished or now - began >= 60 * minutes
        if over or now - mark >= 60 * check_every:
            trainer.seconds += now - mark
            net = trainer.averaged(batches=3)
            score, residual = validate(net, noisy, clean)
            trainer.state().save(folder / "state.safetensors")
            _report(trainer, folder, errors, residuals, score, residual)
            mark, errors, residuals = time.monotonic(), [], []
        if over:
            break
    if release is not None:
        release_network(trainer, release, score, residual)
    return trainer


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
        save_model(path, trainer.averaged(), record)
    except OSError as error:
        raise DataError(f"The network “{path}” cannot be written ({error}); the run's own state is kept.") from error


def _keep_stable_state(trainer: Trainer, release: Path) -> None:
    state = release.parent / "state" / release.name
    try:
        state.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise DataError(f"The folder “{state.parent}” cannot be made ({error}); choose another place.") from error
    trainer.small_state().save(state)


def _significant(residual: float) -> float:
    """Three digits of a number whose size matters more than its decimals."""
    return float(f"{residual:.3g}")


def _report(
    trainer: Trainer, folder: Path, errors: list[float], residuals: list[float], score: float, residual: float
) -> None:
    row = (
        trainer.samples,
        round(trainer.seconds, 1),
        round(float(np.mean(errors)), 2),
        round(float(np.mean(residuals)), 5),
        round(score, 3),
        _significant(residual),
        round(trainer.learning_rate(), 6),
    )
    path = folder / "curve.csv"
    fresh = not path.exists()
    try:
        with open(path, "a", newline="") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(_CURVE)
            writer.writerow(row)
    except OSError as error:
        raise DataError(f"The training curve “{path}” cannot be written ({error}); the state is saved.") from error
    speed = trainer.samples / max(trainer.seconds, 1e-9)
    print(
        f"{trainer.samples} samples, {trainer.seconds / 60:.1f} min ({speed:.1f}/s): "
        f"training error {row[2]:.1f}, residual {row[3]:.3f}; validation {score:.3f} dB, residual {residual:.1e}",
        file=sys.stderr,
        flush=True,
    )
