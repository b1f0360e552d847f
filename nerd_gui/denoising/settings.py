"""What a run is asked to do: which network, which solver, where, and on what."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from nerd_gui.equilibrium import SOLVERS
from nerd_gui.imaging import Photo, add_noise
from nerd_gui.nerd import model_names
from nerd_gui.nerd.attention import Precision


class RunError(ValueError):
    """A run that cannot start or go on; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class RunSettings:
    """How the equilibrium is sought.

    Attributes
    ----------
    model : str
        Name of a catalogued network, or path of a checkpoint.
    solver : {"broyden", "anderson", "plain"}
    max_iter : int
        Most steps; iterates are numbered 0 ... N.
    tol : float
        Residual ||g|| / ||f(z)|| at which the run has converged; 0 takes all steps.
    memory : int or None
        Pairs that Broyden keeps (None: all).
    safeguard : bool
        Drop steps that more than double the residual.
    window : int or None
        q for this run (None: the network's own).
    precision : {"float32", "bfloat16"}
        Arithmetic inside f.
    device : str
        "cpu", "cuda", "cuda:1", "mps".
    start : {"zero", "random", "last"}
        z of iterate 0 (Sec. IV-B: a well-posed equilibrium does not depend on it); "last" is the last equilibrium.
    start_seed : int
        Seed of the random start.
    memory_limit : float or None
        Gigabytes that the process, or its tensors on a GPU, may take (None: what is free). The run is made to fit.
    """

    model: str = "nerd-lite"
    solver: str = "broyden"
    max_iter: int = 17
    tol: float = 1e-3
    memory: int | None = None
    safeguard: bool = True
    window: int | None = None
    precision: Precision = "float32"
    device: str = "cpu"
    start: Literal["zero", "random", "last"] = "zero"
    start_seed: int = 0
    memory_limit: float | None = None

    def __post_init__(self) -> None:
        if self.solver not in SOLVERS:
            raise RunError(f"There is no solver “{self.solver}”; choose one of {', '.join(SOLVERS)}.")
        if self.max_iter < 1:
            raise RunError(f"The solver needs at least 1 step, not {self.max_iter}.")
        if not (math.isfinite(self.tol) and self.tol >= 0):
            raise RunError(f"The tolerance must be a number of 0 or more, not {self.tol}.")
        if self.memory is not None and self.memory < 1:
            raise RunError(f"Broyden's memory must hold at least 1 pair, not {self.memory}.")
        if self.window is not None and self.window < 1:
            raise RunError(f"The attention window must be at least 1 pixel wide, not {self.window}.")
        if self.memory_limit is not None and not 0 < self.memory_limit < math.inf:
            raise RunError(f"The memory limit must be above 0 GB, not {self.memory_limit}.")
        if self.precision not in ("float32", "bfloat16"):
            raise RunError(f"The precision must be float32 or bfloat16, not “{self.precision}”.")
        if self.start not in ("zero", "random", "last"):
            raise RunError(f"A run starts from zero, random or last, not from “{self.start}”.")


def devices() -> list[str]:
    """The devices that a run can use here: the processor first, then accelerators."""
    found = ["cpu"]
    found += ["cuda"] if torch.cuda.device_count() == 1 else [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return found


def check_device(name: str) -> str:
    """Return the device's name if it is there.

    Raises
    ------
    RunError
        If it is not.
    """
    known = devices()
    if name not in known and not (name == "cuda:0" and "cuda" in known):
        raise RunError(f"There is no device “{name}” here; choose one of {', '.join(known)}.")
    return name


def default_device() -> str:
    """The fastest device: an accelerator where there is one."""
    return devices()[-1] if len(devices()) > 1 else "cpu"


def default_model(device: str) -> str:
    """The paper's network on an accelerator, the lite one on a processor, as far as they have been trained."""
    names = model_names()
    preferred = ["nerd", "nerd-lite"] if device != "cpu" else ["nerd-lite", "nerd"]
    for name in [*preferred, *names]:
        if name in names:
            return name
    raise RunError("No trained network came with this installation; reinstall the program or open a checkpoint.")


@dataclass(frozen=True, eq=False)
class Subject:
    """What is denoised, and what is known of it.

    Attributes
    ----------
    photo : Photo
        The photo as opened, whole.
    noisy : float32 array (C, rows, cols)
        y: the photo, or the region of it, with noise added if any was.
    clean : float32 array (C, rows, cols) or None
        x where it is known.
    sigma : float or None
        Standard deviation of the noise that was added, 0-255; None for a photo that is noisy already.
    seed : int or None
        Seed of that noise.
    region : (row, col, rows, cols) or None
        The part of the photo that is run; None for the whole.
    """

    photo: Photo
    noisy: np.ndarray
    clean: np.ndarray | None = None
    sigma: float | None = None
    seed: int | None = None
    region: tuple[int, int, int, int] | None = None

    @classmethod
    def of(
        cls,
        photo: Photo,
        *,
        sigma: float | None = None,
        seed: int = 0,
        clean: Photo | None = None,
        region: tuple[int, int, int, int] | None = None,
    ) -> "Subject":
        """Make the subject of a run.

        Parameters
        ----------
        sigma : float, optional
            Add noise of this level: the photo itself is then the clean picture. None: the photo is noisy already.
        clean : Photo, optional
            The clean picture of an already noisy photo.

        Raises
        ------
        RunError
            If sigma is no noise level, the clean picture has another size or number of channels, or the region does
            not lie inside the photo.
        """
        if clean is not None and clean.pixels.shape != photo.pixels.shape:
            raise RunError(
                f"The clean picture “{clean.name}” is {clean.cols} x {clean.rows} with {clean.channels} channel(s), "
                f"the photo {photo.cols} x {photo.rows} with {photo.channels}; choose the clean version of this photo."
            )
        if clean is not None and sigma is not None:
            raise RunError("Noise is added to a clean picture, so there is no other clean picture to name.")
        if seed < 0:
            raise RunError(f"The seed of the noise must be 0 or more, not {seed}.")
        try:
            part = photo.crop(*region) if region else photo
            if sigma is not None:
                return cls(photo, add_noise(part.pixels, sigma, seed), part.pixels, float(sigma), seed, region)
            truth = None if clean is None else (clean.crop(*region) if region else clean).pixels
        except ValueError as error:
            raise RunError(str(error)) from error
        return cls(photo, part.pixels, truth, region=region)

    @property
    def channels(self) -> int:
        return int(self.noisy.shape[0])

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column of the photo at which the subject begins."""
        return (0, 0) if self.region is None else self.region[:2]

    @property
    def rows(self) -> int:
        return int(self.noisy.shape[1])

    @property
    def cols(self) -> int:
        return int(self.noisy.shape[2])
