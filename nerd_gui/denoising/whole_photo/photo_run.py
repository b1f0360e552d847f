"""The run of a whole photo in tiles that share its statistics, so that the result does not depend on the tiles."""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nerd_gui import allocator
from nerd_gui.denoising.channels import batch_size
from nerd_gui.denoising.devices import check_device
from nerd_gui.denoising.errors import RunError
from nerd_gui.denoising.memory_plan import want_of_memory
from nerd_gui.denoising.recorder import Recorder
from nerd_gui.denoising.settings import RunSettings
from nerd_gui.denoising.strength import with_strength
from nerd_gui.denoising.subject import Subject
from nerd_gui.denoising.trajectory import Iterate, Trajectory
from nerd_gui.denoising.whole_photo.grid import Part, Tile, grid, nearest
from nerd_gui.denoising.whole_photo.mosaic import Mosaic
from nerd_gui.denoising.whole_photo.part_solver import How, Interrupted, PartIterate, solve_part
from nerd_gui.denoising.whole_photo.photo_plan import halo_of, plan_photo
from nerd_gui.denoising.whole_photo.sample import sampled_passes, sampled_share
from nerd_gui.denoising.whole_photo.stopped import SampledPass, StoppedPhoto
from nerd_gui.denoising.whole_photo.tally import Tally
from nerd_gui.equilibrium import StopReason
from nerd_gui.nerd import NERD, Network, load_model

#: Photos up to this many pixels are solved in one piece if memory suffices, so that their iterates can be watched.
ONE_PIECE = 1_000_000
_START = "The tiles of a whole photo start where the solver is predicted to end; other starts are for regions only."


@dataclass(frozen=True, eq=False)
class PhotoProgress:
    """The progress of a photo.

    Attributes
    ----------
    phase : {"sample", "tiles"}
        Whether the sample for the photo's statistics is being solved, or the tiles.
    done, count : int
        Number of finished tiles, and of all tiles.
    fraction : float
        Fraction of the whole work that is done, 0 ... 1.
    seconds_left : float or None
        Estimated from the finished tiles; None before there are any.
    part : (row, col, rows, cols) or None
        Where the iterates have just changed.
    iterates : tuple of Iterate
        The photo's current iterates, for `Trajectory.replace`. Their n_hat are changed in place when tiles are finished
        and 0 elsewhere; their numbers are those of the finished tiles.
    """

    phase: Literal["sample", "tiles"]
    done: int
    count: int
    fraction: float
    seconds_left: float | None = None
    part: Part | None = None
    iterates: tuple[Iterate, ...] = ()


