"""Levels over time: the mean and the peak of what a group holds, from facts that were read bucket by bucket."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.dataset import Kind, OverTime, Statistic
from usage_viewer.domain.figures import INT64_MAX, Number, NumberColumn
from usage_viewer.domain.period import Periods
from usage_viewer.domain.view import ViewState
from usage_viewer.query.aggregate import FactSums, gather, missing_of, sums_of


def levels_needed(view: ViewState) -> tuple[str, ...]:
    """The levels whose mean or peak is shown."""
    columns = (view.dataset.column(name) for name in view.shown_columns)
    wanted = {name for column in columns if column.statistic is not None for name in column.needs()}
    return tuple(metric.name for metric in view.dataset.metrics if metric.name in wanted)


def by_bucket(coverage: Coverage) -> Coverage:
    """The same, each bucket that is read a period of its own."""
    edges = [
        np.arange(segment.start, segment.end + 1, segment.width.seconds, dtype=np.int64)
        for segment in coverage.read
    ]
    bounds = np.unique(np.concatenate(edges)) if edges else coverage.periods.bounds
    return replace(coverage, periods=Periods(bounds, coverage.periods.per, coverage.periods.zone))


@dataclass(frozen=True)
class Stocks:
    """Levels of each bucket and combination (`facts.cell`), of which those in a group count.

    `group[c]` is a combination's group, -1 for none.
    """

    coverage: Coverage
    facts: FactSums
    group: NDArray[np.int32]

    def column(self, item: OverTime, rows: FactSums) -> NumberColumn:
        """For each of `rows`, which are periods and groups."""
        groups = int(max(self.group.max(initial=0), rows.cell.max(initial=0))) + 1
        key = rows.period.astype(np.int64) * groups + rows.cell
        order = np.argsort(key)
        stocks = self._summed(lambda group: group, groups)
        place = self._period[stocks.period] * groups + stocks.cell
        slot = order[np.searchsorted(key, place, sorter=order)] if len(key) else place
        return self._over(item, stocks, slot, self._held[rows.period])

    def total(self, item: OverTime) -> Number | None:
        """Of all groups together, over all periods."""
        stocks = self._summed(np.zeros_like, 1)
        every = np.zeros(len(stocks), np.int64)
        return self._over(item, stocks, every, np.array([self._held.sum()], np.int64)).at(0)

    def _summed(self, group: Callable[[NDArray[np.int32]], NDArray[np.int32]], groups: int) -> FactSums:
        inside = self.group[self.facts.cell] >= 0
        facts = self.facts.take(inside)
        cell = group(self.group[facts.cell])
        return gather(facts.relabelled(cell), len(self._buckets) - 1, groups)

    @property
    def _buckets(self) -> NDArray[np.int64]:
        return by_bucket(self.coverage).periods.bounds

    @property
    def _period(self) -> NDArray[np.int64]:
        """The period of each bucket."""
        return np.searchsorted(self.coverage.periods.bounds, self._buckets[:-1], side="right") - 1

    @property
    def _held(self) -> NDArray[np.int64]:
        """For each period the seconds of it that are held, but for buckets at the end that nothing was told of."""
        held = np.zeros(len(self.coverage.periods), np.int64)
        told = self._buckets[int(self.facts.period.max(initial=-1))] if len(self.facts) else -1
        for segment in self.coverage.read:
            starts = np.arange(segment.start, segment.end, segment.width.seconds, dtype=np.int64)
            starts = starts[starts <= told]
            period = np.searchsorted(self.coverage.periods.bounds, starts, side="right") - 1
            np.add.at(held, period, segment.width.seconds)
        return held

    def _over(
        self, item: OverTime, stocks: FactSums, slot: NDArray[np.int64], seconds: NDArray[np.int64]
    ) -> NumberColumn:
        """One figure for each of `seconds`, the time that it is about; row i of `stocks` counts in `slot[i]`."""
        figures = stocks.metrics[item.level]
        there = ~missing_of(figures)
        values, slot = figures.values[there], slot[there]
        missing = np.ones(len(seconds), np.bool_)
        missing[slot] = False
        if item.statistic is Statistic.PEAK:
            return NumberColumn(_greatest(values, slot, len(seconds), item.kind), missing)
        lengths = np.diff(self._buckets)[stocks.period[there]]
        weighed = sums_of(NumberColumn(_product(values, lengths)), slot, len(seconds)).values
        # Divided as exact numbers: the quotient alone is rounded.
        means = [
            float(total / length) if length else 0.0
            for total, length in zip(weighed.tolist(), seconds.tolist(), strict=True)
        ]
        return NumberColumn(np.array(means, np.float64), missing)


def _greatest(values: NDArray[Any], slot: NDArray[np.int64], size: int, kind: Kind) -> NDArray[Any]:
    exact = kind is Kind.DECIMAL or values.dtype == np.object_
    peaks = np.zeros(size, np.object_ if exact else np.int64)
    np.maximum.at(peaks, slot, values)
    return peaks


def _product(values: NDArray[Any], lengths: NDArray[np.int64]) -> NDArray[Any]:
    if values.dtype == np.int64 and int(values.max(initial=0)) * int(lengths.max(initial=0)) > INT64_MAX:
        values = values.astype(np.object_)
    product: NDArray[Any] = values * lengths.astype(values.dtype)
    return product
