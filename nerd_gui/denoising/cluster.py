"""Runs a batch on an existing Dask cluster, with one task for each photo."""

import asyncio
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self

import torch

from nerd_gui import __version__
from nerd_gui.denoising.batch import Announce, Batch, Job, Outcome, Progress, Watch, attempt
from nerd_gui.denoising.devices import check_device, default_device
from nerd_gui.denoising.errors import RunError
from nerd_gui.denoising.photo_files import Destination, Networks, Step, Treatment
from nerd_gui.denoising.settings import RunSettings
from nerd_gui.files import remove_leftovers
from nerd_gui.imaging.limits import allow_pixels, allowed_pixels

_PATIENCE = 5.0  # seconds in which a cluster must answer
_SHARE = 0.75  # fraction of a worker's memory for a run; Dask pauses a worker at 0.8 and kills it at 0.95


class Cluster:
    """A connection to a Dask cluster, and a context manager that closes it.

    Photos, results and a user's own checkpoint must be in folders that all workers see under the same paths as this
    computer. NERD GUI must be installed on the workers. All participants must trust each other, because Dask executes
    any code that it is sent.

    Parameters
    ----------
    address : str
        The scheduler's address, such as ``tcp://192.168.1.5:8786``.

    Raises
    ------
    RunError
        If the package ``distributed`` is missing, or the cluster does not answer.
    """

    def __init__(self, address: str) -> None:
        self._dask = _distributed()
        try:
            asyncio.run(
                asyncio.wait_for(_greet(self._dask, address), _PATIENCE + 1)
            )  # otherwise, the client may wait for ever
            self._client = self._dask.Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            why = " ".join(str(error).split()).rstrip(".") or "it is not a Dask scheduler"
            raise RunError(
                f"The Dask cluster “{address}” does not answer ({why}); check "
                "that its scheduler runs and that this is the address it shows, such as tcp://192.168.1.5:8786."
            ) from error
        self.address = address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._client.close()

    @property
    def workers(self) -> int:
        """The current number of workers."""
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def outcomes(
        self,
        batch: Batch,
        *,
        device: str | None = None,
        watch: Watch | None = None,
        announce: Announce | None = None,
    ) -> Iterator[Outcome]:
        """Denoise the photos of a batch, and yield the outcomes as they arrive.

        If a worker dies, another one repeats its photo. If the iteration is ended early, photos that have not been
        started are withdrawn, and the workers finish the others.

        Parameters
        ----------
        device : str, optional
            The device that the workers use (None: the fastest of each).
        watch, announce : callable, optional
            See `Batch.outcomes`; called between photos.

        Raises
        ------
        RunError
            If the folder of the results cannot be created, or the connection to the cluster is lost.
        """
        remove_leftovers(job.target for job in batch.jobs)
        waiting = []
        for job in batch.jobs:
            if (outcome := _beforehand(batch, job)) is not None:
                yield outcome
            else:
                waiting.append(job)
        if not waiting:
            return
        _make_folders(waiting)
        tasks = {self._send(job, batch, device): job for job in waiting}
        try:
            yield from self._collected(tasks, len(batch.jobs) - len(waiting), len(batch.jobs), watch, announce)
        finally:
            self._client.cancel(list(tasks))
            remove_leftovers(job.target for job in waiting)  # left by workers that died while writing

    def _send(self, job: Job, batch: Batch, device: str | None) -> Any:
        absolute = Job(job.source.absolute(), job.target.absolute())
        task = _Task(
            absolute, batch.destination, _with_absolute_model(batch.treatment), device, __version__, allowed_pixels()
        )
        return self._client.submit(_denoise, task, key=f"nerd-gui-{job.source.name}-{uuid.uuid4().hex}", pure=False)

    def _collected(
        self, tasks: dict[Any, Job], done: int, count: int, watch: Watch | None, announce: Announce | None
    ) -> Iterator[Outcome]:
        began = time.monotonic()
        for finished, future in enumerate(self._dask.as_completed(list(tasks), loop=self._client.loop), 1):
            job = tasks[future]
            if future.cancelled():
                raise RunError(
                    f"The connection to the Dask cluster “{self.address}” was lost; once it is back, continue with "
                    "--skip-existing."
                )
            outcome, sentences = self._result(job, future)
            if announce is not None:
                for sentence in sentences:
                    announce(job, sentence)
            if watch is not None:
                left = (time.monotonic() - began) / finished * (len(tasks) - finished)
                watch(Progress(job, done + finished, count, Step(1.0), left))
            yield outcome

    def _result(self, job: Job, future: Any) -> tuple[Outcome, list[str]]:
        error = future.exception()
        if error is None:
            outcome, sentences = future.result()
            # The result did not exist when the task was sent, so a worker saved it and died before reporting it.
            state = "saved" if outcome.state == "skipped" else outcome.state
            return replace(outcome, job=job, state=state), sentences
        if isinstance(error, self._dask.scheduler.KilledWorker):
            reason = (
                f"“{job.source.name}” was not denoised: {error.allowed_failures + 1} workers of the cluster died while "
                "denoising it, perhaps for lack of memory; try --memory-limit, or workers with more memory."
            )
        elif isinstance(error, ImportError):
            reason = f"A worker of the cluster cannot load NERD GUI ({error}); install it there."
        else:
            reason = f"“{job.source.name}” was not denoised: an unexpected error ({type(error).__name__}: {error})."
        return Outcome(job, "failed", reason), []


