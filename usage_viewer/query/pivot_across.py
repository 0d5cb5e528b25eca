"""Chooses the columns of a pivot: periods in their order, or values with the largest first, and the rest as one."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Aggregation, Figure
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.columns import PeriodColumn
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import Periods
from usage_viewer.domain.pivot import MOST_COLUMNS
from usage_viewer.domain.view import ViewState
from usage_viewer.query.aggregate import FactRows, missing_mask, sum_column
from usage_viewer.query.dimension_index import DimensionIndex

Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Across:
    """Says which column each fact is in: `keys` and `labels` of the columns, in their order.

    `of_period` (periods,) is the column of each period, and `periods` those of the columns; or `of_combination`
    (combinations,) is the column of each combination. `others` is the column of the rest, -1 without one. Periods
    are left out of the columns only from the start of the range, so that the rest is one period; `others_level` is
    the last of them with a level, -1 for none.
    """

    keys: tuple[ColumnKey, ...]
    labels: tuple[str, ...]
    of_period: Codes | None = None
    of_combination: Codes | None = None
    periods: Periods | None = None
    others: int = -1
    others_level: int = -1

    def __len__(self) -> int:
        return len(self.keys)


def periods_across(view: ViewState, rows: FactRows, coverage: Coverage) -> Across:
    """Return a column for each period that has begun; with too many, the earliest ones are the rest.

    `rows` are the facts before filters apply.
    """
    assert view.pivot is not None
    periods, figure = coverage.periods, view.pivot.figure
    until = periods.span.end if coverage.begun_until is None else coverage.begun_until
    begun = max(int((periods.bounds[:-1] < until).sum()), int(rows.period.max(initial=-1)) + 1)
    hidden = max(0, begun - MOST_COLUMNS)
    labels = PeriodColumn(np.arange(len(periods), dtype=np.int32), periods).labels[hidden:begun]
    keys = tuple(ColumnKey(figure, period=start) for start in periods.bounds[hidden:begun].tolist())
    place = np.arange(len(periods), dtype=np.int32)
    bounds = periods.bounds[: begun + 1]
    if not hidden:
        return Across(keys, labels, place, periods=replace(periods, bounds=bounds))
    # In the facts the rest is the first period, so that the columns are in the order of time.
    place = np.maximum(place - hidden + 1, 0).astype(np.int32)
    return Across(
        (ColumnKey(figure, others=True), *keys),
        (f"Others ({hidden:,} earlier)", *labels),
        place,
        periods=replace(periods, bounds=np.concatenate([bounds[:1], bounds[hidden:]])),
        others=0,
        others_level=_last_level(view, rows, hidden),
    )


def _last_level(view: ViewState, rows: FactRows, hidden: int) -> int:
    last = -1
    for name, column in rows.metrics.items():
        if view.dataset.metric(name).aggregation is Aggregation.LEVEL:
            inside = (rows.period < hidden) & ~missing_mask(column)
            last = max(last, int(rows.period[inside].max(initial=-1)))
    return last


def values_across(view: ViewState, rows: FactRows, index: DimensionIndex, names: Names) -> Across:
    """Return a column for each value of the dimension that occurs in `rows`, the largest first; then the rest."""
    assert view.pivot is not None
    name, figure = view.pivot.by, view.dataset.column(view.pivot.figure)
    dimension, values = view.dataset.dimension(name), index.values(name)
    code_of, labels = index.column(name), [names.label(dimension, value) for value in values]
    codes = code_of[rows.cell]
    used = np.flatnonzero(np.bincount(codes, minlength=len(values)))
    sizes = _sizes(rows.metrics[_weight(figure)], codes, len(values))
    chosen = sorted(
        used.tolist(), key=lambda code: (-sizes[code], values[code] is None, labels[code], values[code])
    )
    shown, hidden = chosen[:MOST_COLUMNS], chosen[MOST_COLUMNS:]
    column_of = np.full(len(values), -1, np.int32)
    column_of[shown] = np.arange(len(shown))
    column_of[hidden] = len(shown)
    keys = [ColumnKey(figure.name, where=(name, values[code])) for code in shown]
    texts = [labels[code] for code in shown]
    if hidden:
        keys.append(ColumnKey(figure.name, others=True))
        texts.append(f"Others ({len(hidden):,})")
    return Across(tuple(keys), tuple(texts), of_combination=column_of[code_of], others=len(shown) if hidden else -1)


def _weight(figure: Figure) -> str:
    """Return the metric that tells which columns are large: of a quotient what it is per, not the quotient."""
    return figure.needs()[-1 if figure.kind.is_quotient else 0]


def _sizes(column: NumberColumn, codes: Codes, count: int) -> list[float]:
    """Return the size of each value as far as the order of columns needs it, (values,)."""
    if column.values.dtype == np.object_:
        return [abs(float(number or 0)) for number in sum_column(column, codes.astype(np.intp), count).listed()]
    weights = column.values if column.missing is None else np.where(column.missing, 0, column.values)
    sizes: list[float] = np.abs(np.bincount(codes, weights, count)).tolist()
    return sizes
