"""The picture: the session's photo and what its current iterate has made of it."""

from __future__ import annotations

from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from nerd_gui.window.picture.comparison_view import ComparisonView
from nerd_gui.window.picture.iterate_pictures import noise_of, picture_of
from nerd_gui.window.picture.layers import Layer
from nerd_gui.window.session.session import Session
from nerd_gui.window.session.workspace import Workspace


class PictureView(ComparisonView):
    """Shows the photo, the current iterate and the result; lets a person choose the region of a photo.

    The photo is whole, with the region marked, unless the current run is of the region alone.

    Signals
    -------
    regionWanted : int row, int col, int rows, int cols
        A part of the photo that a person would like to explore; of any size.
    """

    regionWanted = Signal(int, int, int, int)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("pictureView")
        self.setAccessibleName("Picture with its compare tools")
        self._corner = 0, 0  # of what is shown, in the photo
        self.regionChosen.connect(self._take_region)
        self.regionCancelled.connect(self._show_run)
        session.runChanged.connect(self._show_run)
        session.regionChanged.connect(self._mark_region)
        session.iterateAdded.connect(self._show_result)
        session.indexChanged.connect(self._show_iterate)

    # -- the subject ---------------------------------------------------------------------------------------------

    def _show_run(self) -> None:
        """Show what the current run started from and what it has found, or what is on the table; nothing else."""
        session, run = self._session, self._session.run
        if run is not None:
            self._start_over(run.subject.noisy, run.subject.clean, run.subject.corner)
            self._show_result()
            self._show_iterate()
        elif session.workspace.photo is not None:
            self._show_table(session.workspace)

    def _show_table(self, workspace: Workspace) -> None:
        """Show the whole photo that is on the table."""
        assert workspace.photo is not None
        if workspace.add_noise and workspace.needs_region:
            # Drawing the noise of a large photo takes seconds; the run that needs it does so on its own thread.
            self._start_over(None, workspace.photo.pixels)
        else:
            subject = workspace.subject(whole=True)
            self._start_over(subject.noisy, subject.clean)

    def _start_over(self, noisy: NDArray | None, clean: NDArray | None, corner: tuple[int, int] = (0, 0)) -> None:
        self._corner = corner
        self.set_picture(Layer.NOISY, noisy)
        self.set_picture(Layer.CLEAN, clean)
        for layer in (Layer.ITERATE, Layer.COMPARED, Layer.NOISE, Layer.RESULT):
            self.set_picture(layer, None)
        self._mark_region()

    # -- the region ----------------------------------------------------------------------------------------------

    def _mark_region(self) -> None:
        region = self._session.workspace.region
        if region is None or self._session.shown_region is not None:
            self.set_region(None)
        else:
            self.set_region(*region)

    def ask_region(self) -> None:
        """Show the whole photo and let the person drag the rectangle to explore, or click for one of the usual size."""
        workspace = self._session.workspace
        if workspace.photo is None:
            return
        if self._session.shown_region is not None:
            self._show_table(workspace)
        if workspace.region is not None:
            self.set_region(*workspace.region)
        self.choose_region(workspace.region_side, workspace.region_side)

    def _take_region(self, row: int, col: int, rows: int, cols: int) -> None:
        top, left = self._corner
        self.regionWanted.emit(top + row, left + col, rows, cols)
        if self._session.shown_region is not None:  # it is the region there was, and its run is there still
            self._show_run()

    # -- the iterates --------------------------------------------------------------------------------------------

    def _show_iterate(self) -> None:
        trajectory, index = self._session.trajectory, self._session.index
        if trajectory is None or index < 0:
            return
        iterate = trajectory[index]
        score = "" if iterate.psnr is None else f" · {iterate.psnr:.2f} dB"
        self.set_picture(Layer.ITERATE, picture_of(trajectory, index))
        self.set_caption(Layer.ITERATE, f"iterate {index}{score}")
        self.set_picture(Layer.NOISE, noise_of(trajectory, index))
        self.set_caption(Layer.NOISE, f"noise estimate {index}")

    def _show_result(self) -> None:
        if trajectory := self._session.trajectory:  # there, and not empty
            self.set_picture(Layer.RESULT, picture_of(trajectory, trajectory.result))
            self.set_caption(Layer.RESULT, f"result (iterate {trajectory.result})")

    def hold_iterate(self) -> None:
        """Keep the shown iterate in view as “iterate j”, to compare others with."""
        trajectory, index = self._session.trajectory, self._session.index
        if trajectory is not None and index >= 0:
            self.set_picture(Layer.COMPARED, picture_of(trajectory, index))
            self.set_caption(Layer.COMPARED, f"held: iterate {index}")
            self.set_compare(self.compare()[0], Layer.COMPARED, Layer.ITERATE)
