"""Defines `Comparison`, the other period that a view is compared with, and moves periods to it."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.date_range import DateRange, length_of
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import Periods
from usage_viewer.domain.zones import moment_of


class Comparison(StrEnum):
    """Lists the periods that a view can be compared with."""

    NONE = "none"
    PREVIOUS = "previous"
    MONTH = "month"
    YEAR = "year"
    WEEKDAY = "weekday"

    @property
    def label(self) -> str:
        """Return the period in words, like "Previous period"."""
        return _LABELS[self]


_LABELS = {
    Comparison.NONE: "No comparison",
    Comparison.PREVIOUS: "Previous period",
    Comparison.MONTH: "Same period last month",
    Comparison.YEAR: "Same period last year",
    Comparison.WEEKDAY: "Same weekdays last year (364 days ago)",
}


@dataclass(frozen=True, slots=True)
class Shift:
    """Says how far back a compared period is, on the clocks of a zone: months, or else days and hours."""

    months: int = 0
    length: timedelta = timedelta()

    def moved(self, wall: datetime) -> datetime:
        """Return a naive wall-clock time moved back.

        A day that the earlier month doesn't have becomes the end of that month. Raises InputError.
        """
        try:
            if not self.months:
                return wall - self.length
            month = wall.year * 12 + wall.month - 1 - self.months
            year, month = month // 12, month % 12 + 1
            days = monthrange(year, month)[1]
            if wall.day <= days:
                return wall.replace(year=year, month=month)
            return datetime.combine(date(year, month, days) + timedelta(days=1), time())
        except (OverflowError, ValueError) as error:
            raise InputError(
                title="There is no earlier period", hint="Choose a later range, or no comparison."
            ) from error


def shift_of(compare: Comparison, chosen: DateRange, now: int, zone: tzinfo, week_start: int = 0) -> Shift:
    """Return how far the compared period lies before the range `chosen`.

    The period before *this month* is last month. `now` is in epoch seconds; `week_start` 0 is Monday.
    """
    if compare is Comparison.PREVIOUS:
        length = length_of(chosen, now, zone, week_start)
        return Shift(months=length) if isinstance(length, int) else Shift(length=length)
    if compare is Comparison.WEEKDAY:
        return Shift(length=timedelta(days=364))
    return Shift(months=1 if compare is Comparison.MONTH else 12)


def moved_bounds(periods: Periods, shift: Shift, until: int | None) -> NDArray[np.int64]:
    """Return the bounds of the compared periods (n + 1,) in epoch seconds; they never descend.

    Period i is compared with [bounds[i], bounds[i + 1]), which is empty where the earlier month has no such day. If
    it has none of the days, its last days are compared instead.
    `until` (epoch seconds): the end of the part of `periods` that has elapsed; the rest is compared with nothing.
    """
    return _moved_bounds(periods.bounds.tobytes(), periods.zone, shift, until)


@lru_cache(maxsize=32)
def _moved_bounds(bounds: bytes, zone: tzinfo, shift: Shift, until: int | None) -> NDArray[np.int64]:
    """Cache the bounds: a look needs them several times, and the hours of a year take 30 ms to compute."""
    own = np.frombuffer(bounds, np.int64)
    if until is not None:
        own = np.minimum(own, until)
    if zone is UTC and not shift.months and own[0] > shift.length.total_seconds():
        moved = own - int(shift.length.total_seconds())
    else:
        moved = np.array([_moved(moment, zone, shift) for moment in own.tolist()], np.int64)
        moved = np.maximum.accumulate(moved)
        if moved[0] == moved[-1]:  # none of the days exists: the last days of the earlier month
            end = _wall(int(moved[-1]), zone)
            back = [end - (_wall(int(own[-1]), zone) - _wall(moment, zone)) for moment in own.tolist()]
            moved = np.maximum.accumulate(np.array([moment_of(wall, zone) for wall in back], np.int64))
    moved.flags.writeable = False
    return moved


def _moved(moment: int, zone: tzinfo, shift: Shift) -> int:
    return moment_of(shift.moved(_wall(moment, zone)), zone)


def _wall(moment: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(moment, zone).replace(tzinfo=None)


def counterparts(moved: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each compared period that is not empty (m,) the period that it is compared with."""
    starts = np.unique(moved)[:-1]
    return np.searchsorted(moved, starts, side="right").astype(np.int64) - 1
