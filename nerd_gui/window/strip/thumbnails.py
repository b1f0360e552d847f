"""Makes the small pictures of iterates and computes the changes between them, in small steps."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from time import perf_counter
from typing import NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal

from nerd_gui.denoising import Look
from nerd_gui.denoising.picture_change import picture_change
from nerd_gui.window.picture.grid import Grid
from nerd_gui.window.picture.sources import Part, Source
from nerd_gui.window.picture.tiles import Tile
from nerd_gui.window.picture.view import PictureView
from nerd_gui.window.session.session import Session

_BUDGET = 0.005  # seconds of work before the event loop gets its turn
_PAUSE = 30  # milliseconds to wait while the large picture is being painted
_WIDEST = 16 / 9  # largest aspect ratio; a wider picture is cut at the sides, so that more can be seen of its middle
_SETTLED = 150  # milliseconds without change after which the part in view counts as settled


def reduced(source: Source, part: Part, width: int, height: int) -> Generator[float, None, Tile]:
    """Make a part of a picture in width x height pixels, as means over areas, in small steps; yield the effort of each.

    It shares the means that are kept for the large picture.
    """
    rows, cols = source.terms[0].pyramid.shape(0)
    row, col, tall, wide = part
    grid = Grid(rows, cols, max(1, round(rows * height / tall)), max(1, round(cols * width / wide)))
    top, left = round(row * grid.height / rows), round(col * grid.width / cols)
    top, left = min(top, max(0, grid.height - height)), min(left, max(0, grid.width - width))
    rectangle = top, left, min(height, grid.height), min(width, grid.width)
    terms = []
    for term in source.terms:
        terms.append((yield from grid.means(term, rectangle)))
    return Tile(source.sum(terms))


class _Key(NamedTuple):
    """What a thumbnail depends on; if any of it changes, the thumbnail is made again."""

    progress: int
    look: Look
    part: Part | None
    size: tuple[int, int]


class Thumbnails(QObject):
    """Makes the thumbnails of the current run while the program is idle; earlier ones stay until they are replaced.

    Parameters
    ----------
    session : Session
    view : PictureView
        The view whose visible part the thumbnails show.

    Signals
    -------
    made : int
        A new thumbnail or change of this iterate is ready.
    partChanged
        Another part is in view: see `part`.
    """

    made = Signal(int)
    partChanged = Signal()

    def __init__(self, session: Session, view: PictureView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._view = session, view
        self._size = 1, 1
        self._wanted: Callable[[], Sequence[int]] = tuple
        self._tiles: dict[int, tuple[_Key, Tile]] = {}
        self._changes: dict[int, tuple[int, float]] = {}
        self._under_way: tuple[int, _Key, Generator[float, None, Tile]] | None = None
        self._progress = 0  # counts how often tiles of the run have been finished
        self._part: Part | None = None
        self._work = QTimer(self, singleShot=True)
        self._work.timeout.connect(self._go_on)
        self._settles = QTimer(self, singleShot=True, interval=_SETTLED)
        self._settles.timeout.connect(self._take_part)

    def want(self, wanted: Callable[[], Sequence[int]], size: tuple[int, int]) -> None:
        """Make the thumbnails of these iterates, the most urgent first, with the given (width, height)."""
        self._wanted, self._size = wanted, size
        self.wake()

    def wake(self) -> None:
        """Look again for missing thumbnails."""
        if not self._work.isActive():
            self._work.start(0)

    def rest(self) -> None:
        """Stop working until `want` or `wake` is called."""
        self._work.stop()
        self._settles.stop()

    def clear(self) -> None:
        """Forget all thumbnails, because another run is shown."""
        self._tiles.clear()
        self._changes.clear()
        self._under_way = None
        self._part = self._seen()

    def outdate(self) -> None:
        """Make all thumbnails again in small steps, because the iterates have changed."""
        self._progress += 1

    def follow_view(self) -> None:
        """Show the part in view once it has settled."""
        self._settles.start()

    @property
    def part(self) -> Part | None:
        """(row, col, rows, cols) of the part of the picture that thumbnails show; None without a run."""
        return self._part

    def tile(self, index: int) -> Tile | None:
        """Return an iterate's thumbnail, or None if there is none yet."""
        return self._tiles[index][1] if index in self._tiles else None

    def change(self, index: int) -> float | None:
        """Return the root mean square change from the previous iterate's picture in grey levels; None if unknown."""
        return self._changes[index][1] if index in self._changes else None

    def _seen(self) -> Part | None:
        part = self._view.part_of_run()
        if part is None:
            return None
        row, col, rows, cols = part
        wide = min(cols, max(1, round(_WIDEST * rows)))
        return row, col + (cols - wide) // 2, rows, wide

    def _take_part(self) -> None:
        if (part := self._seen()) != self._part:
            self._part = part
            self.partChanged.emit()
            self.wake()

    def _go_on(self) -> None:
        """Work for a moment, and continue later if anything is left."""
        if not self._view.ready():
            self._work.start(_PAUSE)
            return
        until = perf_counter() + _BUDGET
        while perf_counter() < until:
            if not self._step():
                return
        self._work.start(0)

    def _step(self) -> bool:
        """Do one small step of the most urgent work; return False if nothing is left."""
        pictures, trajectory, part = self._view.pictures, self._session.trajectory, self._part
        if pictures is None or trajectory is None or part is None:
            return False
        for index in self._wanted():
            if self._lacks_change(index):
                change = picture_change(trajectory[index - 1].n_hat, trajectory[index].n_hat)
                self._changes[index] = self._progress, change
                self.made.emit(index)
                return True
            if self._lacks_tile(index):
                if self._under_way is None or self._under_way[:2] != (index, self._key):
                    making = reduced(pictures.picture(index, self._key.look), part, *self._size)
                    self._under_way = index, self._key, making
                try:
                    next(self._under_way[2])
                except StopIteration as made:
                    self._under_way = None
                    self._tiles[index] = self._key, made.value
                    self.made.emit(index)
                return True
        return False

    def is_ready(self, index: int) -> bool:
        """Whether everything that is shown of an iterate is up to date."""
        return not (self._settles.isActive() or self._lacks_change(index) or self._lacks_tile(index))

    @property
    def _key(self) -> _Key:
        look = replace(self._session.look, detail=0)  # which is not visible in a picture this small
        return _Key(self._progress, look, self._part, self._size)

    def _lacks_change(self, index: int) -> bool:
        return index > 0 and (index not in self._changes or self._changes[index][0] != self._progress)

    def _lacks_tile(self, index: int) -> bool:
        return index not in self._tiles or self._tiles[index][0] != self._key
