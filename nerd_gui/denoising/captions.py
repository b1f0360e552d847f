"""What is said of an iterate in a line beside its picture."""

import math

from nerd_gui.denoising.look import PLAIN, Look
from nerd_gui.denoising.trajectory import Trajectory


def scientific(value: float) -> str:
    """Two digits and a power of ten without padding, 2.1e-3; from 1 to 10 without the power.

    Parameters
    ----------
    value : float, finite
    """
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}e{int(power)}" if int(power) else digits


def iterate_name(index: int) -> str:
    """What an iterate is called: "start", or "iterate 5"."""
    return f"iterate {index}" if index else "start"


def caption(trajectory: Trajectory, index: int, look: Look = PLAIN) -> tuple[str, ...]:
    """An iterate in short: "iterate 5", "residual 2.1e-3", "29.1 dB", "noise level 20.4".

    The PSNR is there where it is known, and is that of the picture shown; a look that is not plain is named in its
    place. The run's result and a restarted step are called so.
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
