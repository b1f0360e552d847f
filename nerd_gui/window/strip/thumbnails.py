"""The small pictures of iterates and the changes between them, made a little at a time."""

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

_BUDGET = 0.008  # seconds at a time
_PAUSE = 30  # milliseconds, while the large picture is being painted
_WIDEST = 16 / 9  # of a thumbnail; of what is wider the middle is shown, for there is more to be seen in it
_SETTLED = 150  # milliseconds after which another part in view is taken to stay


def reduced(source: Source, part: Part, width: int, height: int) -> Generator[float, None, Tile]:
    """Make a part of a picture in width x height pixels, means over areas, in small steps; the effort of each is told.

    It is made from what is kept for the large picture, which is kept for it in turn.
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
    """What a thumbnail is made for; another one of these, and it is made anew."""

    progress: int
    look: Look
    part: Part | None
    size: tuple[int, int]


class Thumbnails(QObject):
    """Makes what is wanted of the current run while nothing else is to be done; what was made before stays meanwhile.

    Parameters
    ----------
    session : Session
    view : PictureView
        Thumbnails show what of the picture is in view there.

    Signals
    -------
    made : int
        Of this iterate there is something new.
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
        self._progress = 0  # how often the tiles of the run have come further
        self._part: Part | None = None
        self._work = QTimer(self, singleShot=True)
        self._work.timeout.connect(self._go_on)
        self._settles = QTimer(self, singleShot=True, interval=_SETTLED)
        self._settles.timeout.connect(self._take_part)

    def want(self, wanted: Callable[[], Sequence[int]], size: tuple[int, int]) -> None:
        """Say which iterates are to be seen, the most urgent first, and at what (width, height); and make them."""
        self._wanted, self._size = wanted, size
        self.wake()

    def wake(self) -> None:
        """Look again at what is to be made."""
        if not self._work.isActive():
            self._work.start(0)

    def rest(self) -> None:
        """Make nothing until `want` or `wake`."""
        self._work.stop()
        self._settles.stop()

    def clear(self) -> None:
        """Forget everything: it is of another run."""
        self._tiles.clear()
        self._changes.clear()
        self._under_way = None
        self._part = self._seen()

    def outdate(self) -> None:
        """Make everything anew, bit by bit: the iterates are no longer what they were."""
        self._progress += 1

    def follow_view(self) -> None:
        """Take up the part in view once it stays."""
        self._settles.start()

    @property
    def part(self) -> Part | None:
        """(row, col, rows, cols) of the part of the picture that thumbnails show; None without a run."""
        return self._part

    def tile(self, index: int) -> Tile | None:
        """The thumbnail of an iterate, as far as there is one."""
        return self._tiles[index][1] if index in self._tiles else None

    def change(self, index: int) -> float | None:
        """Root mean square of the picture's change from the iterate before, in grey levels; None where unknown."""
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
        """Work for a moment, and come again while there is anything left."""
        if not self._view.ready():
            self._work.start(_PAUSE)
            return
        until = perf_counter() + _BUDGET
        while perf_counter() < until:
            if not self._step():
                return
        self._work.start(0)

    def _step(self) -> bool:
        """Do one small step of what is most urgent; False where nothing is left."""
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
        """Whether all there is to be made of an iterate is there as it is now."""
        return not (self._settles.isActive() or self._lacks_change(index) or self._lacks_tile(index))

    @property
    def _key(self) -> _Key:
        look = replace(self._session.look, detail=0)  # of which nothing is left in a picture that small
        return _Key(self._progress, look, self._part, self._size)

    def _lacks_change(self, index: int) -> bool:
        return index > 0 and (index not in self._changes or self._changes[index][0] != self._progress)

    def _lacks_tile(self, index: int) -> bool:
        return index not in self._tiles or self._tiles[index][0] != self._key
