"""How strong the noise is, for networks that are told it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nerd_gui.denoising.errors import RunError
from nerd_gui.denoising.settings import RunSettings
from nerd_gui.denoising.subject import Subject
from nerd_gui.imaging.colour import FROM_YCC
from nerd_gui.imaging.noise_estimate import estimate_sigma
from nerd_gui.imaging.noise_statistics import NoiseStatisticsError, noise_statistics
from nerd_gui.nerd import NERD


def with_strength(settings: RunSettings, subject: Subject, net: NERD) -> RunSettings:
    """The settings with the level that the network is told: the one asked for, else the subject's own.

    That is the level of the noise that was added, or what is estimated in the whole photo, of which the subject may be
    a part. For a network that is told none the settings stay as they are.

    Raises
    ------
    RunError
        If a strength is asked for and the network takes none.
    """
    if not net.config.level_input:
        if settings.strength is not None:
            raise RunError(
                f"The network “{settings.model}” finds the noise level out for itself; leave the strength out, or "
                "choose a network that is told it."
            )
        return settings
    if settings.strength is not None:
        return settings
    level = subject.sigma if subject.sigma is not None else estimated_level(subject.photo.pixels)
    return replace(settings, strength=round(level, 2))


def estimated_level(pixels: NDArray) -> float:
    """Standard deviation of a photo's noise on the 0-255 scale, the root mean square over its channels.

    It is measured in flat parts, at all scales (`noise_statistics`), because the finest one misses most of the grains
    that a camera's processing leaves; of a photo too small for that, by the finest scale (`estimate_sigma`).

    Parameters
    ----------
    pixels : array (C, rows, cols), values in [0, 1]
    """
    try:
        planes = noise_statistics(pixels).planes
    except NoiseStatisticsError:
        return estimate_sigma(pixels)
    levels = np.array([plane.level for plane in planes])
    if len(levels) == 1:
        return float(levels[0])
    # Luma and the differences of colour are taken to be uncorrelated, as they are in photos.
    return float(np.sqrt((np.square(FROM_YCC) @ np.square(levels)).mean()))
