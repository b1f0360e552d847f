"""The safeguard against steps that make the residual jump, as Broyden's method may on a briefly trained network."""

from torch import Tensor

#: Up to this iterate, steps may increase the residual.
FREE_ITERATES = 2
_WILD = 2  # a step is wild if it multiplies the residual by more than this


def is_wild(residual: Tensor, residual_before: Tensor) -> Tensor:
    """Return for each sample whether the last step was wild: whether it more than doubled the residual.

    Both arguments are (B,), on any device; the function does not wait for the device.
    """
    return residual > _WILD * residual_before
