"""Muon: momentum whose matrices are made orthogonal (K. Jordan et al. 2024, "Muon: an optimizer for hidden layers")."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

#: Coefficients of the quintic polynomial that moves all singular values towards 1 in five rounds (Jordan et al.).
_QUINTIC = (3.4445, -4.7750, 2.0315)
#: Root mean square of a step relative to the learning rate. It is about that of AdamW (Liu et al. 2025, Moonlight), so
#: that both optimizers can share one learning rate.
_SIZE = 0.2


def orthogonalised(matrix: Tensor, rounds: int = 5) -> Tensor:
    """Move the singular values of a matrix to about 1 (0.7-1.2), by Newton-Schulz iteration.

    Parameters
    ----------
    matrix : Tensor, shape (..., rows, cols)

    Returns
    -------
    Tensor, shape (..., rows, cols)
    """
    a, b, c = _QUINTIC
    x: Tensor = matrix / matrix.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    for _ in range(rounds):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """An optimizer for matrix weights; the weights of convolutions are treated as (out, in x rows x cols).

    Parameters
    ----------
    parameters : iterable of Parameter
    lr : float
        Learning rate on AdamW's scale: the root mean square of a step is 0.2 of it.
    momentum : float
        Nesterov momentum.
    weight_decay : float
        Decoupled weight decay, relative to the learning rate.
    """

    def __init__(self, parameters: Iterable[Any], lr: float, momentum: float = 0.95, weight_decay: float = 0.0) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @staticmethod
    def suits(weight: nn.Parameter) -> bool:
        """Whether a weight is a matrix of more than a few rows and columns."""
        return weight.dim() >= 2 and min(weight.flatten(1).shape) >= 16

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Take one optimization step."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[tuple[nn.Parameter, Tensor]]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(state["momentum"], group["momentum"]).flatten(1)
                alike[ahead.shape].append((weight, ahead))
            for shape, weights in alike.items():
                # Matrices of equal shape are processed together, because many small kernels are slow on accelerators.
                directions = orthogonalised(torch.stack([ahead for _, ahead in weights]))
                size = _SIZE * max(shape) ** 0.5
                for (weight, _), direction in zip(weights, directions, strict=True):
                    weight.mul_(1 - group["lr"] * group["weight_decay"])
                    weight.sub_(direction.reshape(weight.shape), alpha=group["lr"] * size)
