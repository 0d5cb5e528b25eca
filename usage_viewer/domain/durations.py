"""Lengths of time in words."""

_UNITS = (("year", 365 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60))


def duration(seconds: float) -> str:
    """As "2 days", in the largest unit that fits twice."""
    for noun, length in _UNITS:
        if seconds >= 2 * length:
            return f"{round(seconds / length)} {noun}s"
    whole = round(seconds)
    return f"{whole} second{'' if whole == 1 else 's'}"
