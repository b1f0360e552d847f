"""Makes the state of a wider network that gives the same picture (after Chen et al. 2016, Net2Net, Sec. 2.2)."""

import torch
from torch import Tensor

from nerd_gui.training.data import DataError
from nerd_gui.training.state import RunState

#: Each weight is divided among the copies of its input unequally: an equal share plus or minus up to this fraction of
#: it. With equal shares, copies of a feature would get equal gradients and would always stay equal.
_SPREAD = 0.5


def widened(state: RunState, features: int, seed: int = 0) -> RunState:
    """Convert a state to that of a wider network that gives the same result, without moments and random numbers.

    Each feature is followed by its copies, so that the groups of GroupNorm and the attention heads hold copies of the
    same features as before. The copies differ only in the weights that lead out of them.

    Parameters
    ----------
    state : RunState
        State of a network without weight norm.
    features : int
        d of the wider network, a multiple of the present one.
    seed : int
        Seed of the unequal shares.

    Raises
    ------
    DataError
        If `features` is not a multiple of the present number, or the network has weight norm.
    """
    if any(".parametrizations." in name for name in state.tensors):
        raise DataError("A network with weight norm cannot be widened; start from one without weight norm.")
    before = len(state.tensors["model.f_inject.conv_in.bias"])
    copies, rest = divmod(features, before)
    if rest or copies < 1:
        raise DataError(
            f"A network of {before} features cannot be widened to {features}; the number must be a multiple of it."
        )
    tensors = {}
    for kind in ("model", "ema"):
        # The weights and their averages get the same shares; otherwise they would belong to different networks.
        generator = torch.Generator().manual_seed(seed)
        for name, value in sorted(state.part(kind).items()):
            tensors[f"{kind}.{name}"] = _wide(name, value, copies, generator)
    return RunState(tensors, {**state.numbers, "steps": 0})


def _wide(name: str, value: Tensor, copies: int, generator: torch.Generator) -> Tensor:
    """Widen one weight or statistic."""
    if value.dim() == 0 or name.startswith("f_inject.norm_in."):  # a counter; a statistic of the picture's channels
        return value.clone()
    if not name.startswith("f_decode.conv."):  # the decoder's outputs are the picture's channels
        value = value.repeat_interleave(copies, dim=0)
    if value.dim() < 2 or name in ("f_inject.conv_in.weight", "f_inject.level_in"):  # its inputs are not features
        return value.clone()
    value = value.repeat_interleave(copies, dim=1) * _shares(value, copies, generator)
    if name in ("non_local.theta.weight", "non_local.psi.weight"):
        # The product of a query and a key now has `copies` times as many equal terms, but is divided by the square root
        # of their number. The remaining factor is removed from queries and keys in equal parts.
        value = value / copies**0.25
    return value


def _shares(value: Tensor, copies: int, generator: torch.Generator) -> Tensor:
    """The shares of the copies of each input, (out, copies * in, 1, 1, ...); those of one input add up to 1."""
    out, inputs = value.shape[:2]
    drawn = (2 * torch.rand(out, inputs, copies, generator=generator) - 1) * _SPREAD
    shares = (1 + drawn - drawn.mean(dim=2, keepdim=True)) / copies
    return shares.reshape(out, inputs * copies, *[1] * (value.dim() - 2)).to(value)
