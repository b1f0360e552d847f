"""How long something will take still, as it is said to a person."""


def about(seconds: float) -> str:
    """A length of time in words, no more exact than an estimate can be: “8 s”, “40 s”, “3 min”, “2 h 10 min”."""
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
