"""The content of a session: a photo, its runs, and the state of the window."""

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
    """A run with at least one iterate, and how the window shows it.

    Attributes
    ----------
    number : int
        The number of the run among those of its photo, from 1.
    name : str
    trajectory : Trajectory
        If it was read from a file, its iterates have no features, so that attention maps need a new run.
    asked : RunSettings
        The settings that were asked for; those of the trajectory are the ones that the run used.
    overlaid : bool
        Whether its curves are drawn together with those of the shown run.
    index : int
        The iterate that was shown last.
    started : datetime
    in_tiles : bool
        Whether the run solves a whole photo tile by tile.
    tiles : (finished, all) or None
        Numbers of tiles, for a run in tiles.
    standing_still : callable
        Returns a context manager, used while the session is written. Within it the iterates do not change; its value is
        the state of an unfinished run in tiles, else None.
    continues : bool
        Whether the run started from the equilibrium of another one only to change the strength.
    stopped : StoppedPhoto or None
        The state of an unfinished run in tiles that was read from a file, from which it can continue.
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
    continues: bool = False
    stopped: StoppedPhoto | None = None


@dataclass(frozen=True, eq=False)
class SavedSession:
    """Everything that is needed to restore the window.

    Attributes
    ----------
    photo : Photo
        The photo of all runs.
    clean : Photo or None
        The clean version of the photo, if one was opened.
    add_noise, sigma, seed, region
        The settings of the next run's subject.
    runs : tuple of SavedRun
    shown : int or None
        Number of the shown run.
    follow : bool
        Whether the newest iterate is shown when it arrives.
    pins : tuple of (number, row, col)
    selected : int or None
        Number of the selected pin.
    compared : (number of the run, index, Look) or None
        The iterate that is kept for comparison.
    look : Look
    channel : int or None
    view : dict
        Further state of the window, JSON-ready.
    notice : str
        For a session that was read: sentences about what could not be restored; empty if everything was.
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
