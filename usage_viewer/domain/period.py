"""Divides spans of time into buckets (UTC) and periods (in a zone, with its 23- and 25-hour days)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.errors import InputError
from usage_viewer.domain.zones import moment_of


class BucketWidth(StrEnum):
    """Lists the widths of the API's buckets (`bucket_width`); buckets start at multiples of their width in UTC."""

    MINUTE = "1m"
    HOUR = "1h"
    DAY = "1d"

    @property
    def seconds(self) -> int:
        """Return the width in seconds."""
        return _SECONDS[self]

    @property
    def noun(self) -> str:
        """Return the width's name in the singular, like "day"."""
        return _NOUNS[self]

    def floor(self, moment: int) -> int:
        """Return the start of the bucket that contains `moment` (both epoch seconds)."""
        return moment - moment % self.seconds

    def ceil(self, moment: int) -> int:
        """Return the first start of a bucket at or after `moment` (both epoch seconds)."""
        return moment + -moment % self.seconds


_SECONDS = {BucketWidth.MINUTE: 60, BucketWidth.HOUR: 3600, BucketWidth.DAY: 86400}
_NOUNS = {BucketWidth.MINUTE: "minute", BucketWidth.HOUR: "hour", BucketWidth.DAY: "day"}
COARSEST_FIRST = (BucketWidth.DAY, BucketWidth.HOUR, BucketWidth.MINUTE)


class Granularity(StrEnum):
    """Lists the possible lengths of a row's period; `TOTAL` is the whole range as a single period."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Span:
    """Holds a span of time in epoch seconds: start inclusive, end exclusive. Raises InputError if empty."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise InputError(title="The range is empty", hint="The end of the range must come after its start.")


@dataclass(frozen=True, slots=True)
class BucketRun:
    """Describes consecutive buckets of one width.

    `start` and `end` (exclusive) are in epoch seconds and are multiples of the width.
    """

    width: BucketWidth
    start: int
    end: int

    @property
    def buckets(self) -> int:
        """Return the number of buckets."""
        return (self.end - self.start) // self.width.seconds


@dataclass(frozen=True, slots=True)
class Periods:
    """Holds the periods of a view's rows.

    `bounds` (n + 1,) are in epoch seconds, ascending; period i is [bounds[i], bounds[i + 1]). `per` is the
    granularity, `zone` the time zone that the periods follow.
    """

    bounds: NDArray[np.int64]
    per: Granularity
    zone: tzinfo

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def span(self) -> Span:
        """Return the span of all periods."""
        return Span(int(self.bounds[0]), int(self.bounds[-1]))

    def segments(self, widths: Sequence[BucketWidth] = COARSEST_FIRST, *, mixed: bool = True) -> list[BucketRun]:
        """Return the coarsest buckets of `widths` that make up each period exactly, in as few runs as possible.

        A month of a zone, for example, consists of UTC days, and of hours at its edges. `widths` lists the coarsest
        width first. Without `mixed`, all buckets of a period have the same width. Raises InputError if even the
        finest width doesn't divide a period.
        """
        bounds = self._split_at_coarse_buckets(widths) if mixed else self.bounds
        # For each pair of neighbouring bounds: the index of the coarsest width that both are multiples of.
        fits = np.full(len(bounds) - 1, -1, dtype=np.int8)
        for rank, width in enumerate(widths):
            on_edge = bounds % width.seconds == 0
            fits = np.where((fits < 0) & on_edge[:-1] & on_edge[1:], np.int8(rank), fits)
        if (fits < 0).any():
            raise InputError(
                title="The range must consist of whole buckets",
                hint=f"Choose times on a whole {widths[-1].noun} (UTC).",
            )
        cuts = np.flatnonzero(np.diff(fits)) + 1
        edges = [0, *cuts.tolist(), len(fits)]
        return [
            BucketRun(widths[int(fits[first])], int(bounds[first]), int(bounds[last]))
            for first, last in pairwise(edges)
        ]

    def _split_at_coarse_buckets(self, widths: Sequence[BucketWidth]) -> NDArray[np.int64]:
        """Return the periods' bounds, plus those where a run of coarse buckets starts or ends inside a period."""
        bounds = self.bounds
        for width in widths[:-1]:
            first = bounds[:-1] + -bounds[:-1] % width.seconds
            last = bounds[1:] - bounds[1:] % width.seconds
            inside = first < last
            whole = (first == bounds[:-1]) & (last == bounds[1:])
            if (inside & ~whole).any():
                bounds = np.unique(np.concatenate([bounds, first[inside], last[inside]]))
        return bounds


