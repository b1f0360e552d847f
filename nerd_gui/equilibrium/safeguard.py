"""The safeguard against wild steps, which Broyden's method was seen to take on a briefly trained network."""

from torch import Tensor

#: The residual may do as it likes up to this iterate.
FREE_ITERATES = 2
_WILD = 2  # times the residual of the iterate before


def is_wild(residual: Tensor, residual_before: Tensor) -> Tensor:
    """For each sample, whether the step that led here more than doubled its residual: it is dropped, its pairs too.

    Both are (B,), on any device, which is not waited for.
    """
    return residual > _WILD * residual_before
