"""Conversion between the channels of a photo and the network's input."""

import numpy as np
import torch
from torch import Tensor

from nerd_gui.nerd import Network


def batch_size(net: Network, channels: int) -> int:
    """The batch size for a photo: a grey network takes the channels of a colour photo as a batch."""
    return channels if net.config.channels == 1 else 1


def to_batch(noisy: np.ndarray, net: Network) -> Tensor:
    """Convert (C, rows, cols) to the network's (B, C, rows, cols); grey is repeated for a colour network."""
    y = torch.from_numpy(np.ascontiguousarray(noisy, dtype=np.float32))
    if net.config.channels == 1:
        return y[:, None]
    return y.expand(net.config.channels, -1, -1)[None]


def from_batch(pictures: Tensor, channels: int) -> np.ndarray:
    """Invert `to_batch`; for a grey photo, the channels of a colour network's output are averaged."""
    flat = pictures.flatten(0, 1)
    return (flat.mean(0, keepdim=True) if channels == 1 else flat).cpu().numpy()
