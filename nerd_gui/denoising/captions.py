"""The caption of an iterate."""

import math

from nerd_gui.denoising.look import PLAIN, Look
from nerd_gui.denoising.trajectory import Trajectory


def scientific(value: float) -> str:
    """Format a number with two digits and a short exponent, 2.1e-3; numbers from 1 to 10 have no exponent.

    Parameters
    ----------
    value : float, finite
    """
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}e{int(power)}" if int(power) else digits


def iterate_name(index: int) -> str:
    """The name of an iterate: "start", or "iterate 5"."""
    return f"iterate {index}" if index else "start"


def caption(trajectory: Trajectory, index: int, look: Look = PLAIN) -> tuple[str, ...]:
    """The parts of an iterate's caption: "iterate 5", "residual 2.1e-3", "29.1 dB", "noise level 20.4".

    The PSNR is given if it is known. With a look that is not plain, the picture has another PSNR, so the look is named
    instead. The run's result and a restarted step are marked.
    """
    iterate = trajectory[index]
    name = iterate_name(index)
    if index == trajectory.result:
        name += " (result)"
    elif iterate.restarted:
        name += " (restarted)"
    residual = scientific(iterate.residual) if math.isfinite(iterate.residual) else "not finite"
    parts = [name, f"residual {residual}"]
    if not look.plain:
        parts.append(str(look))
    elif iterate.psnr is not None:
        parts.append(f"{iterate.psnr:.1f} dB")
    level = f"{iterate.noise_level:.1f}" if math.isfinite(iterate.noise_level) else "not finite"
    return *parts, f"noise level {level}"
