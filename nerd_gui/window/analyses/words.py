"""Durations in words."""


def duration(seconds: float) -> str:
    """Return a duration with a useful precision: "0.4 s", "12 s", "2 min"."""
    if seconds < 1:
        return f"{max(seconds, 0.1):.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
