"""Total variation as an equilibrium: a model that is not ours, in the window and in all analyses.

    nerd-gui photo.png --model docs/total_variation.py:TotalVariation
    nerd-gui analyse photo.png --model docs/total_variation.py:TotalVariation -o about/ --add-noise 25

The picture z that minimises m |z - y|^2 / 2 + sum of sqrt(|gradient of z|^2 + e^2) over the pixels (Rudin, Osher &
Fatemi 1992, smoothed by e) is the fixed point of gradient descent. A step of 2 / (2 m + 8 / e) makes it a contraction.
"""

import torch
import torch.nn.functional as F


class TotalVariation:
    """The picture z itself is the equilibrium.

    Parameters
    ----------
    fidelity : float
        m, the smaller, the smoother.
    rounding : float
        e, the gradient up to which there is no edge; white is 1.
    """

    def __init__(self, fidelity: float = 9.0, rounding: float = 0.05):
        self.fidelity, self.rounding = fidelity, rounding
        self.step = 2 / (2 * fidelity + 8 / rounding)

    def inject(self, y):
        """What f needs of the picture: the picture."""
        return y

    def f(self, z, x):
        """One step of gradient descent."""
        slope = torch.cat([F.pad(z.diff(dim=2), (0, 0, 0, 1)), F.pad(z.diff(dim=3), (0, 1))], dim=1)
        flow = slope / (slope.square().sum(1, keepdim=True) + self.rounding**2).sqrt()
        out = F.pad(flow[:, :1, :-1], (0, 0, 1, 1)).diff(dim=2) + F.pad(flow[:, 1:, :, :-1], (1, 1)).diff(dim=3)
        return z - self.step * (self.fidelity * (z - x) - out)

    def decode(self, z):
        """What z stands for: the picture."""
        return z
