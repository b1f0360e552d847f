"""What is shown of the runs: which run, which of its iterates, and with what look."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from nerd_gui.denoising import PLAIN, Look, PhotoProgress, Trajectory
from nerd_gui.window.session.regions import Region
from nerd_gui.window.session.run import Run


@dataclass(frozen=True, eq=False)
class Compared:
    """An iterate of a run that is kept for comparison, with the look that it had."""

    run: Run
    index: int
    look: Look


class Shown(QObject):
    """Holds the current run and its current iterate, which picture, curves, maps and scrubber all follow.

    Attributes
    ----------
    run : Run or None
        The current run, whose iterates are shown; None before the first run.

    Signals
    -------
    runChanged
        The current run is another one, or None.
    trajectoryChanged
        `trajectory` is another one; it is None until the current run has been prepared.
    comparedChanged
        `compared` is another iterate, or None.
    indexChanged : int
        Another iterate is shown, for whatever reason; -1 for none.
    followChanged : bool
    channelChanged
    lookChanged
        `look` has changed, and with it the pictures of all iterates.
    """

    runChanged = Signal()
    trajectoryChanged = Signal()
    comparedChanged = Signal()
    indexChanged = Signal(int)
    followChanged = Signal(bool)
    channelChanged = Signal()
    lookChanged = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.run: Run | None = None
        self._before: Run | None = None  # the run that was current before this one
        self._compared: Compared | None = None
        self._index = -1
        self._follow = True
        self._held = False
        self._channel: int | None = None
        self._look = PLAIN
        self._view: Region | None = None

    # ---- the run that is shown ----------------------------------------------------------------------------------

    @property
    def trajectory(self) -> Trajectory | None:
        """The iterates of the current run; None without a run, and until the run has been prepared."""
        return self.run.trajectory if self.run is not None else None

    def show_run(self, run: Run | None) -> None:
        """Make a run current, at the iterate of it that was shown last; None shows no run. Other runs go on."""
        moved, self._index, self._held = self._index >= 0, -1, False
        if run is not self.run:
            self._before, self.run = self.run, run
        self.runChanged.emit()
        self.trajectoryChanged.emit()
        if moved:
            self.indexChanged.emit(-1)
        if run is not None and run.over and 0 <= run.index < run.newest:
            self.go(run.index)
        else:
            self.set_follow(True)

    @property
    def progress(self) -> PhotoProgress | None:
        """The progress of the current run's tiles; None for a run without tiles, and until its first report."""
        return self.run.progress if self.run is not None else None

    @property
    def shown_region(self) -> Region | None:
        """The region of the photo that is shown, which is that of the current run; None for the whole photo."""
        return self.run.subject.region if self.run is not None else None

    @property
    def shown_corner(self) -> tuple[int, int]:
        """Row and column in the photo of the first pixel that is shown."""
        return self.run.subject.corner if self.run is not None else (0, 0)

    @property
    def compared(self) -> Compared | None:
        """The iterate that is kept for comparison, of whichever run; None if there is none."""
        return self._compared

    def compare(self, run: Run | None, index: int = 0) -> None:
        """Keep an iterate of a run for comparison, with its present look; None keeps no iterate."""
        if run is not None or self._compared is not None:
            self._compared = Compared(run, index, self._look) if run is not None else None
            self.comparedChanged.emit()

    def part_in_view(self) -> Region | None:
        """Return the part of the photo that is in view, or None for all of it; may be called on any thread."""
        return self._view

    def set_view(self, part: Region | None) -> None:
        """Set the part of the photo that is in view, whose tiles are solved first."""
        self._view = part

    # ---- the iterate that is shown ------------------------------------------------------------------------------

    @property
    def index(self) -> int:
        """The index of the current iterate, which all views show; -1 while there is none."""
        return self._index

    @property
    def newest(self) -> int:
        """The index of the newest iterate that has arrived; -1 while there is none."""
        return self.run.newest if self.run is not None else -1

    @property
    def follow(self) -> bool:
        """Whether the current iterate follows the newest one."""
        return self._follow

    def go(self, index: int) -> None:
        """Go to the iterate nearest to an index, as a person does; going to an older iterate ends *follow*."""
        if self.newest < 0:
            return
        if index < self.newest:
            self.set_follow(False)
        self._move(index)

    def go_to_newest(self) -> None:
        """Go to the newest iterate and follow the solver from there."""
        self.go(self.newest)
        self.set_follow(True)

    def set_follow(self, follow: bool) -> None:
        """Make the current iterate follow the newest one, or stay where it is."""
        if follow != self._follow:
            self._follow = follow
            self.followChanged.emit(follow)
        self._catch_up()

    def hold(self) -> None:
        """Keep the current iterate in place until `release`, because a person drags the slider."""
        self._held = True

    def release(self) -> None:
        """End what `hold` began."""
        self._held = False
        self._catch_up()

    def _catch_up(self) -> None:
        if self._follow and not self._held and self.newest >= 0:
            self._move(self.newest)

    def _move(self, index: int) -> None:
        """Change the current iterate; nothing else in the class changes it within a run."""
        index = min(max(index, 0), self.newest)
        if index != self._index:
            self._index = index
            if self.run is not None:
                self.run.index = index
            self.indexChanged.emit(index)

    # ---- channel and look ---------------------------------------------------------------------------------------

    @property
    def channel(self) -> int | None:
        """The channel of a colour photo that curves and maps show; None for the luma."""
        return self._channel

    def set_channel(self, channel: int | None) -> None:
        """Show one channel of a colour photo; None shows the luma."""
        if channel != self._channel:
            self._channel = channel
            self.channelChanged.emit()

    @property
    def look(self) -> Look:
        """The look with which iterates are shown and saved; plain for a photo that has just been opened."""
        return self._look

    def set_look(self, look: Look) -> None:
        """Show the iterates with another look, which needs no new run."""
        if look != self._look:
            self._look = look
            self.lookChanged.emit()
