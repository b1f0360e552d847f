"""How strong the noise is, for networks that are told it."""

from dataclasses import replace

from nerd_gui.denoising.errors import RunError
from nerd_gui.denoising.settings import RunSettings
from nerd_gui.denoising.subject import Subject
from nerd_gui.imaging import photo_noise
from nerd_gui.nerd import Network


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
    level = subject.sigma if subject.sigma is not None else photo_noise(subject.photo.pixels).level
    return replace(settings, strength=round(level, 2))
