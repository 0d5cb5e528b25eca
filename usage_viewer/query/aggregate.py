"""Adds up fact rows that share a period and a cell: exact sums over small integers, in numpy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.figures import EXACT, INT64_MAX, NumberColumn

BLOCK_CELLS = 1 << 18
"""Sums kept at a time when the rows are in the order of their periods: so many fit the processor's cache."""

UNORDERED_CELLS = 1 << 22
"""Up to this many sums, adding rows in any order is faster than sorting them first."""

SPARSE_RATIO = 16
"""With more possible sums than this for each row, only those that occur are kept."""

EVERYTHING = slice(None)


@dataclass(frozen=True, slots=True)
class FactRows:
    """n rows of figures, each of one period and one cell.

    `period` (n,) counts a view's periods; `cell` (n,) is the id of a combination of dimension values, or the number
    of a group. `metrics` has a column of n figures for each metric.
    """

    period: NDArray[np.int32]
    cell: NDArray[np.int32]
    metrics: Mapping[str, NumberColumn]

    def __len__(self) -> int:
        return len(self.period)

    def take(self, chosen: NDArray[Any]) -> "FactRows":
        """Return the rows at these positions, or those whose flag is set."""
        return FactRows(
            self.period[chosen],
            self.cell[chosen],
            {name: column.take(chosen) for name, column in self.metrics.items()},
        )

    def with_cells(self, cell: NDArray[np.int32]) -> "FactRows":
        """Return the same rows with other cells, (n,)."""
        return FactRows(self.period, cell, self.metrics)

    def in_period_order(self) -> "FactRows":
        """Return the rows sorted by period; rows of one period keep their order."""
        if _is_ordered(self.period):
            return self
        # A stable sort merges runs of rows that are in order already.
        return self.take(np.argsort(self.period, kind="stable"))

    @property
    def nbytes(self) -> int:
        """Approximate memory in bytes. A Python number counts as ten references."""
        size = self.period.nbytes + self.cell.nbytes
        for column in self.metrics.values():
            size += column.values.nbytes * (10 if column.values.dtype == np.object_ else 1)
            size += 0 if column.missing is None else column.missing.nbytes
        return size


def aggregate(rows: FactRows, periods: int, cells: int) -> FactRows:
    """Return one row for each period and cell that occurs, in their order, with the exact sums of its rows.

    `periods` and `cells` are how many of each there are. A sum is missing where all of its figures are.
    """
    if not len(rows):
        return rows
    total = periods * cells
    if total > SPARSE_RATIO * len(rows) + UNORDERED_CELLS:
        return _aggregate_sparse(rows, cells)
    if total <= BLOCK_CELLS or (total <= UNORDERED_CELLS and not _is_ordered(rows.period)):
        return _aggregate_dense(rows, 0, total, cells)
    return concat_rows(list(_aggregate_blocks(rows.in_period_order(), periods, cells)))


def concat_rows(parts: list[FactRows]) -> FactRows:
    """Return the rows of all `parts`, one part after another. There is at least one; all have the same metrics."""
    if len(parts) == 1:
        return parts[0]
    return FactRows(
        np.concatenate([part.period for part in parts]),
        np.concatenate([part.cell for part in parts]),
        {name: _concat_columns([part.metrics[name] for part in parts]) for name in parts[0].metrics},
    )


def _concat_columns(parts: list[NumberColumn]) -> NumberColumn:
    values = np.concatenate([part.values for part in parts])
    if all(part.missing is None for part in parts):
        return NumberColumn(values)
    return NumberColumn(values, np.concatenate([missing_mask(part) for part in parts]))


def missing_mask(column: NumberColumn) -> NDArray[np.bool_]:
    """Return a flag for each of n figures, (n,): whether it is missing."""
    return np.zeros(len(column), np.bool_) if column.missing is None else column.missing


def _is_ordered(period: NDArray[np.int32]) -> bool:
    return bool(np.all(period[1:] >= period[:-1]))


def _aggregate_blocks(rows: FactRows, periods: int, cells: int) -> Iterator[FactRows]:
    step = max(1, BLOCK_CELLS // cells)
    first_periods = np.arange(0, periods + step, step)
    edges = np.searchsorted(rows.period, first_periods).tolist()
    for block, first in enumerate(first_periods[:-1].tolist()):
        low, high = edges[block], edges[block + 1]
        if high > low:
            yield _aggregate_dense(rows, first, step * cells, cells, slice(low, high))


def _aggregate_dense(
    rows: FactRows, first_period: int, size: int, cells: int, part: slice = EVERYTHING
) -> FactRows:
    slot = rows.period[part].astype(np.intp)
    slot -= first_period
    slot *= cells
    slot += rows.cell[part]
    occurs = np.zeros(size, np.bool_)
    occurs[slot] = True
    occurring = np.flatnonzero(occurs)
    kind = np.int32 if size <= 2**31 else np.int64
    period, cell = np.divmod(occurring.astype(kind), kind(cells))
    return FactRows(
        (period + kind(first_period)).astype(np.int32, copy=False),
        cell.astype(np.int32, copy=False),
        {name: sum_column(column, slot, size, part).take(occurring) for name, column in rows.metrics.items()},
    )


def _aggregate_sparse(rows: FactRows, cells: int) -> FactRows:
    key, slot = np.unique(rows.period.astype(np.int64) * cells + rows.cell, return_inverse=True)
    period, cell = np.divmod(key, cells)
    return FactRows(
        period.astype(np.int32),
        cell.astype(np.int32),
        {name: sum_column(column, slot, len(key)) for name, column in rows.metrics.items()},
    )


def sum_column(column: NumberColumn, slot: NDArray[np.intp], size: int, part: slice = EVERYTHING) -> NumberColumn:
    """Return the exact sums of `size` slots over a part of the figures, (size,).

    `slot` has a number below `size` for each figure of that part.
    """
    values = column.values[part]
    missing = None
    if column.missing is not None and (absent := column.missing[part]).any():
        slot, values = slot[~absent], values[~absent]
        missing = np.ones(size, np.bool_)
        missing[slot] = False
    if values.dtype == np.object_:
        sums = np.zeros(size, np.object_)
        with localcontext(EXACT):
            np.add.at(sums, slot, values)
        return NumberColumn(sums, missing)
    return NumberColumn(_sum_integers(values, slot, size, column.largest), missing)


def _sum_integers(values: NDArray[np.int64], slot: NDArray[np.intp], size: int, largest: int) -> NDArray[Any]:
    if largest * len(values) <= INT64_MAX:
        sums = np.zeros(size, np.int64)
        np.add.at(sums, slot, values)
        return sums
    # The upper and lower 32 bits are summed separately, so that no int64 sum can overflow.
    low, high = np.zeros(size, np.int64), np.zeros(size, np.int64)
    np.add.at(low, slot, values & 0xFFFFFFFF)
    np.add.at(high, slot, values >> 32)
    high += low >> 32
    low &= 0xFFFFFFFF
    if int(high.min(initial=0)) >= -(2**31) and int(high.max(initial=0)) < 2**31:
        return (high << 32) + low
    exact: NDArray[Any] = (high.astype(object) << 32) + low.astype(object)
    return exact


def normalize_decimal(value: Decimal) -> Decimal:
    """Return the number without trailing zeros and without a positive exponent. Call within the context EXACT."""
    short = value.normalize()
    exponent = short.as_tuple().exponent
    return short.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else short
