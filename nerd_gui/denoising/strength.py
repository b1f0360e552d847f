"""The noise level for networks that take it as an input."""

from dataclasses import replace

from nerd_gui.denoising.errors import RunError
from nerd_gui.denoising.settings import RunSettings
from nerd_gui.denoising.subject import Subject
from nerd_gui.imaging import PhotoNoise, photo_noise
from nerd_gui.nerd import ModelError, Network, load_config

#: A network for this many channels is told the noise level of a photo's luma times this factor. One that is told too
#: little loses more than one that is told too much: weights/TRAINING.md has the measurements.
BOLDNESS = {1: 1.4, 3: 2.0}
_LEAST = 1.0  # the lowest level that a network is told


def with_strength(settings: RunSettings, subject: Subject, net: Network) -> RunSettings:
    """Complete the settings with the noise level for a network with level input.

    If the settings name no strength, it is the level of the added noise, or else the level estimated in the whole
    photo, even if the subject is only a part of it. For other networks, the settings are returned unchanged.

    Raises
    ------
    RunError
        If the settings name a strength but the network does not take one.
    """
    if not net.config.level_input:
        if settings.strength is not None:
            raise RunError(
                f"The network “{settings.model}” estimates the noise level itself; leave the strength out, or choose a "
                "network that takes it as an input."
            )
        return settings
    if settings.strength is not None:
        return settings
    level = subject.sigma if subject.sigma is not None else told_level(photo_noise(subject.photo.pixels), net)
    return replace(settings, strength=round(level, 2))


def told_level(noise: PhotoNoise, net: Network) -> float:
    """Return the level (0-255 scale) that a network is told for a photo with this noise.

    If the noise is much stronger at some brightness than in most of the photo, the level there is used.
    """
    return max(BOLDNESS[net.config.channels] * noise.luma, noise.strongest, _LEAST)


def is_told_level(model: str) -> bool:
    """Whether a network, by name or path, takes the noise level as an input; False if its file cannot be read."""
    try:
        return load_config(model).level_input
    except ModelError:  # the list of networks reports this error
        return False
