"""Joins the tables of two periods: figures side by side, their changes, and rows that only one of them has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Kind
from usage_viewer.domain.column_key import ChangeKind, ColumnKey
from usage_viewer.domain.figures import EXACT, INT64_MAX, Number, NumberColumn
from usage_viewer.domain.row_change_column import BOTH, GONE, NEW, RowChangeColumn
from usage_viewer.domain.shown_amounts import RowIdentity
from usage_viewer.domain.table import FigureColumn, GroupColumn, HeadColumn, PeriodColumn, Table
from usage_viewer.query.aggregate import missing_mask, normalize_decimal

_DENSEST = 4
"""Possible combinations of heads for each row up to which no row has to be sorted."""
DIFFERENT_ROWS = "The two periods can't be compared: they have different columns."
DIFFERENT_UNITS = "{} can't be compared: the two periods have different units."


@dataclass(frozen=True)
class JoinedTable:
    """Holds a joined table and sentences about what could not be compared."""

    table: Table
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Join:
    """Says which rows of two tables belong together; the joined rows are those of the first, then the gone ones.

    `partner` (n,) is the row of the second table for each row of the first one, -1 for none. `gone` (m,) are the
    rows of the second table that the first one lacks.
    """

    partner: NDArray[np.int64]
    gone: NDArray[np.int64]

    @property
    def rows(self) -> int:
        return len(self.partner) + len(self.gone)

    @property
    def source(self) -> NDArray[np.int64]:
        """The row of the second table for each joined row (n + m,), -1 for none."""
        return np.concatenate([self.partner, self.gone])


def compare_tables(
    table: Table, other: Table, counterpart: NDArray[np.int64], units: Mapping[str, str]
) -> JoinedTable:
    """Return `table` with the figures of `other`, the table of an earlier period, and the changes since.

    `counterpart` is the period of `table` for each period of `other`. Rows belong together if they have the same
    period and values. A figure of counts or decimals that only one table has counts as 0 in a change, so that the
    changes of all rows add up to the change of the totals, as far as the figures do. Other figures have no change
    there. `units` has the dimension with the unit of those figures that have one: if the tables differ in a unit,
    it must be a part of the groups.
    """
    if [head.key for head in table.heads] != [head.key for head in other.heads]:
        return JoinedTable(table, (DIFFERENT_ROWS,))
    pairs = [_joint_codes(*heads, counterpart) for heads in zip(table.heads, other.heads, strict=True)]
    join = _join(table.rows, other.rows, pairs)
    heads = [_joined_head(*item, join) for item in zip(table.heads, other.heads, pairs, strict=True)]
    identity, columns, notes = RowIdentity(heads), list[FigureColumn](), list[str]()
    for column in table.figures:
        before = other.find_figure(column.key)
        shown = replace(column, figures=_with_gone(column.figures, len(join.gone)), identity=identity)
        if column.origin is not None:
            shown = replace(shown, origin=column.origin.followed_by(len(column.figures), len(join.gone)))
        unit = units.get(column.name, "")
        is_mixed = before is not None and _differ_in_unit(column, before)
        if is_mixed and any(head.name == unit for head in heads):
            label = column.label.removesuffix(f" ({column.measure})")
            shown, is_mixed = replace(shown, label=label, measure="", unit_from=unit, total=None), False
        columns.append(shown)
        if is_mixed:
            notes.append(DIFFERENT_UNITS.format(column.label))
        elif before is not None:
            columns += _compared_columns(shown, before, join)
    marks = [RowChangeColumn(_marks(join))] if heads else []
    return JoinedTable(Table((*heads, *marks, *columns), join.rows), tuple(notes))


def _differ_in_unit(column: FigureColumn, before: FigureColumn) -> bool:
    measures = {item.measure for item in (column, before) if item.measure}
    return bool(column.unit_from or before.unit_from) or len(measures) > 1


@dataclass(frozen=True)
class _JointCodes:
    """Holds the codes of two head columns into common values: of the first table (n,) and of the second one."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    values: tuple[str | None, ...] = ()
    labels: tuple[str, ...] = ()


def _joint_codes(head: HeadColumn, other: HeadColumn, counterpart: NDArray[np.int64]) -> _JointCodes:
    first = head.codes.astype(np.int64)
    if isinstance(head, PeriodColumn):
        return _JointCodes(first, counterpart[other.codes])
    assert isinstance(head, GroupColumn)
    assert isinstance(other, GroupColumn)
    places = {value: place for place, value in enumerate(head.values)}
    labels = list(head.labels)
    codes = []
    for value, label in zip(other.values, other.labels, strict=True):
        if value not in places:
            places[value] = len(places)
            labels.append(label)
        codes.append(places[value])
    second = np.array(codes, np.int64)[other.codes] if codes else np.zeros(0, np.int64)
    return _JointCodes(first, second, tuple(places), tuple(labels))


def _join(rows: int, other_rows: int, pairs: Sequence[_JointCodes]) -> _Join:
    keys, size = _keys(rows + other_rows, pairs)
    place = np.full(size, -1, np.int64)
    place[keys[rows:]] = np.arange(other_rows)
    partner = place[keys[:rows]]
    is_partner = np.zeros(other_rows, np.bool_)
    is_partner[partner[partner >= 0]] = True
    return _Join(partner, np.flatnonzero(~is_partner))