class PhotoRun:
    """The run of a whole photo, ready to start; `tiles` does the work, on the thread that calls it.

    GroupNorm computes its statistics over the whole picture. Here they are computed on a sample of the photo and then
    held fixed. This makes f local, so that each tile, with a halo around it, can be solved separately.

    Parameters
    ----------
    subject : Subject
    settings : RunSettings
    net : NERD, optional
        None: the network `settings.model` is loaded.
    grain : {1, 2}
        With 2, for coarse noise, the network first denoises the photo's stride-2 sub-pictures, and then the result.
    stopped : StoppedPhoto, optional
        The state of an unfinished run of the same photo with the same settings, which this run continues.
    n_hats : sequence of float16 array (C, rows, cols)
        The noise estimates of that run; they are changed in place.

    Attributes
    ----------
    settings : RunSettings
        The given settings with two changes: the start is "predicted", and the strength is the noise level that the
        network is given.
    plan : PhotoPlan
    trajectory : Trajectory
        The record of the run. It is empty until the caller passes it `PhotoProgress.iterates`.
    notice : str or None
        A sentence that says where the run starts if another start was asked for.

    Raises
    ------
    RunError
        If the device is missing, the photo does not suit the network, memory does not suffice, there is a strength but
        the network does not take one, or the unfinished run cannot be continued.
    ModelError
        If the network cannot be loaded.
    """

    def __init__(
        self,
        subject: Subject,
        settings: RunSettings,
        net: Network | None = None,
        *,
        grain: int = 1,
        stopped: StoppedPhoto | None = None,
        n_hats: Sequence[NDArray[np.float16]] = (),
    ) -> None:
        check_device(settings.device)
        if grain not in (1, 2):
            raise RunError(f"The grain size is 1 or 2, not {grain}.")
        self.subject, self.grain = subject, grain
        net = net if net is not None else load_model(settings.model, device=settings.device)
        if not isinstance(net, NERD):
            raise RunError(
                f"“{settings.model}” cannot denoise a photo in tiles: only the paper's networks can, because tiles "
                "must share their statistics. Explore a region of the photo instead."
            )
        self.net = net
        if self.net.config.channels not in (1, 3):
            raise RunError(
                f"The network “{settings.model}” takes {self.net.config.channels} channels; photos have 1 or 3."
            )
        self.notice = None if settings.start in ("zero", "predicted") else _START
        self.settings = settings = with_strength(replace(settings, start="predicted"), subject, self.net)
        self.window = settings.window or self.net.config.window
        allocator.trim()  # releases memory that an earlier run kept for reuse
        self.plan = plan_photo(self.net.config, settings, subject.channels, subject.rows, subject.cols, grain)
        self.trajectory = Trajectory(
            subject,
            settings,
            self.window,
            self.plan.memory,
            notice=self.notice,
            grain=grain,
            weights_sha256=self.net.weights_sha256,
        )
        core = stopped.core if stopped is not None else self.plan.core
        self._tiles = grid(subject.rows, subject.cols, core, self.plan.halo)
        self._left = list(self._tiles)
        self._pixels = sum(tile.pixels for tile in self._tiles)
        self._core = core
        self._sampled: list[SampledPass] = []  # empty until the sample is solved
        self._seconds = 0.0  # time for the finished tiles
        if stopped is not None:
            pictures = batch_size(self.net, subject.channels)
            cores = [tile.core[2] * tile.core[3] for tile in self._tiles]
            stopped.check(self.net, pictures, cores, self.plan.halo, self.plan.core)
            self._left = [self._tiles[index] for index in stopped.left]
            self._sampled, self._seconds = list(stopped.passes), stopped.seconds
        self._passes = [one.of(self.net, settings.device) for one in self._sampled]
        self._mosaic = Mosaic((subject.channels, subject.rows, subject.cols), self.plan.in_memory, n_hats)
        self._tally = Tally(subject, stopped.finished if stopped is not None else ())
        self._still = threading.Lock()  # held while a tile is added to the photo
        if stopped is not None:
            self.trajectory.replace(self._tally.iterates(self._mosaic.n_hats, over=False))

    @property
    def finished(self) -> bool:
        """Whether all tiles are finished."""
        return not self._left

    @contextmanager
    def standing_still(self) -> Iterator[StoppedPhoto | None]:
        """Within this context no tile is added; its value is the run's state, or None if it cannot be continued."""
        with self._still:
            if not self._sampled or not self._left or len(self._left) == len(self._tiles):
                yield None
                return
            left = tuple(self._tiles.index(tile) for tile in self._left)
            passes, finished = tuple(self._sampled), self._tally.finished
            yield StoppedPhoto(self._core, self.plan.halo, left, self._seconds, passes, finished)

    @property
    def solved_pixels(self) -> int:
        """Number of pixels solved for all tiles together, including their halos."""
        return self._pixels

    @property
    def seconds(self) -> float:
        """Time for the finished tiles, without pauses."""
        return self._seconds

    @property
    def evaluations(self) -> float:
        """Mean number of evaluations of f per pixel of the finished tiles."""
        return self._tally.evaluations

    def tiles(
        self, should_stop: Callable[[], bool] | None = None, view: Callable[[], Part | None] | None = None
    ) -> Iterator[PhotoProgress]:
        """Solve the remaining tiles, and yield the progress after each. After cancelling, it can be called again.

        Parameters
        ----------
        should_stop : callable, optional
            Called many times during each evaluation of f, from any thread. If it returns True, the stream ends, and
            finished tiles are kept. It may block, which pauses the work.
        view : callable, optional
            Returns the visible part of the photo, (row, col, rows, cols), which is solved first.

        Raises
        ------
        OutOfMemory
            If memory runs out.
        RunError
            If the disk is too full for the iterates.
        """
        clock = _Clock(should_stop)
        how = How(self.settings, self.window, self.plan.memory.pairs, self.plan.memory.pair_dtype, clock.should_stop)
        allocator.return_freed()
        try:
            with want_of_memory(self.settings, "close other programs, or choose a smaller memory limit"):
                yield from self._solved(how, clock, view)
        except Interrupted:
            return
        finally:
            allocator.trim()

    def _solved(self, how: How, clock: "_Clock", view: Callable[[], Part | None] | None) -> Iterator[PhotoProgress]:
        noisy = self.subject.noisy
        if not self._passes:
            yield PhotoProgress("sample", 0, len(self._tiles), 0.0)
            steps = sampled_passes(self.net, noisy, self.grain, self.settings.strength, halo_of(self.window), how)
            self._sampled = yield from self._watched(steps)
            self._passes = [one.of(self.net, self.settings.device) for one in self._sampled]
        allocator.trim()  # the blocks of the sample have other sizes
        allocator.set_reuse(self.plan.memory.reuse)
        while self._left:
            how.interrupt()
            index = nearest(self._left, view() if view is not None else None)
            tile, began = self._left[index], clock.seconds
            iterates = list(solve_part(noisy[(slice(None), *tile.solved)], self._passes, how))
            progress = self._taken(index, tile, iterates, clock.seconds - began)
            del iterates
            yield progress

    def _watched(
        self, steps: Generator[float, None, list[SampledPass]]
    ) -> Generator[PhotoProgress, None, list[SampledPass]]:
        """Solve the sample, and yield its progress as a part of the whole work."""
        while True:
            try:
                fraction = next(steps)
            except StopIteration as end:
                passes: list[SampledPass] = end.value
                return passes
            # Not before the first step, so that what it compiles and loads lies apart from the memory that is reused.
            allocator.set_reuse(self.plan.memory.reuse)
            share = self._sample / (1 + self._sample)
            yield PhotoProgress("sample", 0, len(self._tiles), share * fraction)

    @property
    def _sample(self) -> float:
        """The estimated work on the sample, relative to that on the tiles."""
        return sampled_share(self.subject.rows, self.subject.cols, self._pixels)

    def _taken(self, index: int, tile: Tile, iterates: list[PartIterate], seconds: float) -> PhotoProgress:
        """Add a finished tile to the photo; `index` is its index in the list of remaining tiles."""
        with self._still:
            self._mosaic.add(tile, [one.n_hat for one in iterates])
            self._tally.add(tile, iterates)
            del self._left[index]
            self._seconds += seconds
        left = sum(other.pixels for other in self._left)
        done = self._pixels - left
        return PhotoProgress(
            "tiles",
            len(self._tiles) - len(self._left),
            len(self._tiles),
            (self._sample + done / self._pixels) / (1 + self._sample),
            self._seconds * left / done,
            tile.shown,
            self._tally.iterates(self._mosaic.n_hats, over=not self._left),
        )

    def finish(self, reason: StopReason = StopReason.CANCELLED) -> None:
        """Complete the trajectory; if the run is finished, it has its own stop reason, else it gets `reason`."""
        Recorder.close(self.trajectory, reason)


