"""The channels of a photo as the network takes them, and back."""

import numpy as np
import torch
from torch import Tensor

from nerd_gui.nerd import Network


def batch_size(net: Network, channels: int) -> int:
    """Pictures that a photo becomes: a grey network takes the channels of a colour photo as a batch."""
    return channels if net.config.channels == 1 else 1


def to_batch(noisy: np.ndarray, net: Network) -> Tensor:
    """(C, rows, cols) -> the network's (B, C, rows, cols): see `batch_size`; grey is repeated for a colour network."""
    y = torch.from_numpy(np.ascontiguousarray(noisy, dtype=np.float32))
    if net.config.channels == 1:
        return y[:, None]
    return y.expand(net.config.channels, -1, -1)[None]


def from_batch(pictures: Tensor, channels: int) -> np.ndarray:
    """The inverse of `to_batch`; a grey photo gets the mean of a colour network's channels."""
    flat = pictures.flatten(0, 1)
    return (flat.mean(0, keepdim=True) if channels == 1 else flat).cpu().numpy()
