"""Conversion of runs, without their noise estimates, to JSON and back."""

import zlib
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from nerd_gui.compiled import Status
from nerd_gui.denoising.memory_plan import MemoryPlan
from nerd_gui.denoising.session_file.analyses import analyses_to_json
from nerd_gui.denoising.session_file.errors import SessionFileError
from nerd_gui.denoising.session_file.fields import Damaged, Fields, plain_number
from nerd_gui.denoising.session_file.record import SavedRun
from nerd_gui.denoising.session_file.stopped import stopped_from_json, stopped_to_json
from nerd_gui.denoising.settings import RunSettings
from nerd_gui.denoising.subject import Subject
from nerd_gui.denoising.trajectory import Iterate, Trajectory
from nerd_gui.denoising.whole_photo import StoppedPhoto
from nerd_gui.equilibrium import StopReason
from nerd_gui.imaging import Photo

_DTYPES = {str(dtype).removeprefix("torch."): dtype for dtype in (torch.float32, torch.float16, torch.float8_e5m2)}
_BAND = 256  # rows that a checksum processes at a time
_checksums: WeakKeyDictionary[Subject, int] = WeakKeyDictionary()

#: Loads the noise estimate of an iterate, given the run's number, the iterate's index and the shape.
Estimates = Callable[[int, int, tuple[int, int, int]], NDArray[np.float16]]


def run_to_json(run: SavedRun, clean: Photo | None, stopped: StoppedPhoto | None = None) -> dict[str, Any]:
    """Convert a run to JSON, without its noise estimates and its clean picture.

    For the clean picture, only a flag is stored that says whether it is `clean`. `stopped`, the state of an unfinished
    run in tiles, is omitted if it has another number of iterates than the run.
    """
    trajectory, subject = run.trajectory, run.trajectory.subject
    plan, compiled = trajectory.plan, trajectory.compiled
    return {
        "number": run.number,
        "name": run.name,
        "overlaid": run.overlaid,
        "index": run.index,
        "started": run.started.isoformat(),
        "in_tiles": run.in_tiles,
        "tiles": run.tiles,
        "continues": run.continues,
        "stopped": stopped_to_json(stopped) if stopped and stopped.longest == len(trajectory) else None,
        "asked": asdict(run.asked),
        "subject": {
            "sigma": subject.sigma,
            "seed": subject.seed,
            "region": subject.region,
            "clean": subject.sigma is None and _is_of(subject, clean),
            "checksum": checksum(subject),
        },
        "settings": asdict(trajectory.settings),
        "window": trajectory.window,
        "plan": asdict(plan) | {"pair_dtype": str(plan.pair_dtype).removeprefix("torch."), "steps": list(plan.steps)},
        "stop_reason": trajectory.stop_reason,
        "peak_memory_mb": trajectory.peak_memory_mb,
        "compiled": None if compiled is None else asdict(compiled),
        "earlier_runs": list(trajectory.earlier_runs),
        "notice": trajectory.notice,
        "weights_sha256": trajectory.weights_sha256,
        "grain": trajectory.grain,
        "iterates": [_iterate_to_json(iterate) for iterate in trajectory.iterates],
        "analyses": analyses_to_json(run),
        "report": trajectory.report(),
    }


def run_from_json(fields: Fields, photo: Photo, clean: Photo | None, subjects: dict[Any, Subject]) -> SavedRun:
    """Make a run without its iterates from the result of `run_to_json`; `subjects` is a cache.

    Raises
    ------
    Damaged, RunError, ValueError
        If the JSON is invalid.
    SessionFileError
        If the noisy picture cannot be reproduced.
    """
    subject = _subject(fields.fields("subject"), photo, clean, subjects)
    grain, stop = fields.whole("grain", 1), fields.text("stop_reason") if fields.has("stop_reason") else None
    trajectory = Trajectory(
        subject,
        _settings(fields.object("settings")),
        fields.whole("window", 1),
        _plan(fields.fields("plan")),
        stop_reason=StopReason(stop or StopReason.CANCELLED),  # a run that was running when it was saved
        peak_memory_mb=fields.real("peak_memory_mb") if fields.has("peak_memory_mb") else None,
        compiled=_status(fields.fields("compiled")) if fields.has("compiled") else None,
        earlier_runs=tuple(_earlier(each) for each in fields.each("earlier_runs")),
        notice=fields.text("notice") if fields.has("notice") else None,
        weights_sha256=fields.text("weights_sha256") if fields.has("weights_sha256") else None,
        grain=grain,
    )
    tiles = fields.wholes("tiles", 2) if fields.has("tiles") else None
    return SavedRun(
        number=fields.whole("number", 1),
        name=fields.text("name"),
        trajectory=trajectory,
        asked=_settings(fields.object("asked")),
        overlaid=fields.flag("overlaid"),
        index=fields.whole("index", -1),
        started=datetime.fromisoformat(fields.text("started")),
        in_tiles=fields.flag("in_tiles"),
        tiles=None if tiles is None else (tiles[0], tiles[1]),
        continues=fields.has("continues") and fields.flag("continues"),  # missing in sessions of earlier versions
    )


