"""What an analysis of a run has found, as it is kept with the run."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Analysed:
    """The answer of one analysis; `nerd_gui.analysis.catalogue` says which there are, and how to show it.

    Attributes
    ----------
    numbers : dict
        JSON-ready: what is undefined is None.
    arrays : dict of str to float32 array (rows, cols) or (planes, rows, cols)
    """

    numbers: dict[str, Any]
    arrays: dict[str, NDArray[np.float32]] = field(default_factory=dict)