class _Clock:
    """Measures the time of the work, without the pauses while `should_stop` blocks."""

    def __init__(self, should_stop: Callable[[], bool] | None) -> None:
        self._should_stop = should_stop
        self._waited: dict[int, float] = {}

    def should_stop(self) -> bool:
        if self._should_stop is None:
            return False
        began, thread = perf_counter(), threading.get_ident()
        stop = self._should_stop()
        self._waited[thread] = self._waited.get(thread, 0.0) + perf_counter() - began
        return stop

    @property
    def seconds(self) -> float:
        # In a pause all threads of an evaluation wait together, so the longest total wait is the length of all pauses.
        return perf_counter() - max(self._waited.values(), default=0.0)


def record_photo(
    run: PhotoRun,
    should_stop: Callable[[], bool] | None = None,
    *,
    watch: Callable[[PhotoProgress], None] | None = None,
) -> Trajectory:
    """Run a photo's run to its end, and return the trajectory.

    Parameters
    ----------
    run : PhotoRun
    should_stop : callable, optional
        See `PhotoRun.tiles`.
    watch : callable, optional
        Called with the progress.

    Raises
    ------
    RunError
        If the run cannot continue.
    """
    for progress in run.tiles(should_stop):
        if progress.iterates:
            run.trajectory.replace(progress.iterates)
        if watch is not None:
            watch(progress)
    run.finish()
    return run.trajectory
