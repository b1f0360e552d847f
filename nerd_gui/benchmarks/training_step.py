"""Measures a training step: its time compared with that of its useful operations, and the same step by torchdeq."""

from dataclasses import replace

import torch
from torch import Tensor

from nerd_gui.benchmarks.baselines import installed_version
from nerd_gui.benchmarks.clock import Measured, Turns, in_turns, timed
from nerd_gui.benchmarks.flops import step_flops
from nerd_gui.benchmarks.machine import convolutions, describe
from nerd_gui.benchmarks.tables import Table, header_of_machine
from nerd_gui.imaging import luma, open_sample
from nerd_gui.training import Recipe
from nerd_gui.training.recipe import Stage
from nerd_gui.training.trainer import TOLERANCE, Trainer

_SAMPLE = "camera"


class _TorchdeqTrainer(Trainer):
    """A trainer with the solver and the phantom gradient of torchdeq."""

    def _noise_feature(self, s: Tensor, stage: Stage) -> tuple[Tensor, Tensor, Tensor]:
        from torchdeq import get_deq

        deq = get_deq(
            f_solver="broyden",
            f_max_iter=stage.solver_steps,
            f_tol=TOLERANCE,
            f_stop_mode="rel",
            grad=stage.unroll,
            tau=self.recipe.damping,
        )
        iterates, info = deq(lambda z: self.net.implicit(z, s, precision=stage.precision), self.net.initial(s))
        residual = info["rel_lowest"].mean()
        return iterates[-1], residual, residual.square()


def measure_step(recipe: Recipe, device: str, turns: Turns) -> Measured:
    """Measure one step of each stage of a recipe, on patches of a sample picture.

    Returns
    -------
    dict
        "machine", "recipe", and "stages": for each stage (the last is that of the end of a decay) its settings,
        "seconds" of a step, "samples_per_second", useful "flops", "seconds_at_conv2d_rate" (bare convolutions of as
        many pixels and the same precision), "part_of_conv2d_rate", and "torchdeq_seconds" (None for a stage without a
        solver, or where torchdeq is missing).
    """
    pictures = torch.from_numpy((luma(open_sample(_SAMPLE).pixels) * 255).round()).to(torch.uint8)[None].to(device)
    if recipe.model.channels == 3:
        pictures = pictures[..., None].expand(-1, -1, -1, 3).contiguous()
    return {
        "machine": describe(device),
        "recipe": recipe.name,
        "stages": [
            _measure_stage(recipe, stage, pictures, device, turns) for stage in (*recipe.stages, recipe.decay_stage)
        ],
    }


def _measure_stage(recipe: Recipe, stage: Stage, pictures: Tensor, device: str, turns: Turns) -> Measured:
    settings = replace(recipe, stages=(replace(stage, until=None),), norms_fixed_from=None)
    side = round((stage.batch * stage.patch**2) ** 0.5)
    hidden = recipe.model.expansion * recipe.model.features
    convolve, conv_flops = convolutions(recipe.model.features, hidden, side, stage.precision, device)
    runs = {"here": timed(Trainer(settings, pictures).step, device), "conv2d": timed(convolve, device)}
    if stage.solver_steps and installed_version("torchdeq") is not None:
        runs["torchdeq"] = timed(_TorchdeqTrainer(settings, pictures).step, device)
    times = in_turns(runs, turns)
    seconds, flops = times["here"]["seconds"], step_flops(recipe, stage)
    at_rate = flops * times["conv2d"]["seconds"] / conv_flops
    return {
        "solver_steps": stage.solver_steps,
        "unroll": stage.unroll,
        "patch": stage.patch,
        "batch": stage.batch,
        "precision": stage.precision,
        "seconds": seconds,
        "samples_per_second": stage.batch / seconds,
        "flops": flops,
        "seconds_at_conv2d_rate": at_rate,
        "part_of_conv2d_rate": at_rate / seconds,
        "torchdeq_seconds": times["torchdeq"]["seconds"] if "torchdeq" in times else None,
    }


def step_header(report: Measured) -> list[str]:
    """The lines about the machine and recipe that the figures depend on."""
    return [*header_of_machine(report["machine"]), f"Recipe “{report['recipe']}”: one training step in each stage."]


def step_table(report: Measured) -> Table:
    """Format the measurements as a table, header first."""
    columns = ["solver", "T", "patches", "precision", "s", "samples/s", "GFLOP", "of conv2d's rate", "torchdeq s"]
    table = [columns]
    for row in report["stages"]:
        torchdeq = row["torchdeq_seconds"]
        table.append(
            [
                f"{row['solver_steps']} steps" if row["solver_steps"] else "none",
                str(row["unroll"]),
                f"{row['batch']} of {row['patch']}x{row['patch']}",
                row["precision"],
                f"{row['seconds']:.3f}",
                f"{row['samples_per_second']:.1f}",
                f"{row['flops'] / 1e9:.0f}",
                f"{row['part_of_conv2d_rate']:.0%}",
                "-" if torchdeq is None else f"{torchdeq:.3f}",
            ]
        )
    return table
