"""Replaces the pauses between tries. Nothing is real: no time passes."""

from dataclasses import dataclass, field


@dataclass
class Waits:
    """Notes the seconds of each pause and returns at once.

    `cancel_at` is the number of the pause (from 1) in which the user cancels; None for never.
    """

    seconds: list[float] = field(default_factory=list)
    cancel_at: int | None = None

    def __call__(self, seconds: float) -> bool:
        """Return whether the user has cancelled meanwhile."""
        self.seconds.append(seconds)
        return self.cancel_at == len(self.seconds)
