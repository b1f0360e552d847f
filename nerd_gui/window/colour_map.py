"""The colours of attention weights, for the maps and for the overlay on the picture."""

from functools import cache
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray

_NAME = "inferno"  # perceptually uniform, with black for weight 0


def coloured(unit: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the colours (..., 3) of values in [0, 1]."""
    colours: NDArray[np.uint8] = _table()[np.rint(255 * unit).astype(np.intp)]
    return colours


@cache
def _table() -> NDArray[np.uint8]:
    table: NDArray[Any] = pg.colormap.get(_NAME).getLookupTable(nPts=256, alpha=False)
    return table.astype(np.uint8)
