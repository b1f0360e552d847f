"""The state of the window: the open photo, its runs, and what of them is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from nerd_gui.denoising import PLAIN, Equilibrium, PhotoProgress, RunSettings, Subject
from nerd_gui.denoising.settings import PICTURE
from nerd_gui.imaging import Photo
from nerd_gui.window.session.differences import difference
from nerd_gui.window.session.history import History
from nerd_gui.window.session.iterate_maps import IterateMaps
from nerd_gui.window.session.pins import Pin, PinBoard
from nerd_gui.window.session.regions import Region
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.run_controller import RunController
from nerd_gui.window.session.run_list import RunList
from nerd_gui.window.session.shown import Shown
from nerd_gui.window.session.workspace import Table, Workspace

_FEW = 4  # photos that are remembered in any case


@dataclass(frozen=True, eq=False)
class _Left:
    """A photo that was left for another one, with its runs and pins."""

    table: Table
    runs: tuple[Run, ...]
    run: Run | None
    pins: tuple[Pin, ...]

    @property
    def missed(self) -> list[Run]:
        return _missed(self.runs)


def _missed(runs: Iterable[Run]) -> list[Run]:
    return [run for run in runs if run.would_be_missed]


class Session(Shown):
    """Owns the state that every view shows. Views read it, ask it to change and follow its signals; they keep no copy.

    Attributes
    ----------
    history : History
        The changes that can be undone.
    workspace : Workspace
        The photo, its noise and its region: the subject of the next run.
    controller : RunController
        Starts and stops runs.
    runs : RunList
        All runs of the photo; only a person removes one.
    pins : PinBoard
    maps : IterateMaps
        The maps of the current run.

    Signals
    -------
    photoChanged
        Another photo is open, with the runs and pins it was left with, if any. `subjectChanged` follows.
    subjectChanged
        The next run's picture has changed: the photo, its noise or its clean reference. The current run stays; see
        `differs`.
    regionChanged
        Another part of the photo is to be explored. The current run, if there is one, now covers the whole photo.
    iterateAdded : int
        The iterate with this index has arrived in `trajectory`.
    progressed
        More tiles of the current run are done, see `progress`: its iterates have changed in a part of the photo, and
        so have their numbers.
    """

    photoChanged = Signal()
    subjectChanged = Signal()
    regionChanged = Signal()
    iterateAdded = Signal(int)
    progressed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.history = History(self)
        self.workspace = Workspace(self.history, self)
        self.controller = RunController(self)
        self.runs = RunList(self.history, self)
        self.pins = PinBoard(self.history, self)
        self.maps = IterateMaps(self)
        self._table: Table | None = None
        self._left: list[_Left] = []  # the photos that were left, the newest last
        self._last_equilibrium: Equilibrium | None = None
        self.trajectoryChanged.connect(lambda: self.maps.take(self.run))
        self.workspace.photoChanged.connect(self._on_photo)
        self.workspace.subjectChanged.connect(self._remember_table)
        self.workspace.subjectChanged.connect(self.subjectChanged)
        self.workspace.regionChanged.connect(self._on_region)
        self.controller.prepared.connect(self._on_prepared)
        self.controller.iterateAdded.connect(self._on_iterate)
        self.controller.progressed.connect(self._on_progressed)
        self.controller.ended.connect(lambda _, run: self._on_over(run))
        self.controller.failed.connect(lambda _, __, run: self._on_over(run))

    # ---- the subject --------------------------------------------------------------------------------------------

    def _on_photo(self) -> None:
        self.controller.stop()
        self._last_equilibrium = self._newest_equilibrium()
        back = next((left for left in self._left if left.table.photo is self.workspace.photo), None)
        self._left = [left for left in self._left if left is not back]
        self._leave()
        self._remember_table()
        self.history.clear()
        self.compare(None)
        self.runs.replace(back.runs if back is not None else ())
        self.show_run(back.run if back is not None else None)
        self.runs.changed.emit()  # only now, when the current run is in the list
        self._before = None
        pins = back.pins if back is not None else ()
        self.pins.set(pins, pins[-1].number if pins else None)
        self.set_channel(None)
        self.set_look(PLAIN)
        self.photoChanged.emit()
        self.subjectChanged.emit()

    def _remember_table(self) -> None:
        self._table = self.workspace.table

    def _leave(self) -> None:
        """Remember the runs of the photo that was open so far, unless it has none.

        Of the photos remembered earlier, the last few stay, and all whose runs a person would miss.
        """
        if self._table is None or not len(self.runs):
            return
        earlier = [left for left in self._left[: -_FEW + 1] if left.missed] + self._left[-_FEW + 1 :]
        self._left = [*earlier, _Left(self._table, tuple(self.runs), self.run, self.pins.all)]

    @property
    def left_photos(self) -> list[Photo]:
        """The photos that were left for others and have runs, the newest first."""
        return [left.table.photo for left in reversed(self._left)]

    def go_back(self, place: int = 0) -> None:
        """Open photo number `place` of `left_photos` again, with its runs and pins."""
        if place < len(self._left):
            self.workspace.lay(self._left[-1 - place].table)

    @property
    def missed(self) -> dict[str, list[Run]]:
        """The unsaved runs that a person would miss, by the names of their photos; the open photo comes first."""
        photo = self.workspace.photo
        found = {photo.name: _missed(self.runs)} if photo is not None else {}
        for left in reversed(self._left):
            found.setdefault(left.table.photo.name, []).extend(left.missed)
        return {name: runs for name, runs in found.items() if runs}

    def bring(self, table: Table, runs: Iterable[Run], run: Run | None, pins: tuple[Pin, ...]) -> None:
        """Open a photo with runs and pins, as if it had been left for the one that is open now.

        If the same photo was indeed left, that earlier state is dropped unless a person would miss its runs.
        """
        known = table.photo.sha256
        self._left = [left for left in self._left if left.missed or left.table.photo.sha256 != known]
        self._left.append(_Left(table, tuple(runs), run, pins))
        self.go_back()

    def _on_region(self) -> None:
        if self.shown_region is not None:
            self.show_run(self.whole_run)
        self._remember_table()
        self.regionChanged.emit()

    @property
    def differs(self) -> str:
        """A sentence on how a new run's picture would differ from the current run's; empty if it would not."""
        return difference(self.workspace, self.run)

    @property
    def pin_in_run(self) -> tuple[int, int] | None:
        """Row and column of the selected pin in the current run's picture; None if it lies outside."""
        pin, run = self.pins.selected, self.run
        if pin is None or run is None:
            return None
        row, col = pin.row - run.subject.corner[0], pin.col - run.subject.corner[1]
        return (row, col) if 0 <= row < run.subject.rows and 0 <= col < run.subject.cols else None

    # ---- runs ---------------------------------------------------------------------------------------------------

    @property
    def whole_run(self) -> Run | None:
        """The newest run of the whole photo, with its present noise, that has an iterate; None if there is none."""
        return self._newest_of(None)

    @property
    def region_run(self) -> Run | None:
        """The newest run of the chosen region that has an iterate; None if there is none."""
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

    def _newest_equilibrium(self) -> Equilibrium | None:
        found = (run.trajectory.equilibrium() for run in reversed(self.runs) if run.trajectory)
        return next((equilibrium for equilibrium in found if equilibrium is not None), self._last_equilibrium)

    def start(self, settings: RunSettings) -> None:
        """Run the chosen region, or the whole photo if no region is chosen; a run under way is stopped.

        Raises
        ------
        RunError
            If there is no photo.
        """
        self._start_in_one_piece(Run(self._maker(self.workspace.region)(), settings))

    def _maker(self, region: Region | None) -> Callable[[], Subject]:
        """Return a function that makes the next run's subject; it reuses noise that an earlier run has drawn."""
        earlier = next(
            (
                run.subject
                for run in reversed(self.runs)
                if run.trajectory is not None and run.subject.region == region and self.workspace.has(run.subject)
            ),
            None,
        )
        if self.workspace.add_noise and earlier is not None:
            subject = earlier
            return lambda: subject
        return self.workspace.maker(region)

    def repeat(self, run: Run) -> None:
        """Run a run's subject again with the same settings: the iterates will be the same, this time with features."""
        self._start_in_one_piece(Run(run.subject, run.settings))

    def change_strength(self, run: Run, strength: float) -> None:
        """Run a run's subject again with another strength, starting at its equilibrium, which is near the new one."""
        assert run.trajectory is not None
        settings = replace(run.settings, strength=strength, start="last")
        self._start_in_one_piece(Run(run.subject, settings, continues=True), run.trajectory.equilibrium())

    def _start_in_one_piece(self, run: Run, start_from: Equilibrium | None = None) -> None:
        if run.settings.start == "last" and start_from is None:
            start_from = self._newest_equilibrium()
        self._take_up(run)
        self.controller.start(run, start_from)

    def denoise_photo(self, settings: RunSettings, grain: int = 1, *, fits: bool = True) -> None:
        """Denoise the whole photo: a small one in one piece if it fits into memory, any other tile by tile.

        If such a run was stopped before all its tiles were done, and nothing has changed since, that run continues.

        Parameters
        ----------
        settings : RunSettings
            The settings, except for the stop rule: the run stops when the picture no longer changes visibly.
        grain : {1, 2}
            The grain size, see `PhotoRun`; 2 is possible in tiles only.
        fits : bool
            Whether the memory suffices to run the photo in one piece.

        Raises
        ------
        RunError
            If there is no photo.
        """
        workspace = self.workspace
        settings = replace(settings, stop_on=PICTURE)
        if fits and grain == 1 and not workspace.needs_region:
            self._start_in_one_piece(Run(self._maker(None)(), settings))
            return
        old = self.run if self.run is not None and self.run.unfinished else self.whole_run
        asked_for = old is not None and workspace.has(old.subject) and (old.settings, old.grain) == (settings, grain)
        if old is not None and old.unfinished and asked_for:
            if old is not self.run:
                self.show_run(old)
            self.go_on()
        else:
            run = Run(workspace.quick_subject(), settings, in_tiles=True, grain=grain)
            self._take_up(run)
            self.controller.start_photo(run, self._maker(None), self.part_in_view)

    def go_on(self) -> None:
        """Continue the current run, if it was stopped before all its tiles were done."""
        if self.run is not None and self.run.unfinished:
            self.controller.go_on(self.run, self.part_in_view)
            self.progressed.emit()

    def _take_up(self, run: Run) -> None:
        """Add a new run to the list and show it; the run under way is stopped."""
        self.controller.stop()
        self.runs.add(run)
        self.show_run(run)

    def remove_run(self, run: Run) -> None:
        """Remove a run from the list, which can be undone; if it is under way, it is stopped."""
        if run is self.controller.run:
            self.controller.stop()
        if run not in self.runs:  # stopping removed it, because it had no iterate yet
            return
        place, current = list(self.runs).index(run), self.run

        def apply(there: bool) -> None:
            if there:
                self.runs.insert(place, run)
                if current is run:
                    self.show_run(run)
            else:
                self._drop(run)

        self.history.record(f"removing “{run.name}”", True, False, apply)

    def _drop(self, run: Run) -> None:
        index = self.runs.drop(run)
        if self._compared is not None and self._compared.run is run:
            self.compare(None)
        if self.run is run:
            neighbour = self.runs[min(index, len(self.runs) - 1)] if len(self.runs) else None
            self.show_run(self._before if self._before in self.runs else neighbour)

    def _on_prepared(self, run: Run) -> None:
        if run is self.run:
            self.trajectoryChanged.emit()

    def _on_over(self, run: Run) -> None:
        """Drop an ended run that has no iterate."""
        if run.newest < 0 and run in self.runs:
            self._drop(run)
        else:
            self.runs.changed.emit()

    def _on_iterate(self, index: int, run: Run) -> None:
        run.saved = False
        if run is self.run:
            self.iterateAdded.emit(index)
            if self._index < 0:
                self._move(index)
            self._catch_up()
        self.runs.changed.emit()

    def _on_progressed(self, run: Run, progress: PhotoProgress) -> None:
        if run not in self.runs or run.trajectory is None or run.photo_run is None:
            return
        run.progress, before, run.saved = progress, len(run.trajectory), False
        if progress.iterates:
            run.trajectory.replace(progress.iterates)
        if run.over:  # a tile that was being solved when the run was stopped
            run.photo_run.finish()
        if run is not self.run:
            self.runs.changed.emit()
            return
        for index in range(before, len(run.trajectory)):
            self._on_iterate(index, run)
        self.progressed.emit()
        self.runs.changed.emit()
