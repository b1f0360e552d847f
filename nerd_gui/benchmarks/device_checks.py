"""Checks that a device computes correctly: attention, a solve and a training step against the CPU in float64."""

import itertools
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from nerd_gui.equilibrium import broyden_without_synchronisation
from nerd_gui.nerd import NerdConfig, exact_float32
from nerd_gui.nerd.attention import AttentionPath, Precision, neighbourhood_attention, reference_attention
from nerd_gui.training import Execution, Recipe, Stage, Trainer
from nerd_gui.training.noise_models import NoiseRange

#: Tolerances of the relative error ||out - truth|| / ||truth||; those of a training step include the error of a solve.
ATTENTION_TOLERANCE: dict[Precision, float] = {"float32": 1e-4, "bfloat16": 2e-2}
STEP_TOLERANCE: dict[Precision, float] = {"float32": 1e-3, "bfloat16": 5e-2}
_SOLVE_TOLERANCE = 1e-4
#: (B, heads, rows, cols, d_k) and window; they cover incomplete blocks at the border, and windows larger than the
#: picture.
ATTENTION_CASES = [((2, 4, 40, 37, 32), 17), ((1, 2, 48, 48, 32), 65), ((2, 2, 32, 32, 32), 65)]
_STAGE = Stage(until=None, solver_steps=4, unroll=2, patch=24, batch=4, precision="float32")
_RECIPE = Recipe(
    name="check",
    model=NerdConfig(features=64, window=9, weight_norm=False),
    noise=NoiseRange(25, 25),
    stages=(_STAGE,),
    decay_stage=_STAGE,
    clip=math.inf,
    muon=True,
)

Row = dict[str, Any]


def paths(device: str) -> list[AttentionPath]:
    """The attention paths that a type of device may support."""
    return ["compiled", "blocks", "dense"] if device == "cpu" else ["blocks", "dense", "flex"]


def checks(device: str) -> Iterator[Row]:
    """Yield a row for each check: "what", "precision", "error", "tolerance" and "passed", or the reason as "failed"."""
    for path, precision in itertools.product(paths(device), ATTENTION_TOLERANCE):
        for shape, window in ATTENTION_CASES:
            what = f"attention {path}, {shape[2]}x{shape[3]}, q = {window}"
            tolerance = ATTENTION_TOLERANCE[precision]
            for part, error in _guarded(lambda s=shape, w=window, p=precision: _attention(s, w, p, path, device)):  # type: ignore[misc] # noqa: B023
                yield _row(what + part, precision, error, tolerance) | {"path": path}
    for part, error in _guarded(lambda: _solve(device)):
        yield _row("Broyden, 12 steps" + part, "float32", error, _SOLVE_TOLERANCE)
    truth: list[Tensor] = []
    for path, precision in itertools.product(paths(device), STEP_TOLERANCE):
        for part, error in _guarded(lambda p=precision: _step(p, path, device, truth)):  # type: ignore[misc] # noqa: B023
            yield _row(f"a step's gradient, {path}" + part, precision, error, STEP_TOLERANCE[precision]) | {
                "path": path
            }
    if device.startswith("cuda"):
        for part, waits in _guarded(lambda: {"": _waits(device)}):
            yield _row("waits for the device in a step" + part, "bfloat16", waits, 3)


def _guarded(check: Callable[[], dict[str, float]]) -> list[tuple[str, float | str]]:
    """Run a check and return its errors by part, or the reason why it could not be run."""
    try:
        return list(check().items())
    except Exception as error:  # noqa: BLE001 - drivers and compilers raise errors of any kind; other checks continue
        return [("", why(error))]


