"""Fig. 11, second part: short trainings with several T and lambda, all from the same training state."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nerd_gui.imaging import open_sample, to_8_bit
from nerd_gui.places import data_folder
from nerd_gui.reproduce.item import Item, Row, Section, Table
from nerd_gui.reproduce.networks import BASELINE
from nerd_gui.reproduce.workbench import Workbench, folder_of, has_pictures
from nerd_gui.training import RECIPES, Recipe, Trainer
from nerd_gui.training.data import load_pictures
from nerd_gui.training.grain import NoisyPatches
from nerd_gui.training.state import RunState
from nerd_gui.training.train import validate, validation_batch

#: The training state of a network with post-normalization, saved before its learning rate decays
#: (`weights/TRAINING.md`).
_STATE = "nerd-lite-25-from-scratch"
#: Pairs of T and lambda. Each training begins at the same state and sees the same patches.
_GRID = ((1, 0.8), (3, 0.8), (8, 0.8), (3, 0.5), (3, 1.0))
_SAMPLES = 900
#: The validation PSNR (dB) changes by about this when BatchNorm's statistics are taken from other samples.
_SCATTER = 0.015


def _state() -> Path:
    return data_folder("weights") / "state" / f"{_STATE}.safetensors"


def _measure(bench: Workbench) -> list[Row]:
    if not bench.quick and not (_state().exists() and has_pictures("bsd400", bench.data)):
        return []
    rows: list[Row] = []
    samples = 4 if bench.quick else _SAMPLES
    for unrolled, damping in _GRID[:2] if bench.quick else _GRID:
        key = {"state": _STATE, "samples": samples, "T": unrolled, "lambda": damping}
        rows += bench.measured(None, None, 25.0, key, partial(_trained, bench, samples, unrolled, damping))
    return rows


def _trained(bench: Workbench, samples: int, unrolled: int, damping: float) -> list[Row]:
    recipe = replace(RECIPES[BASELINE], damping=damping, warm_up=1, decay_at=None)
    pictures, patches = _quick_data(recipe) if bench.quick else _data(recipe, bench.data)
    stages = [replace(stage, unroll=unrolled) for stage in (recipe.stages[-1], recipe.decay_stage)]
    if bench.quick:
        stages = [replace(stage, patch=16, batch=2, solver_steps=1, precision="float32") for stage in stages]
    trainer = Trainer(replace(recipe, stages=(stages[0],), decay_stage=stages[1]), pictures)
    if _state().exists():
        trainer.restore(RunState.load(_state(), trainer.device))
        trainer.decay_start = None
    trainer.start_decay(samples)
    while not trainer.decay_finished:
        trainer.step()
    psnr, residual = validate(trainer.averaged(1 if bench.quick else 3), patches, 2 if bench.quick else 12)
    return [{"psnr": psnr, "residual": residual}]


def _data(recipe: Recipe, data: Path | None) -> tuple[Tensor, NoisyPatches]:
    pictures, held_out = load_pictures(folder_of("bsd400", data))
    return pictures, validation_batch(held_out, recipe.noise, torch.device("cpu"))


def _quick_data(recipe: Recipe) -> tuple[Tensor, NoisyPatches]:
    picture = to_8_bit(open_sample("camera 256").grey().pixels)
    crop = torch.from_numpy(np.float32(1 / 255) * picture[None, :, 100:124, 100:124])
    return torch.from_numpy(picture[:, :64, :64].copy()), recipe.noise.for_validation(crop)


def _show(rows: list[Row], bench: Workbench) -> Section:
    table: Table = [["T", "lambda", "validation PSNR (dB)", "validation residual"]]
    table += [[str(row["T"]), f"{row['lambda']:g}", f"{row['psnr']:.3f}", f"{row['residual']:.1e}"] for row in rows]
    if not rows:
        missing = (
            f"The trainings. They need the folder `bsd400` in `--data`, and `weights/state/{_STATE}.safetensors`, "
            "which is part of the repository but not of the installed package."
        )
        return Section("No answer: nothing was measured.", missing=[missing])
    best, worst = (choose(rows, key=lambda row: row["psnr"]) for choose in (max, min))
    spread = best["psnr"] - worst["psnr"]
    named = f"T = {best['T']}, lambda = {best['lambda']:g}"
    verdict = (
        f"{'No answer' if spread < 2 * _SCATTER else 'With caution'}: after {rows[0]['samples']} samples, {named} has "
        f"the highest PSNR. The best and the worst differ by {spread:.3f} dB, while another choice of samples for "
        f"BatchNorm's statistics alone changes the PSNR by {_SCATTER} dB. The paper's trainings are thousands of times "
        "as long."
    )
    caption = (
        f"Validation after {rows[0]['samples']} samples with decaying learning rate, on the same patches, from the "
        f"state `{_STATE}` (17 052 samples):"
    )
    return Section(verdict, [(caption, table)])


TRAININGS = Item(
    name="figure-11-trainings",
    title="Fig. 11: short trainings with T and lambda",
    repeats="The PSNR depends on T and lambda of the training. The paper's best pair is T = 8, lambda = 0.8.",
    networks=(),
    pictures=(),
    key={"state": str, "samples": int, "T": int, "lambda": float},
    values={"psnr": float, "residual": float},
    measure=_measure,
    show=_show,
)
