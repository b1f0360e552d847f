"""The extent of an attention window of q pixels along one axis."""

from torch import Tensor


def window_offsets(window: int) -> tuple[int, int]:
    """Return the first and last offset from a query to the keys it sees along one axis.

    Raises
    ------
    ValueError
        If `window` is not a positive whole number.
    """
    if int(window) != window or window < 1:
        raise ValueError(f"The attention window must be a whole number of at least 1 pixel, not {window}.")
    first = -(window // 2)
    return first, first + int(window) - 1


def allowed_keys(query_index: Tensor, key_index: Tensor, window: int) -> Tensor:
    """Make a mask along one axis of the picture: whether each query (second last dimension) sees each key (last)."""
    first, last = window_offsets(window)
    offset = key_index[..., None, :] - query_index[..., :, None]
    return (offset >= first) & (offset <= last)
