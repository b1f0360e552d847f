"""The workload for measurements: a network, trained if possible, and a noisy picture."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nerd_gui.denoising.channels import to_batch
from nerd_gui.imaging import add_noise, luma, open_sample
from nerd_gui.nerd import NERD, NerdConfig, load_nerd, model_names

SAMPLE, SIGMA, SEED = "camera", 25.0, 0
_SETTLING = 3  # plain iterations to the z at which f and the attention are measured
#: Networks that are measured with random weights if they are not installed.
_UNTRAINED = {"nerd": NerdConfig()}


def find_network(name: str, device: str) -> tuple[NERD, bool]:
    """Load a network by name or file, and return whether it is trained; the paper's gets random weights if missing.

    Raises
    ------
    ModelError
        If there is no such network.
    """
    if name not in _UNTRAINED or name in model_names():
        return load_nerd(name, device=device), True
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        net = NERD(_UNTRAINED[name])
    return net.fold().eval().requires_grad_(False).to(device), False


def told(net: NERD) -> float | None:
    """The noise level to give to the network; None if it does not take one."""
    return SIGMA if net.config.level_input else None


def pictures(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Make a clean and a noisy picture, float32 (size, size), from the middle of a sample picture.

    A sample that is too small is extended by mirroring.
    """
    picture = luma(open_sample(SAMPLE).pixels)
    for axis, length in enumerate(picture.shape):
        start = max(0, (length - size) // 2)
        picture = picture.take(range(start, start + min(size, length)), axis)
    clean = np.pad(picture, [(0, size - length) for length in picture.shape], mode="symmetric")
    return clean, add_noise(clean, SIGMA, SEED)


@dataclass(frozen=True, eq=False)
class Workload:
    """A network with a picture to work on.

    Attributes
    ----------
    name : str
    net : NERD
    trained : bool
        False for random weights.
    clean, noisy : float32 array (size, size)
    y, s, z : Tensor
        The noisy picture as the network's input, its injection, and z after a few iterations.
    device : str
    """

    name: str
    net: NERD
    trained: bool
    clean: np.ndarray
    noisy: np.ndarray
    y: Tensor
    s: Tensor
    z: Tensor
    device: str

    @classmethod
    @torch.no_grad()
    def of(cls, name: str, size: int, device: str) -> "Workload":
        """Load the network and prepare a picture of size x size pixels.

        Raises
        ------
        ModelError
            If there is no such network.
        """
        net, trained = find_network(name, device)
        clean, noisy = pictures(size)
        y = to_batch(noisy[None], net).to(device)
        s = net.inject(y, told(net))
        z = net.initial(s)
        for _ in range(_SETTLING):
            z = net.implicit(z, s)
        return cls(name, net, trained, clean, noisy, y, s, z, device)

    @property
    def size(self) -> int:
        """Side of the square picture in pixels."""
        return int(self.noisy.shape[0])

    @property
    def hidden(self) -> int:
        """Number of features between the two convolutions of the transformation block."""
        return self.net.config.expansion * self.net.config.features

    @torch.no_grad()
    def attention_inputs(self) -> tuple[Tensor, Tensor, Tensor]:
        """Compute contiguous query, key and value (1, heads, size, size, d / heads) of the network at z (Eq. 8).

        Raises
        ------
        ValueError
            If the network has no non-local block.
        """
        block = self.net.non_local
        if block is None:
            raise ValueError("This network has no attention, because it was built without the non-local block.")
        pixels = block.norm(self.s + self.z).permute(0, 2, 3, 1)
        query, key, value = (
            linear(pixels).unflatten(-1, (block.heads, -1)).permute(0, 3, 1, 2, 4).contiguous()
            for linear in (block.theta, block.psi, block.g)
        )
        return query, key, value
