"""Measures a whole photo: its time compared with that of the necessary evaluations of f, and its memory."""

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from nerd_gui import allocator
from nerd_gui.benchmarks.clock import Measured, Stopwatch
from nerd_gui.benchmarks.machine import describe
from nerd_gui.benchmarks.peak import resident_peak
from nerd_gui.benchmarks.workload import SEED, find_network
from nerd_gui.denoising import PICTURE, PhotoProgress, PhotoRun, RunSettings, Subject
from nerd_gui.imaging import Photo, open_sample
from nerd_gui.nerd import NERD

#: Side in pixels of the picture on which f is timed.
SIDE = 512
_SIGMA, _SAMPLE = 10.0, "astronaut"
_LOOKS, _REPEATS = 8, 2  # number of pauses in which f is timed, and evaluations in each


def photo_of(megapixels: float) -> Photo:
    """Make a photo with sides 3 : 2 from a sample picture, mirrored repeatedly, with noise of sigma 10."""
    rows = round(math.sqrt(megapixels * 1e6 / 1.5))
    cols = round(megapixels * 1e6 / rows)
    sample = open_sample(_SAMPLE).pixels
    padded = np.pad(
        sample, [(0, 0), (0, max(0, rows - sample.shape[1])), (0, max(0, cols - sample.shape[2]))], "reflect"
    )
    pixels = padded[:, :rows, :cols].copy()
    generator = np.random.default_rng(SEED)
    for channel in pixels:
        channel += generator.standard_normal(channel.shape, np.float32) * np.float32(_SIGMA / 255)
    return Photo(np.clip(pixels, 0, 1, out=pixels), name="bench")


def measure_photo(settings: RunSettings, megapixels: float, watch: Callable[[str], None] = lambda _: None) -> Measured:
    """Solve a photo in tiles with the stop rule "picture", and time f on 512 x 512 pixels in between.

    Parameters
    ----------
    settings : RunSettings
        Network, precision, device and memory limit.
    megapixels : float
    watch : callable
        Called with sentences about the progress.

    Returns
    -------
    dict
        "ratio": the seconds of the photo divided by those of all evaluations of f on its pixels (including halos) at
        the speed of f at 512 x 512. "time_left_error": the relative error of the estimated remaining time after a tenth
        of the tiles. "peak" and "budget": bytes in addition to the process before the run. The peak is measured only
        with a memory limit; f is then timed only before and after the run, because it needs memory itself.

    Raises
    ------
    RunError, ModelError
        See `PhotoRun`.
    """
    net, trained = find_network(settings.model, settings.device)
    subject = Subject.of(photo_of(megapixels))
    run = PhotoRun(subject, replace(settings, stop_on=PICTURE), net)
    clock = _Solving(run, _timed_f(net, settings), watch)
    peak = None
    if settings.memory_limit is None:
        clock.solve(looks=_LOOKS)
    else:
        clock.look()
        allocator.trim()
        peak = resident_peak(clock.solve)
        clock.look()
    pixels = subject.rows * subject.cols
    evaluated = run.solved_pixels * run.evaluations
    f = median(clock.f[1:]) / SIDE**2  # without the first one, which selects kernels and allocates memory
    return {
        "machine": describe(settings.device),
        "model": settings.model,
        "trained": trained,
        "precision": settings.precision,
        "rows": subject.rows,
        "cols": subject.cols,
        "tiles": run.plan.memory.tiles,
        "halo_share": run.solved_pixels / pixels,
        "evaluations": run.evaluations,
        "sample_seconds": clock.sample,
        "seconds": clock.seconds,
        "f_seconds_per_pixel": f,
        "ratio": clock.seconds / (evaluated * f),
        "megapixels_per_minute": pixels / 1e6 / clock.seconds * 60,
        "time_left_error": clock.time_left_error,
        "peak": peak,
        "budget": run.plan.memory.budget,
        "memory_limit": settings.memory_limit,
    }


def _timed_f(net: NERD, settings: RunSettings) -> Callable[[], list[float]]:
    """Make a function that times f a few times, and returns the seconds of all evaluations so far."""
    shape = 1, net.config.features, SIDE, SIDE

    @torch.no_grad()
    def f(z: Tensor, s: Tensor) -> None:
        net.implicit(z, s, precision=settings.precision)

    watch = Stopwatch(f, settings.device)

    def timed() -> list[float]:
        generator = torch.Generator().manual_seed(SEED)
        z, s = (torch.randn(shape, generator=generator) for _ in range(2))
        z, s = (x.to(settings.device, memory_format=torch.channels_last) for x in (z, s))
        for _ in range(_REPEATS):
            watch(z, s)
        return watch.seconds

    return timed


class _Solving:
    """Solves a photo with pauses in which f is timed; the pauses do not count for the photo's time."""

    def __init__(self, run: PhotoRun, f: Callable[[], list[float]], watch: Callable[[str], None]) -> None:
        self.seconds = self.sample = 0.0
        self.f: list[float] = []
        self._run, self._f, self._watch = run, f, watch
        self._told: tuple[float, float] | None = None  # seconds so far and left, after a tenth of the tiles

    def look(self) -> None:
        """Time f."""
        self.f = self._f()

    def solve(self, looks: int = 0) -> None:
        """Solve the photo; time f so often in between."""
        looked, began = 0, perf_counter()
        for progress in self._run.tiles():
            self.seconds += perf_counter() - began
            self._take(progress)
            if progress.done * looks > looked * progress.count:
                looked += 1
                self.look()
            began = perf_counter()
        self.seconds += perf_counter() - began

    def _take(self, progress: PhotoProgress) -> None:
        if progress.done == 1 and progress.phase == "tiles" and not self.sample:
            self.sample = self.seconds - self._run.seconds
        if self._told is None and progress.done >= 0.1 * progress.count and progress.seconds_left:
            self._told = self.seconds, progress.seconds_left
        self._watch(f"photo: {progress.done} of {progress.count} tiles")

    @property
    def time_left_error(self) -> float | None:
        """Compare the estimated remaining time with the actual one; None for a photo with too few tiles."""
        if self._told is None:
            return None
        at, left = self._told
        return left / (self.seconds - at) - 1


def photo_lines(report: Measured) -> list[str]:
    """Format the report as sentences."""
    minutes, seconds = divmod(round(report["seconds"]), 60)
    wrong = report["time_left_error"]
    speed = report["megapixels_per_minute"]
    lines = [
        f"{report['cols']} x {report['rows']} pixels by {report['model']} ({report['precision']}), in "
        f"{report['tiles']} tiles: {minutes} min {seconds} s, {speed:.2f} megapixels a minute.",
        f"This is {report['ratio']:.3f} times the time of its evaluations of f alone: {report['evaluations']:.2f} on "
        f"{report['halo_share']:.3f} times its pixels, at {1e6 * report['f_seconds_per_pixel']:.2f} µs each, as at "
        f"{SIDE} x {SIDE}.",
        f"The sample for the statistics took {report['sample_seconds']:.1f} s of it."
        + ("" if wrong is None else f" After a tenth of the tiles, the estimated time left was wrong by {wrong:+.0%}."),
    ]
    if report["peak"] is not None:
        lines.append(
            f"Peak memory: {report['peak'] / 1e9:.2f} GB of the {report['budget'] / 1e9:.2f} GB that the run may use "
            f"under the limit of {report['memory_limit']:g} GB."
        )
    return lines
