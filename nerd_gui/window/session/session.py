"""The state of the window: what is on the table, what runs have found of it, and what of that is shown."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from nerd_gui.denoising import PLAIN, Equilibrium, Look, PhotoProgress, RunSettings, Trajectory
from nerd_gui.denoising.settings import PICTURE
from nerd_gui.window.session.pins import Pin, with_pin
from nerd_gui.window.session.regions import Region
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.run_controller import RunController
from nerd_gui.window.session.workspace import Workspace


class Session(QObject):
    """Owns what every view shows. A view reads it, asks it to change, and follows its signals; it keeps nothing of it.

    Attributes
    ----------
    workspace : Workspace
        The photo, its noise and its region: the subject of the next run.
    controller : RunController
        The run under way, and how it ends.
    runs : list of Run
        The newest is the last. Kept are the current one, the one before it, to compare with, and the newest of the
        whole photo; those of regions hold the features of all their iterates.
    run : Run or None
        The current one, whose iterates are shown; None before the first and after the subject has changed.

    Signals
    -------
    photoChanged
        Another photo, or another clean reference of it. The runs of the one before are gone; `subjectChanged` follows.
    subjectChanged
        Another picture to run: the photo or its noise. There is no current run, and there are no pins.
    regionChanged
        Another part of the photo is to be explored. The current run, if there is one, is of the whole photo.
    runChanged
        Another run is the current one, or none is.
    trajectoryChanged
        `trajectory` is another one; it is None until the current run is prepared.
    iterateAdded : int
        The iterate of this index has arrived in `trajectory`.
    progressed
        The tiles of the current run have come further, see `progress`: in a part of the photo its iterates have
        changed, and so have their numbers.
    referenceChanged
        `reference` is another one, or none.
    indexChanged : int
        Another iterate is shown, whoever caused it; -1 for none.
    followChanged : bool
    channelChanged
    lookChanged
        `look` is another one: the pictures of all iterates are.
    pinsChanged
    hoveredChanged
    """

    photoChanged = Signal()
    subjectChanged = Signal()
    regionChanged = Signal()
    runChanged = Signal()
    trajectoryChanged = Signal()
    iterateAdded = Signal(int)
    progressed = Signal()
    referenceChanged = Signal()
    indexChanged = Signal(int)
    followChanged = Signal(bool)
    channelChanged = Signal()
    lookChanged = Signal()
    pinsChanged = Signal()
    hoveredChanged = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.workspace = Workspace(self)
        self.controller = RunController(self)
        self.runs: list[Run] = []
        self.run: Run | None = None
        self._last_equilibrium: Equilibrium | None = None
        self._compares = False
        self._index = -1
        self._follow = True
        self._held = False
        self._channel: int | None = None
        self._look = PLAIN
        self._pins: tuple[Pin, ...] = ()
        self._hovered: tuple[int, int] | None = None
        self._view: Region | None = None
        self.workspace.photoChanged.connect(self._on_photo)
        self.workspace.subjectChanged.connect(self._on_subject)
        self.workspace.regionChanged.connect(self._on_region)
        self.controller.prepared.connect(self.trajectoryChanged)
        self.controller.iterateAdded.connect(self._on_iterate)
        self.controller.progressed.connect(self._on_progressed)

    # ---- the subject --------------------------------------------------------------------------------------------

    def _on_photo(self) -> None:
        self._clear([])
        self.set_channel(None)
        self.set_look(PLAIN)
        self.photoChanged.emit()
        self.subjectChanged.emit()

    def _on_subject(self) -> None:
        self._clear([run for run in self.runs if run is not self.run])
        self.subjectChanged.emit()

    def _on_region(self) -> None:
        if self.run is not None and not self.run.whole:
            self._put_away()
            self.show_run(self.whole_run)
        self.regionChanged.emit()

    def _clear(self, kept: list[Run]) -> None:
        """Leave the current run and the pins, which belong to another picture, and keep these runs to compare with."""
        self._put_away()
        self.runs = kept
        self.show_run(None)
        self.clear_pins()

    # ---- runs ---------------------------------------------------------------------------------------------------

    @property
    def trajectory(self) -> Trajectory | None:
        """The iterates of the current run; None without one, and until it is prepared."""
        return self.run.trajectory if self.run is not None else None

    @property
    def whole_run(self) -> Run | None:
        """The newest run of the whole photo on the table that has an iterate; None where there is none."""
        return self._newest_of(None)

    @property
    def region_run(self) -> Run | None:
        """The newest run of the region that is chosen, if it has an iterate; None where there is none."""
        return None if self.workspace.region is None else self._newest_of(self.workspace.region)

    def _newest_of(self, region: Region | None) -> Run | None:
        return next(
            (
                run
                for run in reversed(self.runs)
                if run.subject.region == region and run.trajectory and self.workspace.has(run.subject)
            ),
            None,
        )

    def start(self, settings: RunSettings) -> None:
        """Run the region, or the whole photo where none is chosen; a run under way is stopped.

        Raises
        ------
        RunError
            If there is no photo.
        """
        run = Run(self.workspace.subject(), settings)
        self._take_up(run)
        self.controller.start(run, self._last_equilibrium if settings.start == "last" else None)

    def denoise_photo(self, settings: RunSettings, grain: int = 1, *, fits: bool = True) -> None:
        """Run the whole photo, for its picture: a small one in one piece where it fits, others tile by tile.

        Where such a run has been stopped with tiles left, and nothing else was asked for since, it goes on.

        Parameters
        ----------
        settings : RunSettings
            But for when it stops: that is when the picture does not visibly change any more.
        grain : {1, 2}
            The grain size, see `PhotoRun`; 2 is for tiles alone.
        fits : bool
            Whether memory suffices for one piece.

        Raises
        ------
        RunError
            If there is no photo.
        """
        workspace = self.workspace
        settings = replace(settings, stop_on=PICTURE)
        if fits and grain == 1 and not workspace.needs_region:
            run = Run(workspace.subject(whole=True), settings)
            self._take_up(run)
            self.controller.start(run, self._last_equilibrium if settings.start == "last" else None)
            return
        old = self.run if self.run is not None and self.run.unfinished else self.whole_run
        if old is not None and old.unfinished and (old.settings, old.grain) == (settings, grain):
            if old is not self.run:
                self._put_away()
                self.show_run(old)
            self.go_on()
        else:
            run = Run(workspace.quick_subject(), settings, in_tiles=True, grain=grain)
            self._take_up(run)
            self.controller.start_photo(run, workspace.maker(), self._viewed)

    def go_on(self) -> None:
        """Go on with the current run, which was stopped with tiles left."""
        if self.run is not None and self.run.unfinished:
            self.controller.go_on(self.run, self._viewed)
            self.progressed.emit()

    def _take_up(self, run: Run) -> None:
        """Make a new run the current one, and keep what it may be compared with."""
        self._put_away()
        kept = self.run, self.whole_run
        self.runs = [*(old for old in self.runs if old in kept), run]
        self.show_run(run)

    def _viewed(self) -> Region | None:
        return self._view

    def set_view(self, part: Region | None) -> None:
        """Say which part of what is shown is in view; tiles of it are solved first. Threads read it."""
        self._view = part

    def _put_away(self) -> None:
        """Stop, and keep of the current run the equilibrium that it found: what another one can start from."""
        self.controller.stop()
        if self.trajectory is not None:
            self._last_equilibrium = self.trajectory.equilibrium() or self._last_equilibrium

    def show_run(self, run: Run | None) -> None:
        """Make a run the current one, or none, and follow its newest iterate.

        Pins stay where they belong to the same part of the photo.
        """
        moved, self._index, self._held = self._index >= 0, -1, False
        before, self.run = self.shown_region, run
        if self.shown_region != before:
            self.clear_pins()
        self.runChanged.emit()
        self.trajectoryChanged.emit()
        self.referenceChanged.emit()
        if moved:
            self.indexChanged.emit(-1)
        self.set_follow(True)

    @property
    def progress(self) -> PhotoProgress | None:
        """How far the tiles of the current run have come; None for other runs and before the first word of it."""
        return self.run.progress if self.run is not None else None

    @property
    def shown_region(self) -> Region | None:
        """The part of the photo that is shown: that of the current run; None for the whole."""
        return self.run.subject.region if self.run is not None else None

    @property
    def reference(self) -> Trajectory | None:
        """The run to compare with, if that is wished for: the one before the current one, if it has any iterate."""
        others = [run.trajectory for run in self.runs if run is not self.run and run.trajectory]
        return others[-1] if others and self._compares else None

    def compare_runs(self, wished: bool) -> None:
        """Compare with the run before, or leave it."""
        self._compares = wished
        self.referenceChanged.emit()

    # ---- the iterate that is shown ------------------------------------------------------------------------------

    @property
    def index(self) -> int:
        """The current iterate, the one that is shown everywhere; -1 while there is none."""
        return self._index

    @property
    def newest(self) -> int:
        """The newest iterate that has arrived, -1 while there is none."""
        return len(self.trajectory) - 1 if self.trajectory is not None else -1

    @property
    def follow(self) -> bool:
        """Whether the current iterate is latched to the newest one."""
        return self._follow

    def go(self, index: int) -> None:
        """Go to an iterate (the nearest there is), as a person does: an older one than the newest ends *follow*."""
        if self.newest < 0:
            return
        if index < self.newest:
            self.set_follow(False)
        self._move(index)

    def go_to_newest(self) -> None:
        """Go to the newest iterate and stay with the solver."""
        self.go(self.newest)
        self.set_follow(True)

    def set_follow(self, follow: bool) -> None:
        """Latch the current iterate to the newest one, or leave it where it is."""
        if follow != self._follow:
            self._follow = follow
            self.followChanged.emit(follow)
        self._catch_up()

    def hold(self) -> None:
        """Until `release`, let the current iterate never move by itself: a person has it in the hand."""
        self._held = True

    def release(self) -> None:
        """Let go what `hold` took."""
        self._held = False
        self._catch_up()

    def _on_iterate(self, index: int) -> None:
        self.iterateAdded.emit(index)
        if self._index < 0:
            self._move(index)
        self._catch_up()

    def _on_progressed(self, run: Run, progress: PhotoProgress) -> None:
        if run not in self.runs or run.trajectory is None or run.photo_run is None:
            return
        run.progress, before = progress, len(run.trajectory)
        if progress.iterates:
            run.trajectory.replace(progress.iterates)
        if run.over:  # a tile that was under way when the run was stopped
            run.photo_run.finish()
        if run is not self.run:
            return
        for index in range(before, len(run.trajectory)):
            self._on_iterate(index)
        self.progressed.emit()

    def _catch_up(self) -> None:
        if self._follow and not self._held and self.newest >= 0:
            self._move(self.newest)

    def _move(self, index: int) -> None:
        """The one place where the current iterate of a run changes."""
        index = min(max(index, 0), self.newest)
        if index != self._index:
            self._index = index
            self.indexChanged.emit(index)

    # ---- what of an iterate is shown ----------------------------------------------------------------------------

    @property
    def channel(self) -> int | None:
        """The channel of a colour photo that curves and maps show; None for its luma."""
        return self._channel

    def set_channel(self, channel: int | None) -> None:
        """Show one channel of a colour photo, or its luma (None)."""
        if channel != self._channel:
            self._channel = channel
            self.channelChanged.emit()

    @property
    def look(self) -> Look:
        """How the pictures of iterates are shown and saved; plain for a photo that has just been opened."""
        return self._look

    def set_look(self, look: Look) -> None:
        """Show the iterates in another look; no run is needed for it."""
        if look != self._look:
            self._look = look
            self.lookChanged.emit()

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The pixels that a person clicked, the last one at the end."""
        return self._pins

    @property
    def hovered(self) -> tuple[int, int] | None:
        """Row and column of the pixel under the pointer."""
        return self._hovered

    @property
    def active_pixel(self) -> tuple[int, int] | None:
        """The pixel whose attention is shown: the last pin, or the hovered pixel while there is none."""
        return (self._pins[-1].row, self._pins[-1].col) if self._pins else self._hovered

    def pin(self, row: int, col: int, *, beside: bool = False) -> None:
        """Pin a pixel, in place of the pins there are or beside them."""
        self._pins = with_pin(self._pins if beside else (), row, col)
        self.pinsChanged.emit()

    def clear_pins(self) -> None:
        """Remove all pins."""
        if self._pins:
            self._pins = ()
            self.pinsChanged.emit()

    def hover(self, pixel: tuple[int, int] | None) -> None:
        """Say which pixel the pointer is over; None for none."""
        if pixel != self._hovered:
            self._hovered = pixel
            self.hoveredChanged.emit()
