"""Prepares the equilibrium of a run for the analyses."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nerd_gui.analysis.solving import Interrupt, map_of, solved
from nerd_gui.denoising import RunError, Trajectory
from nerd_gui.denoising.channels import to_batch
from nerd_gui.nerd import Network, exact_float32

_STEPS, _TOL = 8, 2e-4  # solver steps that refine the features, which the run kept in half precision


@dataclass(frozen=True, eq=False)
class EquilibriumOfRun:
    """The equilibrium of a run with the network and the settings that the analyses need.

    Attributes
    ----------
    net : Network
    y : Tensor, (1, C, rows, cols)
        The network's input. A grey network takes the channels of a colour photo separately; this is one of them.
    z : Tensor, (1, d, rows, cols)
    residual : float
        ||f(z) - z|| / ||f(z)||.
    level : float or None
        The noise level that the network was given, 0-255 scale.
    window : int
        Attention window q of the run, in pixels.
    """

    net: Network
    y: Tensor
    z: Tensor
    residual: float
    level: float | None
    window: int

    @property
    def keywords(self) -> dict[str, float | int | None]:
        """`level` and `window`, the keyword arguments of every analysis."""
        return {"level": self.level, "window": self.window}

    def injection(self) -> Tensor:
        """f_inject of the picture, s, (1, d, rows, cols)."""
        with torch.no_grad(), exact_float32():
            return self.net.inject(self.y, self.level)

    def picture(self) -> Tensor:
        """x_hat of the equilibrium, (C, rows, cols)."""
        with torch.no_grad(), exact_float32():
            return self.net.estimate(self.y, self.z)[0][0]


def equilibrium_of(
    trajectory: Trajectory, net: Network, channel: int = 0, *, interrupt: Interrupt | None = None
) -> EquilibriumOfRun:
    """Refine the result of a run by a few solver steps in float32, and return it with what the analyses need.

    Parameters
    ----------
    trajectory : Trajectory
        It must hold the features of its result.
    net : Network
        The network of the run.
    channel : int
        The channel of a colour photo that a grey network denoised channel by channel; otherwise not used.
    interrupt : callable, optional
        Called often during the work; an exception that it raises ends the work.

    Raises
    ------
    RunError
        If the run has no iterate, or kept no features.
    """
    features = trajectory[trajectory.result].features if len(trajectory) else None
    if features is None:
        raise RunError(
            "This run kept no features of its result; runs of whole photos never do. Explore a region and analyse that."
        )
    settings = trajectory.settings
    device = net.device
    pictures = to_batch(trajectory.subject.noisy, net)
    index = channel if len(pictures) > 1 else 0
    y, z = pictures[index : index + 1].to(device), features.z[index : index + 1].to(device, torch.float32)
    level = settings.strength if net.config.level_input else None
    f, _ = map_of(net, y, level, trajectory.window, interrupt)
    found = solved(f, z, max_iter=_STEPS, tol=_TOL)
    return EquilibriumOfRun(net, y, found.z, found.residual, level, trajectory.window)