def add_iterates(run: SavedRun, fields: Fields, estimates: Estimates) -> SavedRun:
    """Add the iterates to a run, and the state from which it can continue.

    Raises
    ------
    Damaged, ValueError
        If the JSON is invalid.
    """
    trajectory, shape = run.trajectory, run.trajectory.subject.noisy.shape
    reason = trajectory.stop_reason
    for index, each in enumerate(fields.each("iterates")):
        levels = each.any_reals("noise_levels")
        if len(levels) != shape[0] or each.whole("index") != index:
            raise Damaged("an iterate belongs to another photo")
        stop = each.text("stop_reason") if each.has("stop_reason") else None
        trajectory.add(
            Iterate(
                index=index,
                n_hat=estimates(run.number, index, (shape[0], shape[1], shape[2])),
                features=None,
                residual=each.any_real("residual"),
                relative_step=_maybe(each, "relative_step"),
                residual_change=_maybe(each, "residual_change"),
                noise_level=each.any_real("noise_level"),
                noise_levels=levels,
                psnr=_maybe(each, "psnr"),
                ssim=_maybe(each, "ssim"),
                seconds=each.real("seconds"),
                evaluations=each.whole("evaluations"),
                restarted=each.flag("restarted"),
                stop_reason=None if stop is None else StopReason(stop),
            )
        )
    trajectory.stop_reason = reason  # the last iterate lacks it if the run was cancelled between two iterates
    if fields.has("stopped"):
        return replace(run, stopped=stopped_from_json(fields.fields("stopped"), shape[0], len(trajectory)))
    return run


def checksum(subject: Subject) -> int:
    """CRC-32 of a subject's noisy picture. Noise is not stored but drawn again, and may differ with another NumPy."""
    if subject not in _checksums:
        total = 0
        for plane in subject.noisy:
            for row in range(0, len(plane), _BAND):
                total = zlib.crc32(np.ascontiguousarray(plane[row : row + _BAND]).data, total)
        _checksums[subject] = total
    return _checksums[subject]


def _is_of(subject: Subject, clean: Photo | None) -> bool:
    """Whether the clean picture of a subject is this photo, or its region."""
    if subject.clean is None or clean is None:
        return False
    row, col, rows, cols = subject.region or (0, 0, clean.rows, clean.cols)
    return subject.clean is clean.pixels or np.array_equal(
        subject.clean, clean.pixels[:, row : row + rows, col : col + cols]
    )


def _subject(fields: Fields, photo: Photo, clean: Photo | None, subjects: dict[Any, Subject]) -> Subject:
    region = fields.wholes("region", 4) if fields.has("region") else None
    sigma = fields.real("sigma") if fields.has("sigma") else None
    seed = fields.whole("seed") if fields.has("seed") else 0
    truth = clean if fields.flag("clean") else None
    key = region, sigma, seed, truth is not None
    if key not in subjects:
        part = None if region is None else (region[0], region[1], region[2], region[3])
        subjects[key] = Subject.of(photo, sigma=sigma, seed=seed, clean=truth, region=part)
    subject = subjects[key]
    if checksum(subject) != fields.whole("checksum"):
        raise SessionFileError(
            "The noisy picture of this session's runs cannot be reproduced: this version of the program draws the "
            "noise, or decodes the photo, differently from the version that saved the session."
        )
    return subject


def _iterate_to_json(iterate: Iterate) -> dict[str, Any]:
    numbers = {name: value for name, value in vars(iterate).items() if name not in ("n_hat", "features")}
    numbers["noise_levels"] = [plain_number(level) for level in iterate.noise_levels]
    return {name: plain_number(value) if isinstance(value, float) else value for name, value in numbers.items()}


def _settings(values: dict[str, Any]) -> RunSettings:
    """Read settings; each must have the type of its default, and may be None if the default is."""
    default = vars(RunSettings())
    if values.keys() != default.keys():
        raise Damaged("settings of a run are missing or unknown")
    fields = Fields(values)
    read: dict[str, Any] = {}
    for name, usual in default.items():
        if usual is None:
            kind = fields.whole if name in ("memory", "window") else fields.real
            read[name] = kind(name) if fields.has(name) else None
        elif isinstance(usual, bool):
            read[name] = fields.flag(name)
        elif isinstance(usual, int):
            read[name] = fields.whole(name)
        elif isinstance(usual, float):
            read[name] = fields.real(name)
        else:
            read[name] = fields.text(name)
    return RunSettings(**read)


def _plan(fields: Fields) -> MemoryPlan:
    name = fields.text("pair_dtype")
    if name not in _DTYPES:
        raise Damaged(f"“plan.pair_dtype” has the unknown value “{name}”")
    return MemoryPlan(
        fields.whole("needed"),
        fields.whole("budget"),
        _DTYPES[name],
        fields.whole("pairs") if fields.has("pairs") else None,
        fields.whole("tiles"),
        fields.texts("steps"),
        fields.flag("reuse"),
    )


def _earlier(fields: Fields) -> dict[str, Any]:
    """Check and return the record of an earlier run, see `Equilibrium`."""
    fields.text("model"), fields.text("solver")
    for name in ("start", "memory", "safeguard", "damping"):
        if name not in fields.object("settings"):
            raise Damaged(f"an earlier run has no “{name}”")
    for value in fields.list("residuals"):
        if value is not None:
            Fields({"residual": value}).real("residual")
    return fields.values


def _status(fields: Fields) -> Status:
    return Status(fields.flag("compiled"), fields.text("reason") if fields.has("reason") else None)


def _maybe(fields: Fields, name: str) -> float | None:
    return fields.any_real(name) if fields.has(name) else None
