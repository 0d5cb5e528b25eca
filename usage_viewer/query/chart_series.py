"""Computes the bars of a chart from the columns of a table: exact sums by bucket and group."""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Figure
from usage_viewer.domain.dataset import Dataset, Derived
from usage_viewer.domain.figures import EXACT, Number, NumberColumn
from usage_viewer.domain.table import FigureColumn, Table
from usage_viewer.domain.view_parts import NOT_AVAILABLE, NOT_AVAILABLE_TEXT, Value
from usage_viewer.query.aggregate import missing_mask, normalize_decimal, sum_column
from usage_viewer.query.chart_buckets import ChartBuckets

MOST_GROUPS = 8
"""Groups that are drawn on their own; more than these can't be told apart."""

MIXED_UNITS = "Amounts in different units can't be added. Filter to one unit."


class GroupKind(Enum):
    """Tells what a series of a chart stands for."""

    GROUP = "group"
    TOTAL = "total"
    OTHERS = "others"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class ChartGroup:
    """Describes one series of a chart.

    `values` are the dimensions of the grouping with the group's values; empty unless `kind` is GROUP. `count` is
    the number of groups that the series adds up.
    """

    label: str
    kind: GroupKind
    values: tuple[tuple[str, Value], ...] = ()
    count: int = 1


@dataclass(frozen=True)
class ChartSeries:
    """Holds what a chart of bars or of a line shows.

    `figure` describes the numbers, `measure` their unit as stated by the results ("" if they don't). `values` has
    for each group the exact number of each bucket, None where there is none, and `totals` the exact sum of each
    bucket. The largest group is the first; *Others* and "(not available)" come last. `is_stacked` is False for a
    figure that does not add up over groups: it has one group, the total. `group_of_row` (rows,) is the series of
    each row of the table that the chart was made of, `bucket_of_row` (rows,) its bucket.
    `compared` are the totals of the compared period, one for each bucket, None where they are not known; empty
    without a comparison. `problem` says why nothing can be drawn.
    """

    figure: Figure
    buckets: ChartBuckets
    groups: tuple[ChartGroup, ...]
    values: tuple[tuple[Number | None, ...], ...]
    totals: tuple[Number | None, ...]
    is_stacked: bool = True
    measure: str = ""
    compared: tuple[Number | None, ...] = ()
    problem: str = ""
    group_of_row: NDArray[np.int64] | None = None
    bucket_of_row: NDArray[np.int64] | None = None

    @property
    def empty(self) -> bool:
        """Whether no bucket has a number."""
        return all(total is None for total in self.totals)


def is_stackable(figure: Figure) -> bool:
    """Report whether the figures of groups add up to the figure of the total."""
    return not figure.kind.is_quotient and figure.statistic is None


def adds_over_time(figure: Figure) -> bool:
    """Report whether the figures of buckets add up to the figure of a longer bucket."""
    return is_stackable(figure) and figure.sums_over_time


def stack(table: Table, figure: Figure, buckets: ChartBuckets, *, most_groups: int = MOST_GROUPS) -> ChartSeries:
    """Return the stacked bars of a figure of `table`, which has a column for it.

    The largest groups are kept; *Others* is the exact rest. Raises KeyError.
    """
    column = table.figure(figure.name)
    if column.unit_from:
        return _nothing(figure, buckets, MIXED_UNITS)
    bucket = _bucket_of_row(table, buckets)
    figures = _over_time(column.figures, table, figure, bucket)
    groups, slot = _choose_groups(table, figure, figures, most_groups)
    size = len(buckets.periods)
    summed = sum_column(figures, slot * size + bucket, len(groups) * size)
    present = _present(figures, slot * size + bucket, len(groups) * size).reshape(len(groups), size)
    numbers = summed.values.reshape(len(groups), size)
    totals = sum_column(figures, bucket, size)
    return ChartSeries(
        figure,
        buckets,
        groups,
        tuple(_listed(row, given) for row, given in zip(numbers, present, strict=True)),
        _listed(totals.values, np.logical_or.reduce(present)),
        measure=column.measure,
        group_of_row=slot,
        bucket_of_row=bucket,
    )


def line(table: Table, figure: Figure, dataset: Dataset, buckets: ChartBuckets) -> ChartSeries:
    """Return the figure of each bucket's total, for a figure that does not add up over groups.

    A quotient is computed from the sums of its parts, which `table` has as columns; any other figure is read from
    `table`, which then has one row for each bucket. Raises KeyError.
    """
    bucket, size = _bucket_of_row(table, buckets), len(buckets.periods)
    if not isinstance(figure, Derived):
        column = table.figure(figure.name)
        if column.unit_from:
            return _nothing(figure, buckets, MIXED_UNITS)
        summed = sum_column(column.figures, bucket, size)
        given = NumberColumn(summed.values, ~_present(column.figures, bucket, size))
        return _total_line(figure, buckets, given, column.measure)
    parts: dict[str, NumberColumn] = {}
    for name in figure.needs():
        part = table.figure(name)
        if part.unit_from:
            return _nothing(figure, buckets, MIXED_UNITS)
        figures = _over_time(part.figures, table, dataset.column(name), bucket)
        summed = sum_column(figures, bucket, size)
        parts[name] = NumberColumn(summed.values, ~_present(figures, bucket, size))
    with localcontext(EXACT):
        computed = figure.compute(parts)
        return _total_line(figure, buckets, NumberColumn(computed.values, computed.missing))