MAX_PERIODS = 600_000
"""Largest number of hours or minutes in a view: a year has 525,600 minutes, and no longer table is of use."""


def periods(span: Span, per: Granularity, zone: tzinfo, week_start: int = 0) -> Periods:
    """Divide `span` into the minutes, hours, days, weeks or months of `zone`.

    `week_start` is the first day of a week (Monday is 0). The first and the last period are shorter if the span
    starts or ends inside one. Raises InputError if there are more than MAX_PERIODS hours or minutes.
    """
    if per is Granularity.TOTAL:
        bounds = [span.start, span.end]
    elif per in (Granularity.MINUTE, Granularity.HOUR):
        bounds = _even_bounds(span, 60 if per is Granularity.MINUTE else 3600, zone)
    else:
        bounds = _calendar_bounds(span, per, zone, week_start)
    return Periods(np.asarray(bounds, dtype=np.int64), per, zone)


def _even_bounds(span: Span, seconds: int, zone: tzinfo) -> list[int]:
    """Return bounds (epoch seconds) at each whole hour or minute of the zone's wall clock."""
    if (span.end - span.start) // seconds > MAX_PERIODS:
        raise InputError(title="The range is too long", hint="Choose a shorter range or a coarser period.")
    if zone is UTC:
        whole = np.arange(span.start - span.start % seconds + seconds, span.end, seconds, dtype=np.int64)
        return [span.start, *whole.tolist(), span.end]
    bounds = [span.start]
    while bounds[-1] < span.end:
        local_time = datetime.fromtimestamp(bounds[-1], zone)
        elapsed = (local_time.minute * 60 + local_time.second) % seconds if seconds == 3600 else local_time.second
        step = bounds[-1] - elapsed + seconds
        # If the zone's offset changes by part of an hour, the whole hours move: add a bound at the change.
        after = datetime.fromtimestamp(step, zone)
        if seconds == 3600 and (after.minute or after.second):
            step = _offset_change(bounds[-1], step, zone)
        bounds.append(min(step, span.end))
    return bounds


def _offset_change(low: int, high: int, zone: tzinfo) -> int:
    """Return the first moment in (low, high] at which the zone's offset differs from that at `low`."""
    before = datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def _calendar_bounds(span: Span, per: Granularity, zone: tzinfo, week_start: int) -> list[int]:
    day = datetime.fromtimestamp(span.start, zone).date()
    bounds = [span.start]
    while True:
        if per is Granularity.DAY:
            day += timedelta(days=1)
        elif per is Granularity.WEEK:
            day += timedelta(days=7 - (day.weekday() - week_start) % 7)
        else:
            day = next_month(day.replace(day=1))
        moment = moment_of(datetime.combine(day, time()), zone)
        if moment >= span.end:
            return [*bounds, span.end]
        if moment > bounds[-1]:  # equal if the zone skipped a whole day
            bounds.append(moment)


def next_month(day: date) -> date:
    """Return the same day in the next month. Raises ValueError if there is no such day."""
    return (
        day.replace(year=day.year + 1, month=1, day=1)
        if day.month == 12
        else day.replace(month=day.month + 1, day=1)
    )


@lru_cache(maxsize=32)
def cached_periods(span: Span, per: Granularity, zone: tzinfo, week_start: int) -> Periods:
    """Return what `periods` returns, kept for the next call: a year of days takes 2 ms, at every click."""
    cached = periods(span, per, zone, week_start)
    cached.bounds.flags.writeable = False
    return cached
