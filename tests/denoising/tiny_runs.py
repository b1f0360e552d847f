"""Small networks and photos for the tests of this room."""

import dataclasses

import numpy as np
import torch

from nerd_gui.denoising import RunSettings
from nerd_gui.imaging import Photo
from nerd_gui.nerd import NERD, NerdConfig

TINY = NerdConfig(features=8, heads=4, groups=4, window=5)


def make_net(seed=0, **changes):
    """Make an untrained network that contracts, because the injection is larger than the post-normalized output."""
    torch.manual_seed(seed)
    net = NERD(dataclasses.replace(TINY, **changes)).fold().eval().requires_grad_(False)
    net.f_inject.conv_out.weight.mul_(10)
    if net.config.post_normalization:
        net.transformation.norm_post.weight.mul_(0.1)
    return net


def make_photo(channels=1, rows=24, cols=20, seed=0, name="tiny"):
    """Make a photo of random values on a slope, rounded as in an 8-bit file."""
    random = np.random.default_rng(seed).random((channels, rows, cols))
    levels = np.rint(255 * (0.5 * random + 0.5 * np.linspace(0, 1, cols)))
    return Photo(levels.astype(np.float32) / np.float32(255), name=name, sha256="0" * 64)


def grey_photos(photo):
    """Return each channel of a photo as a photo."""
    return [dataclasses.replace(photo, pixels=channel[None].copy()) for channel in photo.pixels]


def settings_of(report):
    """Return the settings in a report: five in its first lines, and the others together."""
    named = {name: report[name] for name in ("model", "solver", "window", "precision", "device")}
    return RunSettings(**named, **report["settings"])
