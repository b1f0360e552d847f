"""Predicts where the solver will end in a tile, from the sample of the photo, and lets it start there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nerd_gui.nerd.fixed_statistics import Counted

_RIDGE = 1e-3  # regularisation, as a fraction of the mean variance of the features of s
_LEAST_RIDGE = 1e-9  # for features that do not vary
_PIXELS = 1 << 14  # largest number of pixels of a part that are used, evenly spaced, to save memory


@dataclass(frozen=True, eq=False)
class PredictedStart:
    """The linear map from the features of s to those of the equilibrium at the same pixel that fits the sample best.

    On photos its error is about a quarter of z*. From there, the solver needs two evaluations of f fewer than from
    zero. Neither the equilibrium nor the stop rule depends on it.

    Attributes
    ----------
    weight : Tensor, (d, d)
    bias : Tensor, (d,)
    """

    weight: Tensor
    bias: Tensor

    @classmethod
    def fitted(cls, s: Tensor, z: Tensor, counted: Sequence[Counted]) -> PredictedStart:
        """Fit the map by weighted least squares with a little regularisation.

        Parameters
        ----------
        s, z : Tensor, (parts * pictures, d, rows, cols)
            The injections and the equilibria of the sample's parts: the first part of each picture, then the second
            part of each, ...
        counted : sequence of Counted
            The rectangle of each part that is used, and its weight.
        """
        d = s.shape[1]
        total, moment = 0.0, torch.zeros(2 * d, 2 * d, dtype=torch.float64)
        mean = torch.zeros(2 * d, dtype=torch.float64)
        parts = zip(counted, s.unflatten(0, (len(counted), -1)), z.unflatten(0, (len(counted), -1)), strict=True)
        for one, *pair in parts:
            both = [one.cut(part).movedim(1, 0).flatten(1) for part in pair]
            step = -(-both[0].shape[1] // _PIXELS)
            features = torch.cat([values[:, ::step] for values in both]).double().cpu()
            share = one.weight / features.shape[1]
            total += one.weight
            mean += share * features.sum(1)
            moment += share * (features @ features.T)
        mean /= total
        covariance = moment / total - mean[:, None] * mean
        if not covariance.isfinite().all():  # the sample diverged
            return cls(torch.zeros(d, d), torch.zeros(d))
        own = covariance[:d, :d]
        ridge = (_RIDGE * own.diagonal().mean()).clamp_min(_LEAST_RIDGE)
        weight = torch.linalg.solve(own + ridge * torch.eye(d, dtype=torch.float64), covariance[:d, d:]).T
        return cls(weight.float(), (mean[d:] - weight @ mean[:d]).float())

    def __call__(self, s: Tensor) -> Tensor:
        """Return the start z0 (B, d, rows, cols) for an injection s of this shape."""
        weight, bias = self.weight.to(s.device), self.bias.to(s.device)
        return F.conv2d(s, weight[:, :, None, None], bias).contiguous(memory_format=torch.channels_last)
