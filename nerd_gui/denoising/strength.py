"""How strong the noise is, for networks that are told it."""

from dataclasses import replace

from nerd_gui.denoising.errors import RunError
from nerd_gui.denoising.settings import RunSettings
from nerd_gui.denoising.subject import Subject
from nerd_gui.imaging import PhotoNoise, photo_noise
from nerd_gui.nerd import ModelError, Network, load_config

#: A photo's network is told so many times the noise that was measured in luma, and at least so much.
BOLDNESS, LEAST = 2.0, 1.0


def with_strength(settings: RunSettings, subject: Subject, net: Network) -> RunSettings:
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
    level = subject.sigma if subject.sigma is not None else told_level(photo_noise(subject.photo.pixels))
    return replace(settings, strength=round(level, 2))


def told_level(noise: PhotoNoise) -> float:
    """The level that a network is told of a photo with this noise, 0-255 scale."""
    return max(BOLDNESS * noise.luma, LEAST)


def is_told_level(model: str) -> bool:
    """Whether a network, by name or path, is told the noise level; not if its file cannot be read."""
    try:
        return load_config(model).level_input
    except ModelError:  # said in the list of networks
        return False