def why(error: BaseException) -> str:
    """Format an error as one short line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _row(what: str, precision: str, error: float | str, tolerance: float) -> Row:
    row: Row = {"kind": "check", "what": what, "precision": precision, "tolerance": tolerance}
    if isinstance(error, str):
        return row | {"error": None, "passed": False, "failed": error}
    return row | {"error": error, "passed": bool(error <= tolerance)}  # NaN does not pass


def relative_error(found: Tensor, truth: Tensor) -> float:
    """||found - truth|| / ||truth||, in float64 on the CPU."""
    found = found.detach().cpu().double()
    return float((found - truth).norm() / truth.norm())


def _attention(
    shape: tuple[int, ...], window: int, precision: Precision, path: AttentionPath, device: str
) -> dict[str, float]:
    tensors = [torch.randn(shape, dtype=torch.float64) for _ in range(3)]
    direction = torch.randn(shape, dtype=torch.float64)

    def run(attend: Callable[..., Tensor], to: Callable[[Tensor], Tensor]) -> list[Tensor]:
        leaves = [to(tensor).requires_grad_() for tensor in tensors]
        out = attend(*leaves)
        return [out, *torch.autograd.grad(out, leaves, to(direction))]

    truth = run(lambda q, k, v: reference_attention(q, k, v, window), torch.clone)
    found = run(
        lambda q, k, v: neighbourhood_attention(q, k, v, window, precision, path=path),
        lambda tensor: tensor.to(device, torch.float32),
    )
    pairs = [relative_error(one, other.detach()) for one, other in zip(found, truth, strict=True)]
    return {": value": pairs[0], ": gradient": max(pairs[1:])}


def _solve(device: str) -> dict[str, float]:
    """Solve a map with a known fixed point by the solver without synchronisation."""
    matrix = torch.linalg.qr(torch.randn(64, 64, dtype=torch.float64)).Q * 0.5
    shift = torch.randn(3, 64, dtype=torch.float64)
    truth = torch.linalg.solve(torch.eye(64, dtype=torch.float64) - matrix, shift.T).T
    there, ahead = matrix.to(device, torch.float32), shift.to(device, torch.float32)
    z, _ = broyden_without_synchronisation(lambda z: z @ there.T + ahead, torch.zeros_like(ahead), steps=30)
    return {"": relative_error(z, truth)}


class _Given:
    """A sampler that always returns the same batch."""

    def __init__(self, like: Tensor) -> None:
        generator = torch.Generator().manual_seed(1)
        clean = torch.rand(_STAGE.batch, 1, _STAGE.patch, _STAGE.patch, generator=generator, dtype=torch.float64)
        noisy = clean + 0.1 * torch.randn(clean.shape, generator=generator, dtype=torch.float64)
        self._batch = noisy.to(like), clean.to(like), torch.full((_STAGE.batch,), 25.0).to(like)

    def batch(self, size: int, patch: int) -> tuple[Tensor, ...]:
        return self._batch


def _trainer(precision: Precision, path: AttentionPath | None, device: str) -> Trainer:
    recipe = replace(_RECIPE, stages=(replace(_STAGE, precision=precision),))
    with torch.random.fork_rng(devices=[]):
        trainer = Trainer(recipe, torch.zeros(1, 32, 32, dtype=torch.uint8, device=device), execution=Execution(path))
    if path is None:
        trainer.net.double()
        trainer.ema = {name: value.double() for name, value in trainer.ema.items()}
    trainer.sampler = _Given(next(trainer.net.parameters()).detach())  # type: ignore[assignment]
    return trainer


def _gradient(trainer: Trainer) -> Tensor:
    trainer.step()
    return torch.cat([p.grad.cpu().flatten() for p in trainer.net.parameters() if p.grad is not None])


def _step(precision: Precision, path: AttentionPath, device: str, truth: list[Tensor]) -> dict[str, float]:
    if not truth:
        truth.append(_gradient(_trainer("float32", None, "cpu")))
    with exact_float32():
        return {"": relative_error(_gradient(_trainer(precision, path, device)), truth[0])}


def _waits(device: str) -> float:
    """Count how often a training step waits for the GPU, as detected by PyTorch."""
    trainer = _trainer("bfloat16", "dense", device)
    trainer.step()
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            trainer.step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return float(sum("synchroniz" in str(warning.message) for warning in said))
