"""The answer of an analysis, as it is stored with a run."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Analysed:
    """The answer of one analysis; `nerd_gui.analysis.catalogue` lists the analyses, and how to show each answer.

    Attributes
    ----------
    numbers : dict
        JSON-ready; undefined numbers are None.
    arrays : dict of str to float32 array (rows, cols) or (planes, rows, cols)
    """

    numbers: dict[str, Any]
    arrays: dict[str, NDArray[np.float32]] = field(default_factory=dict)
