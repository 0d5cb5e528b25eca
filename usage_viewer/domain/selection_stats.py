"""Computes statistics of the selected rows' figures, exact at any size."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Dataset, Kind
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.figures import Number, NumberColumn
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.table import FigureColumn, Table

Range = tuple[int, int]
"""The first and the last of some adjacent rows as shown, both included."""


@dataclass(frozen=True, slots=True)
class SelectionStats:
    """Holds statistics of `rows` selected rows, of which `count` have the figure.

    A statistic that makes no sense is None, such as the sum of shares. `average` of a quotient is the quotient of
    the selected rows' sums, if the table has its parts.
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
    decimals: int = 0  # of the column, to which the average is rounded when shown


def selection_stats(
    table: Table, rows: RowOrder, ranges: Sequence[Range], column: ColumnKey | str | None, dataset: Dataset
) -> SelectionStats:
    """Return the statistics of a figure over ranges of the shown rows; of the first figure if `column` is none."""
    selected = sum(last - first + 1 for first, last in ranges)
    figure = None if column is None else table.find_figure(column)
    if figure is None:
        figure = next(iter(table.figures), None)
    if figure is None or not selected:
        return SelectionStats(rows=selected)
    picked = None if selected == table.rows else picked_rows(rows, ranges)
    figures = _take(figure.figures, picked)
    present = figures.present()
    if not len(present):
        return SelectionStats(selected, figure.label, kind=figure.kind, unit=figure.unit)
    if _has_many_units(table, figure, picked):
        return SelectionStats(selected, figure.label, len(present), kind=figure.kind, unit=figure.unit)
    total: Number | None = None
    average: Number | None
    if figure.kind.is_quotient:
        average = _quotient_of_sums(table, picked, figure, dataset)
    else:
        total = figures.total()
        average = _average(total, len(present), figure.kind)
        if _is_level(figure, dataset) and _has_many_periods(table, picked):
            total = None
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
        _decimals(figure, figures),
    )


def picked_rows(rows: RowOrder, ranges: Sequence[Range]) -> NDArray[np.int64]:
    """Return the table's rows in ranges of the shown ones."""
    parts = [rows[first : last + 1] for first, last in ranges]
    return parts[0] if len(parts) == 1 else np.concatenate([rows[:0], *parts])


def _take(figures: NumberColumn, picked: NDArray[np.int64] | None) -> NumberColumn:
    return figures if picked is None else figures.take(picked)


def _decimals(column: FigureColumn, figures: NumberColumn) -> int:
    """Return the decimals of a column as shown: those of its unit for money, else those of the exact sum."""
    if column.shown is not None:
        return column.shown.decimals
    total = figures.total() if column.kind is Kind.DECIMAL else 0
    return max(0, -int(total.as_tuple().exponent)) if isinstance(total, Decimal) else 0


def _average(total: Number | None, count: int, kind: Kind) -> Number | None:
    if total is None or isinstance(total, float):
        return None if total is None else total / count
    if kind is Kind.COUNT and total % count == 0:
        return total // count
    with localcontext(prec=40):
        return Decimal(total) / count


def _quotient_of_sums(
    table: Table, picked: NDArray[np.int64] | None, figure: FigureColumn, dataset: Dataset
) -> Number | None:
    """Return the quotient of the selected rows' sums; None if the table lacks a part."""
    if figure.kind is Kind.PRICE and figure.total is None and not figure.unit_from:
        return None  # the price of a part of the rows is not known
    if not dataset.has_column(figure.name) or dataset.column(figure.name).statistic is not None:
        return None
    item = dataset.column(figure.name)
    parts = {name: table.find_figure(figure.key.with_name(name)) for name in item.needs()}
    sums = {name: _take(part.figures, picked).total() for name, part in parts.items() if part is not None}
    return item.compute_one(sums) if len(sums) == len(parts) else None


def _is_level(figure: FigureColumn, dataset: Dataset) -> bool:
    return dataset.has_column(figure.name) and not dataset.column(figure.name).sums_over_time


def _has_many_periods(table: Table, picked: NDArray[np.int64] | None) -> bool:
    if table.period is None:
        return False
    index = table.period.index if picked is None else table.period.index[picked]
    return bool(len(index)) and bool((index != index[0]).any())


def _has_many_units(table: Table, figure: FigureColumn, picked: NDArray[np.int64] | None) -> bool:
    """Report whether the selected figures have different units: they neither add up nor compare."""
    units = next((group for group in table.groups if group.name == figure.unit_from), None)
    if units is None:
        return False
    codes = units.codes if picked is None else units.codes_at(picked)
    if figure.figures.missing is not None:
        codes = codes[~(figure.figures.missing if picked is None else figure.figures.missing[picked])]
    return len(np.unique(codes)) > 1


def _plain(value: object) -> Number:
    number: Number = value.item() if isinstance(value, np.generic) else value  # type: ignore[assignment]
    return number
