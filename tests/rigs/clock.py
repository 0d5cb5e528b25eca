"""Replaces the clock. Nothing is real: time passes only when a test moves it."""

import time
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Stands still at `now + ahead` (epoch seconds); `now` is the time of its creation unless given."""

    now: float = field(default_factory=time.time)
    ahead: float = 0.0

    def __call__(self) -> float:
        return self.now + self.ahead


@dataclass
class Pace:
    """Is a monotonic clock that goes on by `step` seconds with each reading: how fast a user is."""

    step: float = 5.0
    now: float = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now
