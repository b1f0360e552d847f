"""What a session is: a photo, its runs, and what of them is shown."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nerd_gui.denoising.look import PLAIN, Look
from nerd_gui.denoising.settings import RunSettings
from nerd_gui.denoising.trajectory import Trajectory
from nerd_gui.denoising.whole_photo import StoppedPhoto
from nerd_gui.imaging import Photo


@dataclass(frozen=True, eq=False)
class SavedRun:
    """A run that has at least one iterate.

    Attributes
    ----------
    number : int
        1, 2, … of its photo.
    name : str
    trajectory : Trajectory
        Of a run that is read, iterates have no features; attention maps need a new run.
    asked : RunSettings
        As asked for; those of the trajectory are as the run took them.
    overlaid : bool
        Its curves are drawn beside those of the run that is shown.
    index : int
        The iterate that was shown last of it.
    started : datetime
    in_tiles : bool
        It is of a whole photo, tile by tile.
    tiles : (finished, all) or None
        How far it has come, for a run in tiles.
    standing_still : callable
        Opens a context in which its iterates do not change; it gives where the run stands, None where it is finished or
        is no run in tiles. Called where the session is written.
    stopped : StoppedPhoto or None
        Where a run in tiles that is read has stopped, so that it can go on.
    """

    number: int
    name: str
    trajectory: Trajectory
    asked: RunSettings
    overlaid: bool
    index: int
    started: datetime
    in_tiles: bool = False
    tiles: tuple[int, int] | None = None
    standing_still: Callable[[], AbstractContextManager[StoppedPhoto | None]] = nullcontext
    stopped: StoppedPhoto | None = None


@dataclass(frozen=True, eq=False)
class SavedSession:
    """All that is needed to go on where a person left.

    Attributes
    ----------
    photo : Photo
        That of all runs.
    clean : Photo or None
        Its clean version, if one was opened.
    add_noise, sigma, seed, region
        The subject of the next run.
    runs : tuple of SavedRun
    shown : int or None
        Number of the run that is shown.
    follow : bool
        Whether the newest iterate is shown as it comes.
    pins : tuple of (number, row, col)
    selected : int or None
        Number of the pin that is selected.
    compared : (number of the run, index, Look) or None
        The iterate that is kept for comparison.
    look : Look
    channel : int or None
    view : dict
        JSON-ready: what the window keeps of its own.
    notice : str
        Of a session that was read: what could not be had again; empty where all could.
    """

    photo: Photo
    clean: Photo | None = None
    add_noise: bool = False
    sigma: float = 25.0
    seed: int = 0
    region: tuple[int, int, int, int] | None = None
    runs: tuple[SavedRun, ...] = ()
    shown: int | None = None
    follow: bool = True
    pins: tuple[tuple[int, int, int], ...] = ()
    selected: int | None = None
    compared: tuple[int, int, Look] | None = None
    look: Look = PLAIN
    channel: int | None = None
    view: dict[str, Any] = field(default_factory=dict)
    notice: str = ""