@dataclass(frozen=True)
class _Task:
    """The task that is sent to a worker.

    Attributes
    ----------
    version : str
        The version of NERD GUI here; workers with another version refuse the task, since results might differ.
    max_pixels : int or None
        See `allow_pixels`.
    """

    job: Job
    destination: Destination
    treatment: Treatment
    device: str | None
    version: str
    max_pixels: int | None


_one_photo = threading.Lock()  # one photo at a time in each process, since a run uses all threads of its worker
_networks = Networks()  # the cache of this worker process


def _denoise(task: _Task) -> tuple[Outcome, list[str]]:
    """Denoise a photo on a worker; return the outcome, and sentences that the user should read."""
    sentences: list[str] = []
    with _one_photo:
        allow_pixels(task.max_pixels)
        worker = _distributed().get_worker()
        torch.set_num_threads(worker.state.nthreads)  # Dask sets it to 1
        try:
            _check(task)
            settings = _here(task.treatment.settings, task.device, worker.memory_manager.memory_limit)
        except RunError as error:
            return Outcome(task.job, "failed", str(error)), []
        treatment = replace(task.treatment, settings=settings)
        outcome = attempt(
            task.job,
            task.destination,
            treatment,
            _networks,
            skip_existing=not task.destination.overwrite,
            announce=sentences.append,
        )
    return outcome, sentences


def _here(settings: RunSettings, device: str | None, memory_limit: int | None) -> RunSettings:
    """Adapt the settings to a worker: its device, and Dask's limit of its memory in bytes (None: no limit)."""
    device = default_device() if device is None else check_device(device)
    if settings.memory_limit is None and memory_limit and device == "cpu":
        return replace(settings, device=device, memory_limit=_SHARE * memory_limit / 1e9)
    return replace(settings, device=device)


def _check(task: _Task) -> None:
    if task.version != __version__:
        raise RunError(
            f"A worker of the cluster has NERD GUI {__version__}, this computer {task.version}; install the same."
        )
    for path in (task.job.source, task.job.target.parent):
        if not path.exists():
            raise RunError(
                f"A worker of the cluster does not see “{path}”; photos and results must be in folders that all "
                "workers share, under the same paths."
            )


def _beforehand(batch: Batch, job: Job) -> Outcome | None:
    """The outcome of a photo that needs no run; None if it needs one."""
    if batch.done_already(job):
        return Outcome(job, "skipped")
    try:
        batch.destination.check(job.target)
    except RunError as error:
        return Outcome(job, "failed", str(error))
    return None


def _make_folders(jobs: list[Job]) -> None:
    for folder in {job.target.parent for job in jobs}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"The folder “{folder}” cannot be created ({error.strerror}); choose another.") from error


def _with_absolute_model(treatment: Treatment) -> Treatment:
    """Make the path of a user's own checkpoint absolute, because workers have another working directory."""
    model = treatment.settings.model
    if not model.endswith(".safetensors"):
        return treatment
    return replace(treatment, settings=replace(treatment.settings, model=str(Path(model).absolute())))


async def _greet(dask: ModuleType, address: str) -> None:
    """Connect to a scheduler once, to see whether it answers."""
    options = dask.Security().get_connection_args("client")
    comm = await dask.comm.connect(dask.comm.resolve_address(address), timeout=_PATIENCE, **options)
    comm.abort()


def _distributed() -> ModuleType:
    try:
        import distributed
    except ImportError as error:
        raise RunError(
            "Batches on a cluster need the package “distributed”, which is not installed. Install it: "
            'pip install "nerd-gui[cluster]"'
        ) from error
    return distributed
