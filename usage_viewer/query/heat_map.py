"""Computes a heat map of hour by weekday from a table with one period for each hour."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Figure
from usage_viewer.domain.figures import EXACT, Number
from usage_viewer.domain.period import Periods
from usage_viewer.domain.table import Table
from usage_viewer.query.aggregate import normalize_decimal, sum_column
from usage_viewer.query.chart_buckets import BucketState, ChartBuckets

T = TypeVar("T")

DAYS, HOURS = 7, 24
SECONDS_OF_HOUR = 3600


@dataclass(frozen=True)
class HeatMap:
    """Holds a figure by weekday (0 is Monday) and hour of the zone's clocks: `sums`, `seconds`, `lacking` (7, 24).

    `sums` are exact; `seconds` is the time that they cover. Only hours that have ended and are loaded count, so
    that the hour that a clock skips counts once less and the one that it repeats once more. `lacking` counts the
    hours that are not loaded. `figure` describes the numbers, `measure` their unit as stated by the results.
    """

    figure: Figure
    sums: tuple[tuple[Number, ...], ...]
    seconds: tuple[tuple[int, ...], ...]
    lacking: tuple[tuple[int, ...], ...]
    measure: str = ""

    def average(self, day: int, hour: int) -> Number | None:
        """Return the figure of a cell for each hour that it covers; None if it covers none."""
        seconds = self.seconds[day][hour]
        if not seconds:
            return None
        with localcontext(EXACT):
            return Decimal(self.sums[day][hour]) * SECONDS_OF_HOUR / seconds

    @property
    def empty(self) -> bool:
        """Whether no hour is loaded."""
        return not any(map(any, self.seconds))


def heat_map(table: Table, figure: Figure, buckets: ChartBuckets) -> HeatMap:
    """Return the heat map of a figure of `table`, whose periods are hours. Raises KeyError."""
    hourly = buckets.periods
    column, cells = table.figure(figure.name), _cells(hourly)
    known = np.isin(buckets.states, (BucketState.FINAL, BucketState.MAY_CHANGE)) & ~buckets.unavailable
    lacking = np.isin(buckets.states, (BucketState.PARTLY_LOADED, BucketState.NOT_LOADED)) | buckets.unavailable
    size = DAYS * HOURS
    seconds = np.bincount(cells[known], np.diff(hourly.bounds)[known], size).astype(np.int64)
    period = table.period
    assert period is not None, "the table has no periods"
    counted = known[period.index]
    figures = column.figures.take(np.flatnonzero(counted))
    sums = sum_column(figures, cells[period.index[counted]], size).values
    with localcontext(EXACT):
        listed = [normalize_decimal(one) if isinstance(one, Decimal) else one for one in sums.tolist()]
    return HeatMap(
        figure,
        _rows(listed),
        _rows(seconds.tolist()),
        _rows(np.bincount(cells[lacking], minlength=size).tolist()),
        column.measure,
    )


def _cells(hourly: Periods) -> NDArray[np.int64]:
    """Return the cell of each hour, (n,): its weekday times 24 plus its hour, by the clocks of the zone."""
    walls = (datetime.fromtimestamp(start, hourly.zone) for start in hourly.bounds[:-1].tolist())
    return np.array([wall.weekday() * HOURS + wall.hour for wall in walls], np.int64)


def _rows(cells: list[T]) -> tuple[tuple[T, ...], ...]:
    return tuple(tuple(cells[day * HOURS : (day + 1) * HOURS]) for day in range(DAYS))
