"""Combines the facts of several parts over one index of their combinations."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import Dataset, Kind, Metric
from usage_viewer.domain.dataset import PROFILE
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.view_parts import NOT_AVAILABLE
from usage_viewer.query.aggregate import FactRows, aggregate, concat_rows
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.query.levels import BucketLevels
from usage_viewer.query.plan import FactSums, Part, Plan, column_name, cover_parts


def combine(plan: Plan, sums: Sequence[FactSums]) -> FactSums:
    """Combine the sums of the plan's parts, in their order: one row for each period and combination.

    Across organizations, the profile is a dimension. In joined datasets, rows with equal periods and dimensions
    become one row with the metrics side by side; a metric is missing where its dataset has no such row. Sums are
    exact. The rows of a single part are returned without a copy if the combined dataset has the same dimensions.
    """
    columns = [_column_names(plan, part) for part in plan.parts]
    if len(sums) == 1 and _is_same(plan, plan.parts[0], columns[0]):
        return sums[0]
    index = DimensionIndex(plan.dataset)
    ids = [index.add(_combinations(plan.dataset, *pair)) for pair in zip(plan.parts, sums, strict=True)]
    shown = _metrics(plan, [name for names in columns for name in names.values()])
    rows = concat_rows(
        [_relabel(*item, shown) for item in zip([one.rows for one in sums], ids, columns, strict=True)]
    )
    if len(index) < sum(map(len, ids)):  # combinations coincide
        rows = aggregate(rows, len(plan.coverage.periods), len(index))
    else:
        rows = rows.in_period_order()
    return FactSums(rows, index, _combine_levels(plan, sums, ids, columns))


def _combine_levels(
    plan: Plan, sums: Sequence[FactSums], ids: Sequence[NDArray[np.int32]], columns: Sequence[Mapping[str, str]]
) -> BucketLevels | None:
    with_levels = [number for number, one in enumerate(sums) if one.levels is not None]
    if not with_levels:
        return None
    # Only the buckets of parts that have levels: other datasets may be stored for more of the range, or for less.
    coverage = cover_parts([plan.parts[number] for number in with_levels])
    shown = _metrics(plan, [columns[number][name] for number in with_levels for name in plan.parts[number].levels])
    parts = []
    for number in with_levels:
        levels = sums[number].levels
        assert levels is not None
        parts.append(_relabel(levels.on_buckets_of(coverage).rows, ids[number], columns[number], shown))
    return BucketLevels(coverage, concat_rows(parts))


def _column_names(plan: Plan, part: Part) -> dict[str, str]:
    """Map the part's metrics to their names in the combined dataset."""
    return {name: column_name(plan.dataset, part.dataset, name) for name in part.metrics}


def _is_same(plan: Plan, part: Part, columns: Mapping[str, str]) -> bool:
    """Report whether the part's rows need no change."""
    return (
        not part.absent
        and part.dataset.dimensions == plan.dataset.dimensions
        and all(old == new for old, new in columns.items())
    )


def _metrics(plan: Plan, names: Sequence[str]) -> list[Metric]:
    return [plan.dataset.metric(name) for name in dict.fromkeys(names)]


def _combinations(dataset: Dataset, part: Part, sums: FactSums) -> Iterator[Combination]:
    """Yield each combination of a part as one of the combined dataset.

    It has null in dimensions that the part lacks, or the mark of what is not available.
    """
    position = {item.name: index for index, item in enumerate(part.dataset.dimensions, 3)}
    position |= dict.fromkeys(part.absent, 2) | {PROFILE.name: 0}
    chosen = [position.get(item.name, 1) for item in dataset.dimensions]
    for combination in sums.index.combinations():
        values = (part.profile, None, NOT_AVAILABLE, *combination)
        yield tuple(values[index] for index in chosen)


def _relabel(
    rows: FactRows, ids: NDArray[np.int32], columns: Mapping[str, str], shown: Sequence[Metric]
) -> FactRows:
    """Return the rows with the ids of the combined index, and a column for each metric of `shown`."""
    own = {columns[name]: column for name, column in rows.metrics.items()}
    metrics = {item.name: own[item.name] if item.name in own else _absent(item, len(rows)) for item in shown}
    return FactRows(rows.period, ids[rows.cell] if len(rows) else rows.cell, metrics)


def _absent(metric: Metric, rows: int) -> NumberColumn:
    kind = np.object_ if metric.kind is Kind.DECIMAL else np.int64
    return NumberColumn(np.zeros(rows, kind), np.ones(rows, np.bool_))
