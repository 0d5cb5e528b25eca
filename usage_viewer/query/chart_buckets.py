"""Chooses the buckets of a chart and says of each how much of it is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.period import BucketRun, Granularity, Periods, periods
from usage_viewer.domain.period_status import PeriodStatus

_COARSER = (Granularity.MINUTE, Granularity.HOUR, Granularity.DAY, Granularity.WEEK, Granularity.MONTH)


class BucketState(IntEnum):
    """Lists how much of a chart's bucket is known. Only the first two have their final height."""

    FINAL = 0
    MAY_CHANGE = 1
    IN_PROGRESS = 2
    PARTLY_LOADED = 3
    NOT_LOADED = 4
    FUTURE = 5


@dataclass(frozen=True, slots=True)
class ChartBuckets:
    """Holds the buckets of a chart: `periods`, and for each a `BucketState` (n,).

    `unavailable` (n,) marks buckets in which a dimension of the view is not available. `coarse_of` (m,) is the
    bucket of each of the table's m periods.
    """

    periods: Periods
    states: NDArray[np.int8]
    unavailable: NDArray[np.bool_]
    coarse_of: NDArray[np.int64]


def choose_periods(fine: Periods, most: int, week_start: int = 0) -> Periods:
    """Return `fine`, or the finest coarser periods of the same span of which there are at most `most`.

    Months are the coarsest. Weeks are not replaced by months, which no week divides. `week_start` 0 is Monday.
    """
    if len(fine) <= most or fine.per not in _COARSER or fine.per is Granularity.WEEK:
        return fine
    coarse = fine
    for per in _COARSER[_COARSER.index(fine.per) + 1 :]:
        coarse = periods(fine.span, per, fine.zone, week_start)
        if len(coarse) <= most:
            break
    return coarse


def chart_buckets(
    coarse: Periods,
    coverage: Coverage,
    statuses: NDArray[np.int8] | None,
    ungranted: Sequence[BucketRun],
    now: int,
    occupied: NDArray[np.int64],
) -> ChartBuckets:
    """Return the buckets of a chart with their states at `now` (epoch seconds).

    `coverage` and `statuses` are those of the table. `ungranted` are the runs that lack a dimension of the view.
    `occupied` are the table's periods that have rows: what one of several organizations lacks is then a part.
    """
    fine = coverage.periods
    coarse_of = np.searchsorted(coarse.bounds, fine.bounds[:-1], side="right") - 1
    starts, ends = coarse.bounds[:-1], coarse.bounds[1:]
    states = np.zeros(len(coarse), np.int8)
    if statuses is not None and len(statuses):
        np.maximum.at(states, coarse_of, np.minimum(statuses, PeriodStatus.MAY_CHANGE).astype(np.int8))
    states[(starts <= now) & (now < ends)] = BucketState.IN_PROGRESS
    begun_until = int(coarse.bounds[-1]) if coverage.begun_until is None else coverage.begun_until
    begun = np.maximum(np.minimum(ends, begun_until) - starts, 0)
    missing = _overlap(coarse.bounds, coverage.missing, begun_until)
    has_rows = np.zeros(len(coarse), np.bool_)
    has_rows[coarse_of[occupied]] = True
    states[missing > 0] = BucketState.PARTLY_LOADED
    states[(missing > 0) & (missing >= begun) & ~has_rows] = BucketState.NOT_LOADED
    states[(begun == 0) & ~has_rows] = BucketState.FUTURE
    return ChartBuckets(coarse, states, _overlap(coarse.bounds, ungranted) > 0, coarse_of)


def known_periods(compared: Coverage, own_of: NDArray[np.int64], periods: int) -> NDArray[np.bool_]:
    """Return the periods of the table whose compared period is loaded (periods,).

    Period i of `compared` is compared with the period `own_of[i]` of the table.
    """
    known = np.zeros(periods, np.bool_)
    known[own_of] = _overlap(compared.periods.bounds, compared.missing) == 0
    return known


def _overlap(bounds: NDArray[np.int64], runs: Sequence[BucketRun], until: int | None = None) -> NDArray[np.int64]:
    """Return the seconds of each bucket that lie in a run and before `until` (epoch seconds), (n,)."""
    spans = _merged(runs, int(bounds[-1]) if until is None else until)
    if not spans:
        return np.zeros(len(bounds) - 1, np.int64)
    edges = np.array(spans, np.int64)
    before = np.concatenate([[0], np.cumsum(edges[:, 1] - edges[:, 0])])
    place = np.searchsorted(edges[:, 0], bounds, side="right") - 1
    inside = np.minimum(bounds, edges[place, 1]) - edges[place, 0]
    covered = np.where(place >= 0, before[place] + np.maximum(inside, 0), 0)
    return np.diff(covered)


def _merged(runs: Sequence[BucketRun], until: int) -> list[tuple[int, int]]:
    """Return disjoint spans, ascending: the runs of several organizations overlap."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted((run.start, min(run.end, until)) for run in runs if run.start < until):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def month_starts(periods: Periods, months: Periods) -> list[int]:
    """Return the index of the first bucket that begins in each month after the first one."""
    firsts = np.searchsorted(periods.bounds[:-1], months.bounds[1:-1]).tolist()
    return [first for before, first in pairwise([0, *firsts]) if before < first < len(periods)]
