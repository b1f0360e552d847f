"""How numbers are written in the window."""


def scientific(value: float) -> str:
    """Two digits and a power of ten without padding, 2.1e-3; from 1 to 10 without the power.

    Parameters
    ----------
    value : float, finite
    """
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}e{int(power)}" if int(power) else digits
