"""Formats a remaining time for people."""


def about(seconds: float) -> str:
    """Format a duration, rounded as is fit for an estimate: “8 s”, “40 s”, “3 min”, “2 h 10 min”."""
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 57.5:
        return f"{5 * round(seconds / 5)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{max(1, minutes)} min"
    if minutes < 600:
        minutes = 10 * round(minutes / 10)
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{round(minutes / 60)} h"
