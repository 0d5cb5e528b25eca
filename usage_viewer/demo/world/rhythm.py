"""How much is used when: office hours, weekends, growth, one incident and one outage."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from usage_viewer.demo.world.catalog import day

HOUR: Final = 3600
DAY: Final = 86400
PEOPLE, SERVICE, NIGHT = range(3)

_OFFICE = (
    *(0.02, 0.02, 0.02, 0.02, 0.03, 0.06, 0.18, 0.45, 0.85, 1.0, 1.0, 0.95),
    *(0.75, 0.90, 1.0, 1.0, 0.95, 0.80, 0.50, 0.30, 0.20, 0.12, 0.06, 0.03),
)
_NIGHTLY = (0.4, 1.0, 1.0, 1.0, 0.8, 0.3, *(0.03,) * 18)
_SATURATION: Final = (day("2026-06-01"), 200 * DAY)


def _week(weekday: NDArray[np.float64], weekend: float) -> NDArray[np.float64]:
    return np.concatenate([weekday * (1.0 if number < 5 else weekend) for number in range(7)])


CURVES: Final = np.stack(
    [
        _week(np.array(_OFFICE), 0.12),
        _week(0.5 + 0.5 * np.array(_OFFICE), 0.75),
        _week(np.array(_NIGHTLY), 0.7),
    ]
)
"""Activity between 0 and 1 by kind and hour of the week, which begins on Monday at 00:00 UTC."""


def hour_of_week(hours: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of hours since the epoch, which began on a Thursday."""
    return (hours + 72) % 168


def growth(hours: NDArray[np.int64]) -> NDArray[np.float64]:
    """A factor between 1 and 4 that grows most in 2026. It is of the date alone, so that no past hour changes."""
    middle, scale = _SATURATION
    return 1.0 + 3.0 / (1.0 + np.exp(-(hours * HOUR - middle) / scale))


class Events:
    """The incident (a key runs away from 02:00 to 20:00) and the outage (one hour) before `anchor`.

    Both are tied to the week of `anchor` (epoch seconds): the incident is its Wednesday three weeks before, the
    outage the Tuesday of the week after that one.
    """

    def __init__(self, anchor: int) -> None:
        monday = anchor // HOUR - int(hour_of_week(np.array([anchor // HOUR]))[0])
        first = monday - 3 * 168 + 2 * 24
        self.incident = range(first + 2, first + 20)  # hours since the epoch
        self.outage = first + 6 * 24 + 14

    def in_incident(self, hours: NDArray[np.int64]) -> NDArray[np.bool_]:
        return (hours >= self.incident.start) & (hours < self.incident.stop)


def calibrate(
    weights: NDArray[np.float64], kinds: NDArray[np.int8], lives: NDArray[np.float64], wanted: float
) -> NDArray[np.float64]:
    """The probability of each combination to be active at its curve's height, so that on average `wanted` are.

    `lives` is the part of the year in which each combination is alive.
    """
    low, high = 0.0, 1e6
    for _ in range(80):
        middle = (low + high) / 2
        if _mean_active(weights * middle, kinds, lives) < wanted:
            low = middle
        else:
            high = middle
    return weights * high


def _mean_active(weights: NDArray[np.float64], kinds: NDArray[np.int8], lives: NDArray[np.float64]) -> float:
    shares = np.minimum(weights[:, None] * CURVES[kinds], 1.0).mean(axis=1)
    return float((shares * lives).sum())
