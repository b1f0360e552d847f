"""Other libraries' code for comparison: PyTorch's attention, torchdeq's Broyden, scikit-image's non-local means."""

import importlib.metadata
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nerd_gui.denoising.memory_plan import PAIR_DTYPE
from nerd_gui.equilibrium import broyden
from nerd_gui.nerd.attention import window_offsets

Function = Callable[[Tensor], Tensor]


def installed_version(package: str) -> str | None:
    """Return the version of an installed package; None if it is missing."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def sdpa_by_blocks(query: Tensor, key: Tensor, value: Tensor, window: int, side: int = 8) -> Tensor:
    """Compute neighbourhood attention exactly, by `scaled_dot_product_attention`.

    There is one call for each block of side x side queries, over all keys inside the picture that any of them sees; a
    mask hides the keys that a query does not see. This was the fastest of several simple ways on a CPU (float masks and
    other block sizes were slower).

    Parameters
    ----------
    query, key : Tensor, shape (B, heads, rows, cols, d_k)
    value : Tensor, shape (B, heads, rows, cols, d_v)
    window : int
        q, side of the neighbourhood in pixels.

    Returns
    -------
    Tensor, shape (B, heads, rows, cols, d_v)
    """
    out = torch.empty_like(value)
    masks: dict[tuple[int, ...], Tensor] = {}
    rows, cols = query.shape[2:4]
    for down, key_rows in _spans(rows, window, side):
        for across, key_cols in _spans(cols, window, side):
            geometry = (*_geometry(down, key_rows), *_geometry(across, key_cols))
            if geometry not in masks:
                seen_down, seen_across = _seen(down, key_rows, window), _seen(across, key_cols, window)
                both = seen_down[:, None, :, None] & seen_across[None, :, None, :]
                masks[geometry] = both.flatten(2, 3).flatten(0, 1).to(query.device)
            attended = F.scaled_dot_product_attention(
                query[:, :, down, across].flatten(2, 3),
                key[:, :, key_rows, key_cols].flatten(2, 3),
                value[:, :, key_rows, key_cols].flatten(2, 3),
                attn_mask=masks[geometry],
            )
            out[:, :, down, across] = attended.unflatten(2, (down.stop - down.start, -1))
    return out


def _spans(size: int, window: int, side: int) -> Iterator[tuple[slice, slice]]:
    """The ranges along one axis of each block's queries, and of the keys that any of them sees."""
    first, last = window_offsets(window)
    for begin in range(0, size, side):
        end = min(begin + side, size)
        yield slice(begin, end), slice(max(begin + first, 0), min(end + last, size))


def _geometry(queries: slice, keys: slice) -> tuple[int, int, int]:
    return queries.stop - queries.start, keys.start - queries.start, keys.stop - queries.start


def _seen(queries: slice, keys: slice, window: int) -> Tensor:
    first, last = window_offsets(window)
    offset = torch.arange(keys.start, keys.stop) - torch.arange(queries.start, queries.stop)[:, None]
    return (offset >= first) & (offset <= last)


def solve_here(f: Function, z0: Tensor, steps: int) -> None:
    """Take all steps of the program's own Broyden solver, as a run does, without keeping the iterates."""
    deque(broyden(f, z0, max_iter=steps, tol=0.0, pair_dtype=PAIR_DTYPE), maxlen=0)


@torch.no_grad()
def solve_by_torchdeq(f: Function, z0: Tensor, steps: int) -> None:
    """Take all steps of torchdeq's Broyden solver, with the same number of pairs and of evaluations of f."""
    from torchdeq.solver.broyden import broyden_solver

    broyden_solver(f, z0, max_iter=steps, tol=0.0, stop_mode="rel")


SOLVERS: dict[str, Callable[[Function, Tensor, int], None]] = {"here": solve_here, "torchdeq": solve_by_torchdeq}


def non_local_means(noisy: np.ndarray, sigma: float) -> np.ndarray:
    """Denoise by scikit-image's fast non-local means with the settings that its documentation recommends.

    Parameters
    ----------
    noisy : array (rows, cols), values around [0, 1]
    sigma : float
        Standard deviation of the noise, 0-255.
    """
    from skimage.restoration import denoise_nl_means

    level = sigma / 255
    denoised: np.ndarray = denoise_nl_means(
        noisy, patch_size=5, patch_distance=6, h=0.8 * level, sigma=level, fast_mode=True
    )
    return denoised
