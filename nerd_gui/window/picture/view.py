"""The picture: the session's photo, and what the current iterate has made of it."""

from __future__ import annotations

from math import nextafter
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from nerd_gui.analysis.maps import MapKind
from nerd_gui.denoising import Trajectory
from nerd_gui.window.picture.captions import iterate_caption, kept_caption, kept_name, removed_caption
from nerd_gui.window.picture.comparison_view import ComparisonView
from nerd_gui.window.picture.iterate_pictures import IteratePictures
from nerd_gui.window.picture.layers import MAPS, Layer
from nerd_gui.window.picture.map_figure import MapFigure
from nerd_gui.window.picture.map_layers import MapLayers
from nerd_gui.window.picture.noisy_score import NoisyScore
from nerd_gui.window.picture.sources import ArraySource, Source
from nerd_gui.window.session.regions import Region
from nerd_gui.window.session.run import Run
from nerd_gui.window.session.session import Session
from nerd_gui.window.session.workspace import Workspace
from nerd_gui.window.shortcuts import Shortcut

_OTHER_PART = "{} is of another part of the photo: to compare it, show a run of that part, or of a part inside it."


class PictureView(ComparisonView):
    """Shows the photo, the current iterate and the result; lets a person choose a region of the photo.

    The whole photo is shown with the region marked, unless the current run covers only the region.

    Signals
    -------
    regionWanted : int row, int col, int rows, int cols
        A person chose a part of the photo to explore, of any size.
    viewChanged
        Another part of the picture came into view, see `part_in_view`, or the picture has another size.
    """

    regionWanted = Signal(int, int, int, int)
    viewChanged = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self._pictures: IteratePictures | None = None
        self._compared: IteratePictures | None = None  # pictures of the run that the kept iterate belongs to
        self._noisy_score = NoisyScore(self)
        self._noisy_score.found.connect(self._show_noisy_score)
        self.setObjectName("pictureView")
        self.setAccessibleName("Picture with its compare tools")
        self.regionChosen.connect(self._take_region)
        self.regionCancelled.connect(self._show_run)
        session.runChanged.connect(self._show_run)
        session.trajectoryChanged.connect(self._show_prepared)
        session.progressed.connect(self._show_progress)
        session.regionChanged.connect(self._mark_region)
        session.iterateAdded.connect(self._show_result)
        session.indexChanged.connect(self._show_iterate)
        session.lookChanged.connect(self._show_look)
        session.subjectChanged.connect(self._show_table_again)
        session.comparedChanged.connect(self._show_compared)
        session.runs.changed.connect(self._show_names)
        session.controller.ended.connect(self._show_look)  # detail is separated from noise again
        self._maps = MapLayers(session, self)  # connected last, so that a run of another size is shown before its maps
        self._maps.changed.connect(self._show_maps)
        self.selectionChanged.connect(self._select_maps)
        self._canvas.zoomChanged.connect(self._tell_view)
        self._canvas.zoomChanged.connect(lambda _: self.viewChanged.emit())

    # -- the subject ---------------------------------------------------------------------------------------------

    def _show_run(self) -> None:
        """Show the current run's noisy picture and iterates; without a run, show the workspace's photo."""
        session, run = self._session, self._session.run
        if run is not None and (run.trajectory is not None or not run.in_tiles):
            self._start_over(run.subject.noisy, run.subject.clean, run.subject.corner)
            self._show_result()
            self._show_iterate()
            self._show_compared()
            self._show_maps()
        elif session.workspace.photo is not None:
            self._show_table(session.workspace)

    def _show_prepared(self) -> None:
        """Show the noisy picture whose noise a run in tiles has drawn on its own thread."""
        run = self._session.run
        if run is not None and run.in_tiles and run.trajectory is not None and run.subject.sigma is not None:
            self._show_run()

    def _show_table_again(self) -> None:
        if self._session.run is None:
            self._show_run()

    def _show_table(self, workspace: Workspace) -> None:
        """Show the whole photo of the workspace."""
        assert workspace.photo is not None
        if workspace.add_noise and workspace.needs_region:
            # Drawing the noise of a large photo takes seconds; the run that needs it does so on its own thread.
            self._start_over(None, workspace.photo.pixels)
        else:
            subject = workspace.subject(whole=True)
            self._start_over(subject.noisy, subject.clean)

    def _start_over(
        self, noisy: NDArray[Any] | None, clean: NDArray[Any] | None, corner: tuple[int, int] = (0, 0)
    ) -> None:
        self._canvas.set_corner(*corner)
        self.set_picture(Layer.NOISY, noisy)
        self.set_picture(Layer.CLEAN, clean)
        self.set_caption(Layer.NOISY, str(Layer.NOISY))
        self._noisy_score.take(noisy, clean)
        for layer in (Layer.ITERATE, Layer.NOISE, Layer.RESULT, *MAPS):
            self.set_picture(layer, None)
        self._show_compared()
        if self._pictures is not None and self._pictures.trajectory is not self._session.trajectory:
            self._pictures = None  # a run takes much memory, and this one is no longer shown
        self._mark_region()

    def _tell_view(self) -> None:
        """Tell the session which part of the photo is in view, because a run of the whole photo begins there."""
        if self._comparison.layers.shape is None or self._session.shown_region is not None:
            self._session.set_view(None)
            return
        pane = self._comparison.panes[0]
        seen = self._comparison.visible(pane)
        right, bottom = (nextafter(end, 0) for end in (seen.left() + seen.width(), seen.top() + seen.height()))
        self._session.set_view(self._comparison.region_between(seen.left(), seen.top(), right, bottom))

    # -- the region ----------------------------------------------------------------------------------------------

    def _mark_region(self) -> None:
        region = self._session.workspace.region
        if region is None or self._session.shown_region is not None:
            self.set_region(None)
        else:
            self.set_region(*region)

    def ask_region(self) -> None:
        """Show the whole photo and let a person drag the rectangle to explore, or click for one of the usual size."""
        workspace = self._session.workspace
        if workspace.photo is None:
            return
        if self._session.shown_region is not None:
            self._show_table(workspace)
        if workspace.region is not None:
            self.set_region(*workspace.region)
        self.choose_region(workspace.region_side, workspace.region_side)

    def _take_region(self, row: int, col: int, rows: int, cols: int) -> None:
        self.regionWanted.emit(*self._canvas.in_photo(row, col), rows, cols)
        if self._session.shown_region is not None:  # the same region as before, whose run still exists
            self._show_run()

    # -- the iterates --------------------------------------------------------------------------------------------

    @property
    def pictures(self) -> IteratePictures | None:
        """The pictures of the current run's iterates with their kept reductions; None without a run."""
        return None if self._session.trajectory is None else self._pictures_of(self._session.trajectory)

    def part_of_run(self) -> tuple[int, int, int, int] | None:
        """Return (row, col, rows, cols) of the visible part of the current run's picture; None without a run.

        While another picture is shown, for example to choose a region, this is the whole picture of the run.
        """
        if self._session.trajectory is None:
            return None
        rows, cols = self._session.trajectory.subject.noisy.shape[1:]
        part = self.part_in_view() if self._comparison.layers.shape == (rows, cols) else None
        return part or (0, 0, rows, cols)

    def _pictures_of(self, trajectory: Trajectory) -> IteratePictures:
        if self._pictures is None or self._pictures.trajectory is not trajectory:
            self._pictures = IteratePictures(trajectory)
        return self._pictures

    def _show_iterate(self) -> None:
        trajectory, index = self._session.trajectory, self._session.index
        if trajectory is None or index < 0:
            return
        pictures, look = self._pictures_of(trajectory), self._session.look
        self.set_picture(Layer.ITERATE, pictures.picture(index, look))
        self.set_picture(Layer.NOISE, pictures.removed(index, look))
        self.set_caption(Layer.NOISE, removed_caption(index, look))
        self._show_names()

    def _show_names(self) -> None:
        """Say which iterate of which run is shown, and which one is kept for comparison."""
        session, run, compared = self._session, self._session.run, self._session.compared
        if run is not None and run.trajectory is not None and 0 <= session.index <= run.newest:
            words = iterate_caption(run, session.index, session.look, named=len(session.runs) > 1)
            self.set_caption(Layer.ITERATE, words)
        if compared is not None:
            self.set_name(Layer.COMPARED, kept_name(compared.run, compared.index))
            self.set_caption(Layer.COMPARED, kept_caption(compared.run, compared.index, compared.look))
        else:
            self.set_name(Layer.COMPARED, f"{Layer.COMPARED} (press {Shortcut.HOLD.text})")

    def _show_noisy_score(self, score: float) -> None:
        self.set_caption(Layer.NOISY, f"{Layer.NOISY} · {score:.2f} dB")

    def _show_result(self) -> None:
        if trajectory := self._session.trajectory:  # a run with at least one iterate
            picture = self._pictures_of(trajectory).picture(trajectory.result, self._session.look)
            self.set_picture(Layer.RESULT, picture)
            self.set_caption(Layer.RESULT, f"result (iterate {trajectory.result})")

    def _show_look(self) -> None:
        self._show_iterate()
        self._show_result()

    def _show_progress(self) -> None:
        progress = self._session.progress
        if progress is not None and progress.part is not None:
            self.update_iterates(*progress.part)

    def update_iterates(self, row: int, col: int, rows: int, cols: int) -> None:
        """Show that a finished tile has changed a part of all iterates, and their numbers."""
        trajectory = self._session.trajectory
        if trajectory is not None:
            self.update_pictures(self._pictures_of(trajectory), (row, col, rows, cols))
            self._show_look()

    # -- maps ----------------------------------------------------------------------------------------------------

    def _select_maps(self) -> None:
        """Request the selected maps, and release the others."""
        selected = [layer for layer in self.compare()[1:] if layer in MAPS]
        self._maps.select({layer: self._tools.maps.number(layer) for layer in selected})

    def _show_maps(self) -> None:
        """Show the selected maps of the shown iterate; the previous map stays while the next one is computed."""
        maps, selected, trajectory = self._session.maps, self.compare()[1:], self._session.trajectory
        self.offer_maps(maps.count(MapKind.FEATURE), maps.count(MapKind.RADIUS))
        if trajectory is not None and self._comparison.layers.shape != trajectory.subject.noisy.shape[1:]:
            return  # the whole photo is shown, so that a person can choose a region of it
        for layer in MAPS:
            if layer not in selected:
                self.set_picture(layer, None)
                continue
            source = self._maps.source(layer)
            if not isinstance(source, str):
                self.set_picture(layer, source)
                self.set_caption(layer, self._maps.caption(layer))
            elif not self._maps.making(layer):
                self.set_picture(layer, None)
            self.set_missing(layer, source if isinstance(source, str) else "")

    def map_figure(self) -> MapFigure | None:
        """Return the right layer's map for saving, or else the left layer's; None if neither shows a map."""
        session, run = self._session, self._session.run
        layers = [layer for layer in reversed(self.compare()[1:]) if layer in MAPS]
        found = next(((layer, made) for layer in layers if (made := self._maps.found(layer)) is not None), None)
        if found is None or run is None:
            return None
        layer, made = found
        tools = self._tools.maps
        title = f"{run.name} · {self._maps.caption(layer)}"
        return MapFigure(
            MAPS[layer],
            made,
            title,
            run.name,
            session.index,
            tools.number(layer),
            session.shown_corner,
            tools.shared,
        )

    # -- the iterate that is kept for comparison -----------------------------------------------------------------

    def hold_iterate(self) -> None:
        """Keep the shown iterate for comparison with later ones, also of other runs, and show it on the left."""
        if self._session.run is not None and self._session.index >= 0:
            self.keep(self._session.run, self._session.index)

    def keep(self, run: Run, index: int) -> None:
        """Keep an iterate of a run for comparison with the shown one, and show it on the left."""
        self._session.compare(run, index)
        self.set_compare(self.compare()[0], Layer.COMPARED, Layer.ITERATE)

    def _show_compared(self) -> None:
        """Show the kept iterate if it covers the shown part of the photo; otherwise say why it is not shown."""
        session, compared = self._session, self._session.compared
        trajectory = compared.run.trajectory if compared is not None else None
        source: Source | None = None
        why = ""
        if compared is not None and trajectory is not None:
            subject = trajectory.subject
            part = _part_of(subject.region, subject.noisy.shape[1:], session.shown_region)
            if subject.region == session.shown_region:
                source = self._kept_pictures(trajectory).picture(compared.index, compared.look)
            elif part is not None:  # a copy, but no larger than a region
                source = ArraySource(trajectory.picture(compared.index, compared.look, part))
            else:
                why = _OTHER_PART.format(kept_name(compared.run, compared.index))
        self.set_picture(Layer.COMPARED, source)
        self.set_missing(Layer.COMPARED, why)
        self._show_names()

    def _kept_pictures(self, trajectory: Trajectory) -> IteratePictures:
        if trajectory is self._session.trajectory:  # the shared pictures, which are updated as tiles finish
            return self._pictures_of(trajectory)
        if self._compared is None or self._compared.trajectory is not trajectory:
            self._compared = IteratePictures(trajectory)
        return self._compared


def _part_of(region: Region | None, shape: tuple[int, ...], shown: Region | None) -> Region | None:
    """Return where `shown` lies in the array of a run's region (None: whole photo); None unless it lies inside."""
    if shown is None:
        return None
    row, col, rows, cols = shown
    top, left = region[:2] if region is not None else (0, 0)
    inside = top <= row and left <= col and row + rows <= top + shape[0] and col + cols <= left + shape[1]
    return (row - top, col - left, rows, cols) if inside else None