def _keys(rows: int, pairs: Sequence[_JointCodes]) -> tuple[NDArray[np.int64], int]:
    """Return a number for each row of both tables, equal for equal heads (n,), and one more than the largest.

    Codes are multiplied as long as a table of all products is not much larger than the rows; else the products
    that occur are numbered, for which they are sorted.
    """
    keys, size = np.zeros(rows, np.int64), 1
    for pair in pairs:
        both = np.concatenate([pair.first, pair.second])
        count = int(both.max(initial=0)) + 1
        keys, size = keys * count + both, size * count
        if size > _DENSEST * rows + _DENSEST:
            values, keys = np.unique(keys, return_inverse=True)
            size = max(len(values), 1)
    return keys, size


def _joined_head(head: HeadColumn, other: HeadColumn, codes: _JointCodes, join: _Join) -> HeadColumn:
    joined = np.concatenate([codes.first, codes.second[join.gone]]).astype(np.int32)
    if isinstance(head, PeriodColumn):
        return replace(head, index=joined)
    assert isinstance(head, GroupColumn)
    return GroupColumn(head.dimension, joined, codes.values, codes.labels)


def _marks(join: _Join) -> NDArray[np.int32]:
    marks = np.full(join.rows, GONE, np.int32)
    marks[: len(join.partner)] = np.where(join.partner >= 0, BOTH, NEW)
    return marks


def _with_gone(figures: NumberColumn, gone: int) -> NumberColumn:
    """Return the figures with a missing one for each row that the table lacks."""
    if not gone:
        return figures
    values = np.concatenate([figures.values, np.zeros(gone, figures.values.dtype)])
    return NumberColumn(values, np.concatenate([missing_mask(figures), np.ones(gone, np.bool_)]))


def _compared_columns(column: FigureColumn, before: FigureColumn, join: _Join) -> list[FigureColumn]:
    source = join.source
    figures = _at(before.figures, source)
    with localcontext(EXACT):
        adds_up = not column.kind.is_quotient and column.figures.values.dtype != np.float64
        change = _subtract(column.figures, figures, adds_up=adds_up)
        total = _subtract_one(column.total, before.total, adds_up=adds_up)
    label, measure, unit_from = column.label, "" if column.unit_from else column.measure or before.measure, ""
    if column.unit_from:  # amounts in different units have no total
        unit_from, total = column.unit_from, None
        before = replace(before, measure="", unit_from=unit_from, total=None)
    old = replace(
        before,
        key=ColumnKey(column.name, compared=True),
        label=f"{label}, before",
        help="The same figure in the compared period.",
        figures=figures,
        identity=column.identity,
        origin=None if before.origin is None else before.origin.at(source),
    )
    changed = replace(
        column,
        key=ColumnKey(column.name, change=ChangeKind.AMOUNT),
        label=f"{label}, change",
        help="The figure minus the same figure in the compared period.",
        figures=change,
        total=total,
        measure=measure,
        unit_from=unit_from,
        origin=None if column.origin is None else column.origin.joined(old.origin).limited_to(change),
    )
    if column.kind.is_quotient:
        return [old, changed]
    share = replace(
        column,
        key=ColumnKey(column.name, change=ChangeKind.SHARE),
        label=f"{label}, change %",
        kind=Kind.SHARE,
        unit="",
        help="The change as a share of the figure in the compared period; none if that is 0.",
        figures=_share(change, figures),
        total=_share_one(total, before.total),
        measure="",
        origin=None,
    )
    return [old, changed, share]


def _at(figures: NumberColumn, source: NDArray[np.int64]) -> NumberColumn:
    """Return the figures of some rows; missing where `source` is -1."""
    absent = source < 0
    if not len(figures):
        return NumberColumn(np.zeros(len(source), figures.values.dtype), absent)
    taken = figures.take(np.where(absent, 0, source))
    return NumberColumn(taken.values, missing_mask(taken) | absent)


def _subtract(after: NumberColumn, before: NumberColumn, *, adds_up: bool) -> NumberColumn:
    """Return the differences. What is missing is 0 beside a number if the figures add up, else there is none."""
    gone, new = missing_mask(after), missing_mask(before)
    values = [_filled(after, gone), _filled(before, new)]
    if any(value.dtype == np.object_ for value in values) or after.largest + before.largest > INT64_MAX:
        values = [value.astype(object) for value in values]
    difference = values[0] - values[1]
    if difference.dtype == np.object_:
        exact = np.empty(len(difference), np.object_)
        exact[:] = [normalize_decimal(item) if isinstance(item, Decimal) else item for item in difference.tolist()]
        difference = exact
    return NumberColumn(difference, gone & new if adds_up else gone | new)


def _filled(figures: NumberColumn, missing: NDArray[np.bool_]) -> NDArray[Any]:
    values = figures.values
    return np.where(missing, 0 if values.dtype == np.object_ else values.dtype.type(0), values)


def _subtract_one(after: Number | None, before: Number | None, *, adds_up: bool) -> Number | None:
    if (after is None and before is None) or (not adds_up and (after is None or before is None)):
        return None
    if isinstance(after, float) or isinstance(before, float):
        return float(after or 0) - float(before or 0)
    if isinstance(after, Decimal) or isinstance(before, Decimal):
        return normalize_decimal(Decimal(after or 0) - Decimal(before or 0))
    return (after or 0) - (before or 0)


def _share(change: NumberColumn, before: NumberColumn) -> NumberColumn:
    base = np.abs(before.values.astype(np.float64))
    defined = (base > 0) & ~missing_mask(change) & ~missing_mask(before)
    share = np.zeros(len(base))
    np.divide(change.values.astype(np.float64), base, out=share, where=defined)
    return NumberColumn(share, ~defined)


def _share_one(change: Number | None, before: Number | None) -> float | None:
    return None if change is None or not before else float(change) / abs(float(before))
