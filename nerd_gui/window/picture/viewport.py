"""Where a picture lies in the pane that shows it: zoom, position, and the conversion from the screen to pixels."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

MAX_ZOOM = 64.0
_LADDER = (1 / 32, 1 / 16, 1 / 8, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


@dataclass
class Viewport:
    """A picture of rows x cols in a pane of width x height *device* pixels; x and y count from the pane's corner.

    Attributes
    ----------
    zoom : float
        Device pixels per picture pixel; 1 is 100 %.
    row, col : float
        The point of the picture in the middle of the pane; pixel (r, c) covers [r, r + 1) x [c, c + 1).
    fitted : bool
        Whether the picture is kept as large as the pane allows.
    """

    width: int = 1
    height: int = 1
    rows: int = 1
    cols: int = 1
    zoom: float = 1.0
    row: float = 0.5
    col: float = 0.5
    fitted: bool = True

    @property
    def fit_zoom(self) -> float:
        """The zoom at which the whole picture just fits into the pane."""
        return min(self.width / self.cols, self.height / self.rows, MAX_ZOOM)

    @property
    def origin(self) -> tuple[int, int]:
        """(x, y) of the picture's top left corner, on whole device pixels so that 100 % shows pixels as they are."""
        # The small part exceeds the rounding errors in col * zoom, so that panning moves every point alike.
        half = 0.5 + 1e-6
        return floor(self.width / 2 - self.col * self.zoom + half), floor(self.height / 2 - self.row * self.zoom + half)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the whole picture, counting the device pixels whose middle lies on it; at least 1."""
        return max(1, ceil(self.cols * self.zoom - 0.5)), max(1, ceil(self.rows * self.zoom - 0.5))

    @property
    def overflows(self) -> bool:
        """Whether the picture, zoomed in, is larger than the pane."""
        return self.zoom > self.fit_zoom * (1 + 1e-9)

    def show(self, rows: int, cols: int) -> None:
        """Show a picture of another size, fitted to the pane."""
        self.rows, self.cols = rows, cols
        self.fit()

    def resize(self, width: int, height: int) -> None:
        """Adapt to the pane's size: a fitted picture stays fitted, any other keeps its zoom and its middle."""
        self.width, self.height = max(1, width), max(1, height)
        if self.fitted:
            self.fit()

    def fit(self) -> None:
        """Show the whole picture, as large as possible."""
        self.zoom, self.fitted = self.fit_zoom, True
        self.row, self.col = self.rows / 2, self.cols / 2

    def zoom_to(self, zoom: float, anchor: tuple[float, float] | None = None) -> None:
        """Set the zoom; the picture's point at `anchor` (x, y), by default the pane's middle, stays in place."""
        lowest = min(1.0, self.fit_zoom)
        if zoom <= lowest and lowest == self.fit_zoom:
            self.fit()
            return
        x, y = anchor if anchor is not None else (self.width / 2, self.height / 2)
        dx, dy = x - self.width / 2, y - self.height / 2
        row, col = self.row + dy / self.zoom, self.col + dx / self.zoom
        self.zoom, self.fitted = min(max(zoom, lowest), MAX_ZOOM), False
        # A side that fits completely is centred, since there is nothing to see beyond it.
        self.row = row - dy / self.zoom if self.rows * self.zoom > self.height else self.rows / 2
        self.col = col - dx / self.zoom if self.cols * self.zoom > self.width else self.cols / 2
        self._keep_in_sight()

    def look_at(self, zoom: float, row: float, col: float) -> None:
        """Set the zoom and the point in the middle, within the limits that hold for zooming and panning by mouse."""
        self.zoom_to(zoom)
        if not self.fitted:
            self.row, self.col = row, col
            self._keep_in_sight()

    def zoom_by(self, factor: float, anchor: tuple[float, float]) -> None:
        """Multiply the zoom; a change that would cross 100 % stops at 100 %."""
        zoom = self.zoom * factor
        across = (self.zoom - 1) * (zoom - 1) < 0
        self.zoom_to(1.0 if across else zoom, anchor)

    def zoom_step(self, direction: int) -> None:
        """Go to the next round zoom, up (1) or down (-1)."""
        if direction > 0:
            self.zoom_to(next((zoom for zoom in _LADDER if zoom > self.zoom * 1.001), MAX_ZOOM))
        else:
            self.zoom_to(next((zoom for zoom in reversed(_LADDER) if zoom < self.zoom * 0.999), _LADDER[0]))

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture by device pixels; the pane's middle always stays on the picture."""
        self.row -= dy / self.zoom
        self.col -= dx / self.zoom
        self.fitted = False
        self._keep_in_sight()

    def point_at(self, x: float, y: float) -> tuple[float, float]:
        """Return the (row, col) at a position, which may lie outside the picture."""
        left, top = self.origin
        return (y - top) / self.zoom, (x - left) / self.zoom

    def pixel_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Return the (row, col) of the pixel at a position; None outside the picture."""
        row, col = (floor(value) for value in self.point_at(x, y))
        return (row, col) if 0 <= row < self.rows and 0 <= col < self.cols else None

    def position_of(self, row: float, col: float) -> tuple[float, float]:
        """Return the (x, y) of a point of the picture; add 0.5 to both for the middle of a pixel."""
        left, top = self.origin
        return left + col * self.zoom, top + row * self.zoom

    def _keep_in_sight(self) -> None:
        self.row = min(max(self.row, 0.0), float(self.rows))
        self.col = min(max(self.col, 0.0), float(self.cols))
