"""Describes usage over time: office hours, weekends, growth, one incident and one outage."""

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
_GROWTH: Final = (day("2026-06-01"), 200 * DAY)


def _week(weekday: NDArray[np.float64], weekend: float) -> NDArray[np.float64]:
    return np.concatenate([weekday * (1.0 if number < 5 else weekend) for number in range(7)])


CURVES: Final = np.stack(
    [
        _week(np.array(_OFFICE), 0.12),
        _week(0.5 + 0.5 * np.array(_OFFICE), 0.75),
        _week(np.array(_NIGHTLY), 0.7),
    ]
)
"""Activity from 0 to 1, shape (3 kinds, 168 hours of the week); the week begins on Monday at 00:00 UTC."""


def hour_of_week(hours: NDArray[np.int64]) -> NDArray[np.int64]:
    """Convert hours since the epoch (a Thursday) to hours of the week, 0 to 167."""
    return (hours + 72) % 168


def growth(hours: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a factor from 1 to 4 that grows fastest in 2026.

    It depends on the date only, so that the usage of a past hour never changes.
    """
    middle, scale = _GROWTH
    return 1.0 + 3.0 / (1.0 + np.exp(-(hours * HOUR - middle) / scale))


class Events:
    """An incident and an outage before `anchor` (epoch seconds); `incident` and `outage` are hours since the epoch.

    In the incident one key sends too many requests, from 02:00 to 20:00 on the Wednesday three weeks before the
    week of `anchor`. The outage is one hour on the Tuesday of the following week.
    """

    def __init__(self, anchor: int) -> None:
        monday = anchor // HOUR - int(hour_of_week(np.array([anchor // HOUR]))[0])
        first = monday - 3 * 168 + 2 * 24
        self.incident = range(first + 2, first + 20)  # hours since the epoch
        self.outage = first + 6 * 24 + 14

    def in_incident(self, hours: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return for each hour since the epoch whether it belongs to the incident."""
        return (hours >= self.incident.start) & (hours < self.incident.stop)


def calibrate(
    weights: NDArray[np.float64], kinds: NDArray[np.int8], lifetimes: NDArray[np.float64], active: float
) -> NDArray[np.float64]:
    """Scale `weights` so that `active` combinations are used in an average hour; all arrays have shape (n,).

    The result is the probability of use in an hour in which the curve of the combination is 1. `lifetimes` is the
    fraction of the year in which each combination exists.
    """
    low, high = 0.0, 1e6
    for _ in range(80):
        middle = (low + high) / 2
        if _mean_active(weights * middle, kinds, lifetimes) < active:
            low = middle
        else:
            high = middle
    return weights * high


def _mean_active(weights: NDArray[np.float64], kinds: NDArray[np.int8], lifetimes: NDArray[np.float64]) -> float:
    shares = np.minimum(weights[:, None] * CURVES[kinds], 1.0).mean(axis=1)
    return float((shares * lifetimes).sum())
