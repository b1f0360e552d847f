"""The picture: the session's photo and what its current iterate has made of it."""

from __future__ import annotations

from numpy.typing import NDArray
from PySide6.QtWidgets import QWidget

from nerd_gui.window.picture.comparison_view import ComparisonView
from nerd_gui.window.picture.iterate_pictures import noise_of, picture_of
from nerd_gui.window.picture.layers import Layer
from nerd_gui.window.session.session import Session


class PictureView(ComparisonView):
    """Shows the photo, the current iterate and the result; lets a person choose the region of a large photo."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("pictureView")
        self.setAccessibleName("Picture with its compare tools")
        self.regionChosen.connect(self._take_region)
        self.regionCancelled.connect(self._show_subject)
        session.subjectChanged.connect(self._show_subject)
        session.runChanged.connect(self._show_run)
        session.iterateAdded.connect(self._show_result)
        session.indexChanged.connect(self._show_iterate)

    # -- the subject ---------------------------------------------------------------------------------------------

    def _show_subject(self) -> None:
        """Show what a run would start from."""
        if self._session.workspace.photo is None:
            return
        subject = self._session.workspace.subject()
        self._start_over(subject.noisy, subject.clean)
        self._show_result()
        self._show_iterate()

    def _show_run(self) -> None:
        """Show what the run started from, its result, and nothing of an earlier one."""
        if self._session.run is not None:
            subject = self._session.run.subject
            self._start_over(subject.noisy, subject.clean)
            self._show_result()

    def _start_over(self, noisy: NDArray, clean: NDArray | None) -> None:
        self.set_picture(Layer.NOISY, noisy)
        self.set_picture(Layer.CLEAN, clean)
        for layer in (Layer.ITERATE, Layer.COMPARED, Layer.NOISE, Layer.RESULT):
            self.set_picture(layer, None)
        self.set_region(None)

    def ask_region(self) -> None:
        """Show the whole photo and let the person click where to run."""
        workspace = self._session.workspace
        if workspace.photo is None:
            return
        self._start_over(workspace.photo.pixels, None)
        if workspace.region is not None:
            self.set_region(*workspace.region)
        self.choose_region(*workspace.region_size())

    def _take_region(self, row: int, col: int, rows: int, cols: int) -> None:
        self._session.workspace.set_region((row, col, rows, cols))
        self._show_subject()  # where it is the region there was, nothing has changed

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
