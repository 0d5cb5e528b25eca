"""Count, sum, average, least and greatest of the selected rows' figures, exact at any size."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Aggregation, Dataset, Derived, Figure, Kind, Metric
from usage_viewer.domain.figures import Number, NumberColumn, derive_one, is_quotient, parts_of
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.table import FigureColumn, GroupColumn, PeriodColumn, Table

Range = tuple[int, int]
"""First and last shown row, both included."""


@dataclass(frozen=True, slots=True)
class SelectionStats:
    """Of `rows` selected rows, `count` have the figure. None where there is no such thing, such as a sum of shares.

    `average` of a derived figure is the one of all selected rows together, where its parts are in the table.
    """

    rows: int = 0
    column_label: str = ""
    count: int = 0
    total: Number | None = None
    average: Number | None = None
    minimum: Number | None = None
    maximum: Number | None = None
    kind: Kind = Kind.COUNT
    unit: str = ""


def selection_stats(
    table: Table, rows: RowOrder, ranges: Sequence[Range], column: str, dataset: Dataset
) -> SelectionStats:
    """Statistics of a figure `column` (else of the first figure) over `ranges` of the shown rows."""
    selected = sum(last - first + 1 for first, last in ranges)
    figure = table.by_name.get(column)
    if not isinstance(figure, FigureColumn):
        figure = next(iter(table.figures), None)
    if figure is None or not selected:
        return SelectionStats(rows=selected)
    picked = None if selected == table.rows else picked_rows(rows, ranges)
    figures = _taken(figure.figures, picked)
    present = figures.present()
    if not len(present):
        return SelectionStats(selected, figure.label, kind=figure.kind, unit=figure.unit)
    item = dataset.column(figure.name) if dataset.has_column(figure.name) else None
    total: Number | None = None
    average: Number | None
    if _many_units(table, figure, picked):
        return SelectionStats(selected, figure.label, len(present), kind=figure.kind, unit=figure.unit)
    if is_quotient(figure.kind):
        average = _together(table, picked, item)
    else:
        total = figures.total()
        average = _average(total, len(present), figure.kind)
        if isinstance(item, Metric) and item.aggregation is Aggregation.LEVEL and _many_periods(table, picked):
            total = None  # a level doesn't add up over time
    return SelectionStats(
        selected,
        figure.label,
        len(present),
        total,
        average,
        _plain(present.min()),
        _plain(present.max()),
        figure.kind,
        figure.unit,
    )


def picked_rows(rows: RowOrder, ranges: Sequence[Range]) -> NDArray[np.int64]:
    """The table's rows that stand in `ranges` of the shown ones."""
    parts = [rows[first : last + 1] for first, last in ranges]
    return parts[0] if len(parts) == 1 else np.concatenate([rows[:0], *parts])


def _taken(figures: NumberColumn, picked: NDArray[np.int64] | None) -> NumberColumn:
    return figures if picked is None else figures.take(picked)


def _average(total: Number | None, count: int, kind: Kind) -> Number | None:
    if total is None or isinstance(total, float):
        return None if total is None else total / count
    if kind is Kind.COUNT and total % count == 0:
        return total // count
    with localcontext(prec=40):
        return Decimal(total) / count


def _together(table: Table, picked: NDArray[np.int64] | None, item: Figure | None) -> Number | None:
    """The derived figure of the selected rows' sums; None where a part isn't among the columns."""
    if not isinstance(item, Derived):
        return None
    sums: dict[str, Number | None] = {}
    for name in parts_of(item):
        part = table.by_name.get(name)
        if not isinstance(part, FigureColumn):
            return None
        sums[name] = _taken(part.figures, picked).total()
    return derive_one(item, sums)


def _many_periods(table: Table, picked: NDArray[np.int64] | None) -> bool:
    for column in table.heads:
        if isinstance(column, PeriodColumn):
            index = column.index if picked is None else column.index[picked]
            return bool(len(index)) and bool((index != index[0]).any())
    return False


def _many_units(table: Table, figure: FigureColumn, picked: NDArray[np.int64] | None) -> bool:
    """Whether the selected figures are in different units: they neither add up nor compare."""
    units = table.by_name.get(figure.unit_from)
    if not isinstance(units, GroupColumn):
        return False
    codes = units.codes if picked is None else units.codes_at(picked)
    if figure.figures.missing is not None:
        codes = codes[~(figure.figures.missing if picked is None else figure.figures.missing[picked])]
    return len(np.unique(codes)) > 1


def _plain(value: object) -> Number:
    number: Number = value.item() if isinstance(value, np.generic) else value  # type: ignore[assignment]
    return number
