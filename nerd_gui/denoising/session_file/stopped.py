"""Conversion of the state of an unfinished run in tiles to JSON and back."""

from typing import Any

import numpy as np
import torch

from nerd_gui.denoising.session_file.fields import Damaged, Fields, plain_number
from nerd_gui.denoising.whole_photo import photo_plan
from nerd_gui.denoising.whole_photo.part_solver import PartIterate
from nerd_gui.denoising.whole_photo.predicted_start import PredictedStart
from nerd_gui.denoising.whole_photo.stopped import SampledPass, StoppedPhoto
from nerd_gui.denoising.whole_photo.tally import NO_ESTIMATE, FinishedTile, Numbers
from nerd_gui.equilibrium import StopReason
from nerd_gui.nerd.layers import GroupStatistics


def stopped_to_json(stopped: StoppedPhoto) -> dict[str, Any]:
    """Convert the state to JSON; the iterates are stored like those of any run."""
    return {
        "core": stopped.core,
        "halo": stopped.halo,
        "left": list(stopped.left),
        "seconds": stopped.seconds,
        "passes": [
            {
                "stride": one.stride,
                "strength": one.strength,
                "statistics": [
                    {
                        name: {"mean": kept.mean[0].tolist(), "variance": kept.variance[0].tolist()}
                        for name, kept in each.items()
                    }
                    for each in one.statistics
                ],
                "start": None if one.start is None else _start_to_json(one.start),
            }
            for one in stopped.passes
        ],
        "finished": [
            {
                "pixels": tile.pixels,
                "patches": tile.patches,
                "iterates": [_numbers_to_json(numbers) for numbers in tile.numbers],
            }
            for tile in stopped.finished
        ],
    }


def stopped_from_json(fields: Fields, channels: int, iterates: int) -> StoppedPhoto:
    """Make the state from the result of `stopped_to_json`, for a photo with these numbers of channels and iterates.

    Raises
    ------
    Damaged, ValueError
        If the JSON is invalid.
    """
    left = fields.wholes("left", len(fields.list("left")))
    core = fields.whole("core", 1)
    if core not in photo_plan.CORES or not left or len(set(left)) != len(left):
        raise Damaged("the tiles of a photo are invalid")
    stopped = StoppedPhoto(
        core,
        fields.whole("halo"),
        left,
        fields.real("seconds"),
        tuple(_pass(each) for each in fields.each("passes")),
        tuple(_tile(each, channels) for each in fields.each("finished")),
    )
    if not stopped.passes or stopped.longest != iterates:
        raise Damaged("the tiles of a photo and the photo differ in their number of iterates")
    return stopped


def _numbers_to_json(numbers: Numbers) -> dict[str, Any]:
    values = {name: value for name, value in vars(numbers.iterate).items() if name != "n_hat"}
    plain = {name: plain_number(value) if isinstance(value, float) else value for name, value in values.items()}
    levels = [plain_number(float(level)) for level in numbers.noise_levels]
    return plain | {"noise_levels": levels, "squared_error": numbers.squared_error}


def _start_to_json(start: PredictedStart) -> dict[str, Any]:
    return {"weight": start.weight.flatten().tolist(), "bias": start.bias.tolist()}


def _start(fields: Fields) -> PredictedStart:
    weight, bias = (torch.tensor(fields.reals(name), dtype=torch.float32) for name in ("weight", "bias"))
    if len(weight) != len(bias) ** 2:
        raise Damaged("the start of a photo's tiles is invalid")
    return PredictedStart(weight.unflatten(0, (len(bias), len(bias))), bias)


def _pass(fields: Fields) -> SampledPass:
    return SampledPass(
        fields.whole("stride", 1),
        fields.real("strength") if fields.has("strength") else None,
        tuple({name: _statistics(each.fields(name)) for name in each.values} for each in fields.each("statistics")),
        _start(fields.fields("start")) if fields.has("start") else None,
    )


def _statistics(fields: Fields) -> GroupStatistics:
    mean, variance = fields.reals("mean"), fields.reals("variance")
    if len(mean) != len(variance) or min(variance, default=-1) < 0:
        raise Damaged("the statistics of a photo are invalid")
    return GroupStatistics(torch.tensor([mean], dtype=torch.float32), torch.tensor([variance], dtype=torch.float32))


def _tile(fields: Fields, channels: int) -> FinishedTile:
    numbers = [_numbers(each, channels) for each in fields.each("iterates")]
    if not numbers:
        raise Damaged("a tile has no iterate")
    return FinishedTile(fields.whole("pixels", 1), fields.whole("patches", 1), numbers)


def _numbers(fields: Fields, channels: int) -> Numbers:
    levels = fields.any_reals("noise_levels")
    if len(levels) != 1 + channels:
        raise Damaged("a tile belongs to another photo")
    iterate = PartIterate(
        n_hat=NO_ESTIMATE,
        residual=fields.any_real("residual"),
        relative_step=fields.any_real("relative_step") if fields.has("relative_step") else None,
        residual_change=fields.any_real("residual_change") if fields.has("residual_change") else None,
        evaluations=fields.whole("evaluations"),
        seconds=fields.real("seconds"),
        restarted=fields.flag("restarted"),
        stop_reason=StopReason(fields.text("stop_reason")) if fields.has("stop_reason") else None,
    )
    error = fields.real("squared_error") if fields.has("squared_error") else None
    return Numbers(iterate, np.array(levels, np.float64), error)