def compared_totals(
    series: ChartSeries, table: Table, column: FigureColumn, known: NDArray[np.bool_]
) -> tuple[Number | None, ...]:
    """Return the figure of the compared period in each bucket, for a figure that adds up over groups.

    `column` is the column of the compared figure in `table`. None where a period of the bucket has no loaded
    counterpart (`known`, for each period of `table`): what is not known is not drawn as 0.
    """
    buckets = series.buckets
    bucket, size = _bucket_of_row(table, buckets), len(buckets.periods)
    figures = _over_time(column.figures, table, series.figure, bucket)
    summed = sum_column(figures, bucket, size)
    is_known = np.ones(size, np.bool_)
    is_known[buckets.coarse_of[~known]] = False
    return _listed(summed.values, is_known)


def parts_of(figure: Figure) -> tuple[str, ...]:
    """Return the names of the columns that `stack` and `line` need."""
    return (
        tuple(dict.fromkeys(figure.needs()))
        if isinstance(figure, Derived) and figure.denominator
        else (figure.name,)
    )


def _nothing(figure: Figure, buckets: ChartBuckets, problem: str) -> ChartSeries:
    return ChartSeries(figure, buckets, (), (), (None,) * len(buckets.periods), problem=problem)


def _total_line(figure: Figure, buckets: ChartBuckets, column: NumberColumn, measure: str = "") -> ChartSeries:
    numbers = _listed(column.values, ~missing_mask(column))
    group = ChartGroup(figure.label, GroupKind.TOTAL)
    return ChartSeries(figure, buckets, (group,), (numbers,), numbers, is_stacked=False, measure=measure)


def _bucket_of_row(table: Table, buckets: ChartBuckets) -> NDArray[np.int64]:
    period = table.period
    if period is None:
        return np.zeros(table.rows, np.int64)
    return buckets.coarse_of[period.index]


def _over_time(figures: NumberColumn, table: Table, figure: Figure, bucket: NDArray[np.int64]) -> NumberColumn:
    """Return the figures to add in each bucket: of a level, only those of the last period that has any."""
    if figure.sums_over_time or table.period is None:
        return figures
    missing = missing_mask(figures)
    period = table.period.index.astype(np.int64)
    last = np.full(int(bucket.max(initial=-1)) + 1, -1, np.int64)
    np.maximum.at(last, bucket[~missing], period[~missing])
    return NumberColumn(figures.values, missing | (period != last[bucket]))


def _present(figures: NumberColumn, slot: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    present = np.zeros(size, np.bool_)
    present[slot if figures.missing is None else slot[~figures.missing]] = True
    return present


def _listed(values: NDArray[np.generic], present: NDArray[np.bool_]) -> tuple[Number | None, ...]:
    with localcontext(EXACT):
        return tuple(
            None if not given else normalize_decimal(value) if isinstance(value, Decimal) else value
            for value, given in zip(values.tolist(), present.tolist(), strict=True)
        )


def _choose_groups(
    table: Table, figure: Figure, figures: NumberColumn, most: int
) -> tuple[tuple[ChartGroup, ...], NDArray[np.int64]]:
    """Return the series, and the series of each row (rows,)."""
    if not table.groups:
        return (ChartGroup(figure.label, GroupKind.TOTAL),), np.zeros(table.rows, np.int64)
    ids = _group_ids(table)
    count = int(ids.max(initial=-1)) + 1
    example = np.zeros(count, np.int64)
    example[ids] = np.arange(table.rows)
    lacking = np.zeros(count, np.bool_)
    for group in table.groups:
        gone = np.array([value == NOT_AVAILABLE for value in group.values], np.bool_)
        lacking |= gone[group.codes_at(example)]
    order = _largest_first(figures, ids, count)
    own = [place for place in order if not lacking[place]]
    kept = own[: most - bool(lacking.any())] if len(own) + bool(lacking.any()) > most else own
    slot = np.full(count, len(kept), np.int64)
    slot[kept] = np.arange(len(kept))
    groups = [_described(table, int(example[place])) for place in kept]
    rest = len(own) - len(kept)
    if rest:
        groups.append(ChartGroup(f"Others ({rest})", GroupKind.OTHERS, count=rest))
    if lacking.any():
        slot[lacking] = len(groups)
        groups.append(ChartGroup(NOT_AVAILABLE_TEXT, GroupKind.UNAVAILABLE, count=int(lacking.sum())))
    return tuple(groups), slot[ids]


def _group_ids(table: Table) -> NDArray[np.int64]:
    """Return a number for the group of each row (rows,): from 0 on, each with a row."""
    first = table.groups[0].group
    if first is not None and all(group.group is first for group in table.groups):
        return _without_gaps(first)
    ids = np.zeros(table.rows, np.int64)
    for group in table.groups:
        _, ids = np.unique(ids * len(group.values) + group.codes, return_inverse=True)
    return ids


def _without_gaps(numbers: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return new numbers of the groups: those that have usage only in other periods have no row."""
    used = np.zeros(int(numbers.max(initial=-1)) + 1, np.bool_)
    used[numbers] = True
    anew: NDArray[np.int64] = (np.cumsum(used) - 1)[numbers]
    return anew


def _largest_first(figures: NumberColumn, ids: NDArray[np.int64], count: int) -> list[int]:
    """Return the groups by the sum of their magnitudes: a credit weighs as much as a charge."""
    magnitudes = sum_column(NumberColumn(np.abs(figures.values), figures.missing), ids, count).values.tolist()
    return sorted(range(count), key=lambda group: (-magnitudes[group], group))


def _described(table: Table, row: int) -> ChartGroup:
    codes = [(group, group.code(row)) for group in table.groups]
    return ChartGroup(
        " · ".join(group.labels[code] for group, code in codes),
        GroupKind.GROUP,
        tuple((group.name, group.values[code]) for group, code in codes),
    )
