"""One run of the window: what was asked for, and what has come of it so far."""

import threading
from dataclasses import dataclass, field
from datetime import datetime

from nerd_gui.denoising import PhotoProgress, PhotoRun, RunSettings, Subject, Trajectory
from nerd_gui.denoising.settings import PICTURE
from nerd_gui.denoising.whole_photo import StoppedPhoto
from nerd_gui.nerd import AttentionMaps, Network
from nerd_gui.window.wording import noise_words, solver_name

_LONG = 60  # seconds


@dataclass(eq=False)
class Run:
    """A run that was started.

    Attributes
    ----------
    subject : Subject
    settings : RunSettings
        As asked for; those of the trajectory are as the run took them.
    net : Network or None
        Its network, once it is loaded.
    trajectory : Trajectory or None
        Its iterates so far, once it is prepared.
    over : bool
        It has ended or failed.
    in_tiles : bool
        It is of a whole photo, tile by tile.
    grain : {1, 2}
        The grain size, see `PhotoRun`.
    photo_run : PhotoRun or None
        What solves the tiles, once it is prepared.
    progress : PhotoProgress or None
        How far the tiles have come.
    number : int
        1, 2, … of its photo, and never used twice; 0 until it is in the list of runs.
    name : str
        “Run 2”, until a person calls it otherwise.
    overlaid : bool
        Its curves are drawn beside those of the current run.
    index : int
        The iterate that was shown last; -1 for none yet.
    started : datetime
    saved : bool
        A file has it as it is now: its picture, or the session that it belongs to.
    stopped : StoppedPhoto or None
        Where a run in tiles stands that was opened with a session; it can go on from there.
    turn : Lock
        Held by the one thread that solves tiles.
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
    turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def label(self) -> str:
        """Name, solver and noise, as a legend says it: “Run 2 · Anderson · σ 25”."""
        return f"{self.name} · {solver_name(self.settings.solver)} · {noise_words(self.subject)}"

    @property
    def whole(self) -> bool:
        """Whether it is a run of the whole photo, not of a region."""
        return self.subject.region is None

    @property
    def for_the_picture(self) -> bool:
        """Whether the photo was to be denoised, and not explored."""
        return self.whole and self.settings.stop_on == PICTURE

    @property
    def newest(self) -> int:
        """The newest iterate that has arrived, -1 while there is none."""
        return len(self.trajectory) - 1 if self.trajectory is not None else -1

    @property
    def unfinished(self) -> bool:
        """Whether it was stopped with tiles left, so that it can go on."""
        if self.photo_run is None:
            return self.over and self.stopped is not None
        return self.over and not self.photo_run.finished

    @property
    def would_be_missed(self) -> bool:
        """Whether no file has it, and it is a photo that is or is being denoised, or took long to find."""
        if self.saved:
            return False
        seconds = self.trajectory[-1].seconds if self.trajectory else 0
        return self.for_the_picture or seconds > _LONG

    @property
    def from_file(self) -> bool:
        """Whether it was opened with a session: its features, which maps are made from, are not there."""
        return self.trajectory is not None and self.net is None

    def attention_maps(self, index: int, row: int, col: int) -> AttentionMaps | None:
        """Maps of a pixel of the photo at an iterate (Fig. 9), in rows and columns of what was run.

        None where there is no such iterate or no non-local block, and where the pixel was not run.
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
