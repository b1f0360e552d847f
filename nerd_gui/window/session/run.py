"""One run in the window: its settings, and its iterates so far."""

import threading
from dataclasses import dataclass, field
from datetime import datetime

from nerd_gui.denoising import PhotoProgress, PhotoRun, RunSettings, Subject, Trajectory
from nerd_gui.denoising.settings import PICTURE
from nerd_gui.denoising.whole_photo import StoppedPhoto
from nerd_gui.nerd import AttentionMaps, Network
from nerd_gui.window.wording import noise_words, solver_name

_LONG = 60  # seconds; losing a run that took longer is worth a question


@dataclass(eq=False)
class Run:
    """A run that has been started.

    Attributes
    ----------
    subject : Subject
    settings : RunSettings
        The settings that were asked for; the trajectory holds those that were used.
    net : Network or None
        The run's network, once it has been loaded.
    trajectory : Trajectory or None
        The run's iterates so far, once the run has been prepared.
    over : bool
        Whether the run has ended or failed.
    in_tiles : bool
        Whether the run solves a whole photo, tile by tile.
    grain : {1, 2}
        The grain size, see `PhotoRun`.
    photo_run : PhotoRun or None
        The run that solves the tiles, once it has been prepared.
    progress : PhotoProgress or None
        How many tiles are done.
    number : int
        1, 2, …, counted for each photo and never reused; 0 until the run is in the list of runs.
    name : str
        “Run 2”, until a person renames it.
    overlaid : bool
        Whether the run's curves are drawn beside those of the current run.
    index : int
        The iterate that was shown last; -1 if none was.
    started : datetime
    saved : bool
        Whether a file holds the run as it is now: its picture was saved, or the session it belongs to.
    stopped : StoppedPhoto or None
        The state of an unfinished run in tiles that was opened with a session and can continue.
    continues : bool
        Whether the run started from the equilibrium of another one only to change the strength.
    turn : Lock
        A lock, held by the one thread that solves tiles.
    """

    subject: Subject
    settings: RunSettings
    net: Network | None = None
    trajectory: Trajectory | None = None
    over: bool = False
    in_tiles: bool = False
    grain: int = 1
    photo_run: PhotoRun | None = None
    progress: PhotoProgress | None = None
    number: int = 0
    name: str = ""
    overlaid: bool = False
    index: int = -1
    started: datetime = field(default_factory=datetime.now)
    saved: bool = False
    stopped: StoppedPhoto | None = None
    continues: bool = False
    turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def label(self) -> str:
        """The run's name, solver and noise for a legend: “Run 2 · Anderson · σ 25”."""
        return f"{self.name} · {solver_name(self.settings.solver)} · {noise_words(self.subject)}"

    @property
    def whole(self) -> bool:
        """Whether the run covers the whole photo rather than a region."""
        return self.subject.region is None

    @property
    def for_the_picture(self) -> bool:
        """Whether the run was started to denoise the photo rather than to explore it."""
        return self.whole and self.settings.stop_on == PICTURE

    @property
    def newest(self) -> int:
        """The index of the newest iterate that has arrived; -1 while there is none."""
        return len(self.trajectory) - 1 if self.trajectory is not None else -1

    @property
    def unfinished(self) -> bool:
        """Whether the run was stopped before all tiles were done, so that it can continue."""
        if self.photo_run is None:
            return self.over and self.stopped is not None
        return self.over and not self.photo_run.finished

    @property
    def would_be_missed(self) -> bool:
        """Whether losing the run would hurt: no file has it, and it denoises a photo or took more than a minute."""
        if self.saved:
            return False
        seconds = self.trajectory[-1].seconds if self.trajectory else 0
        return self.for_the_picture or seconds > _LONG

    @property
    def from_file(self) -> bool:
        """Whether the run was opened with a session, which does not hold the features that maps are computed from."""
        return self.trajectory is not None and self.net is None

    def attention_maps(self, index: int, row: int, col: int) -> AttentionMaps | None:
        """Return a photo pixel's attention maps at an iterate (Fig. 9), in rows and columns of the run's picture.

        Returns None if there is no such iterate, if the network has no non-local block, or if the pixel was not run.
        """
        trajectory, net = self.trajectory, self.net
        top, left = self.subject.corner
        row, col = row - top, col - left
        if not (0 <= row < self.subject.rows and 0 <= col < self.subject.cols):
            return None
        if trajectory is None or net is None or not net.heads or not 0 <= index < len(trajectory):
            return None
        features = trajectory[index].features
        return None if features is None else features.attention_maps(net, row, col, trajectory.window)
