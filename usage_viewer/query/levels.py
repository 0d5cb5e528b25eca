"""Computes the mean and the peak of levels over time, from sums of each bucket."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.dataset import Kind, OverTime, Statistic
from usage_viewer.domain.figures import INT64_MAX, Number, NumberColumn
from usage_viewer.domain.period import Periods
from usage_viewer.query.aggregate import FactRows, aggregate, missing_mask, sum_column


def per_bucket(coverage: Coverage) -> Coverage:
    """Return the same coverage with each bucket that is read as a period of its own."""
    edges = [
        np.arange(segment.start, segment.end + 1, segment.width.seconds, dtype=np.int64)
        for segment in coverage.read
    ]
    bounds = np.unique(np.concatenate(edges)) if edges else coverage.periods.bounds
    return replace(coverage, periods=Periods(bounds, coverage.periods.per, coverage.periods.zone))


@dataclass(frozen=True, slots=True)
class BucketLevels:
    """The levels of each bucket and combination: `rows.period` counts the periods of `per_bucket(coverage)`."""

    coverage: Coverage
    rows: FactRows

    def on_buckets_of(self, coverage: Coverage) -> "BucketLevels":
        """Return the levels on the equal or finer buckets of another coverage.

        Each finer bucket has the level of the bucket that contains it.
        """
        own, finer = per_bucket(self.coverage).periods.bounds, per_bucket(coverage).periods.bounds
        first = np.searchsorted(finer, own[:-1])[self.rows.period]
        counts = np.searchsorted(finer, own[1:])[self.rows.period] - first
        source = np.repeat(np.arange(len(self.rows)), counts)
        within = np.arange(len(source)) - np.repeat(np.cumsum(counts) - counts, counts)
        split = self.rows.take(source)
        return BucketLevels(
            coverage, FactRows((first[source] + within).astype(np.int32), split.cell, split.metrics)
        )


@dataclass(frozen=True)
class LevelStatistics:
    """Means and peaks of levels for groups of combinations.

    `group_of` (combinations,) is the group of each combination, -1 for none.
    """

    levels: BucketLevels
    group_of: NDArray[np.int32]

    def column(self, item: OverTime, rows: FactRows) -> NumberColumn:
        """Return the mean or peak for each of n rows, (n,); a row's cell is its group."""
        groups = int(max(self.group_of.max(initial=0), rows.cell.max(initial=0))) + 1
        key = rows.period.astype(np.int64) * groups + rows.cell
        order = np.argsort(key)
        sums = self._sum_by(lambda group: group, groups)
        row_key = self._period_of_bucket[sums.period] * groups + sums.cell
        slot = order[np.searchsorted(key, row_key, sorter=order)] if len(key) else row_key
        return self._compute(item, sums, slot, self._stored_seconds[rows.period])

    def total(self, item: OverTime) -> Number | None:
        """Return the mean or peak of all groups together, over all periods."""
        sums = self._sum_by(np.zeros_like, 1)
        slot = np.zeros(len(sums), np.int64)
        return self._compute(item, sums, slot, np.array([self._stored_seconds.sum()], np.int64)).at(0)

    def _sum_by(self, cell_of: Callable[[NDArray[np.int32]], NDArray[np.int32]], cells: int) -> FactRows:
        """Return the sums of each bucket and cell; `cell_of` maps groups to cells."""
        in_group = self.group_of[self.levels.rows.cell] >= 0
        rows = self.levels.rows.take(in_group)
        cell = cell_of(self.group_of[rows.cell])
        return aggregate(rows.with_cells(cell), len(self._bucket_bounds) - 1, cells)

    @property
    def _bucket_bounds(self) -> NDArray[np.int64]:
        return per_bucket(self.levels.coverage).periods.bounds

    @property
    def _period_of_bucket(self) -> NDArray[np.int64]:
        return np.searchsorted(self.levels.coverage.periods.bounds, self._bucket_bounds[:-1], side="right") - 1

    @property
    def _stored_seconds(self) -> NDArray[np.int64]:
        """The stored seconds of each period, (periods,); buckets after the last one with a level don't count."""
        periods, rows = self.levels.coverage.periods, self.levels.rows
        seconds = np.zeros(len(periods), np.int64)
        last_start = self._bucket_bounds[int(rows.period.max(initial=-1))] if len(rows) else -1
        for segment in self.levels.coverage.read:
            starts = np.arange(segment.start, segment.end, segment.width.seconds, dtype=np.int64)
            starts = starts[starts <= last_start]
            period = np.searchsorted(periods.bounds, starts, side="right") - 1
            np.add.at(seconds, period, segment.width.seconds)
        return seconds

    def _compute(
        self, item: OverTime, sums: FactRows, slot: NDArray[np.int64], seconds: NDArray[np.int64]
    ) -> NumberColumn:
        """Return one figure for each of n slots, (n,).

        `slot` is the slot of each row of `sums`, `seconds` (n,) the stored time of each slot.
        """
        column = sums.metrics[item.level]
        present = ~missing_mask(column)
        values, slot = column.values[present], slot[present]
        missing = np.ones(len(seconds), np.bool_)
        missing[slot] = False
        if item.statistic is Statistic.PEAK:
            return NumberColumn(_peaks(values, slot, len(seconds), item.kind), missing)
        lengths = np.diff(self._bucket_bounds)[sums.period[present]]
        weighted = sum_column(NumberColumn(_product(values, lengths)), slot, len(seconds)).values
        # The division is one of exact numbers: only the quotient is rounded.
        means = [
            float(total / length) if length else 0.0
            for total, length in zip(weighted.tolist(), seconds.tolist(), strict=True)
        ]
        return NumberColumn(np.array(means, np.float64), missing)


def _peaks(values: NDArray[Any], slot: NDArray[np.int64], size: int, kind: Kind) -> NDArray[Any]:
    exact = kind is Kind.DECIMAL or values.dtype == np.object_
    peaks = np.zeros(size, np.object_ if exact else np.int64)
    np.maximum.at(peaks, slot, values)
    return peaks


def _product(values: NDArray[Any], lengths: NDArray[np.int64]) -> NDArray[Any]:
    if values.dtype == np.int64 and int(values.max(initial=0)) * int(lengths.max(initial=0)) > INT64_MAX:
        values = values.astype(np.object_)
    product: NDArray[Any] = values * lengths.astype(values.dtype)
    return product
