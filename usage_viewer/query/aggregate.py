"""`gather`: adds up rows that belong together, exactly, over small integers in numpy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.figures import INT64_MAX, NumberColumn

BLOCK = 1 << 18
"""Cells that are added up at a time where the rows are in the order of their periods: they stay in the cache."""

UNORDERED = 1 << 22
"""Up to so many cells it is quicker to take rows in any order than to sort them first."""

SPARSE = 16
"""From so many cells a row on, cells that occur are searched instead of kept all."""

ALL = slice(None)

EXACT = Context(prec=200)
"""Decimals are added without rounding: 38 digits each."""


@dataclass(frozen=True, slots=True)
class FactSums:
    """n rows: `period` and `cell` (a group or a combination), and the figures of each metric."""

    period: NDArray[np.int32]
    cell: NDArray[np.int32]
    metrics: Mapping[str, NumberColumn]

    def __len__(self) -> int:
        return len(self.period)

    def take(self, chosen: NDArray[Any]) -> "FactSums":
        return FactSums(
            self.period[chosen],
            self.cell[chosen],
            {name: figures.take(chosen) for name, figures in self.metrics.items()},
        )

    def relabelled(self, cell: NDArray[np.int32]) -> "FactSums":
        return FactSums(self.period, cell, self.metrics)

    def in_period_order(self) -> "FactSums":
        if _ordered(self.period):
            return self
        # Stable: runs of rows that were stored together are merged, not sorted.
        return self.take(np.argsort(self.period, kind="stable"))

    @property
    def nbytes(self) -> int:
        size = self.period.nbytes + self.cell.nbytes
        for figures in self.metrics.values():
            size += figures.values.nbytes * (10 if figures.values.dtype == np.object_ else 1)
            size += 0 if figures.missing is None else figures.missing.nbytes
        return size


def gather(rows: FactSums, periods: int, cells: int) -> FactSums:
    """One row for each period and cell that occurs, in their order: the sums of the rows that belong there.

    A figure is missing where it is missing in all of them.
    """
    if not len(rows):
        return rows
    total = periods * cells
    if total > SPARSE * len(rows) + UNORDERED:
        return _gather_sparse(rows, cells)
    if total <= BLOCK or (total <= UNORDERED and not _ordered(rows.period)):
        return _gather_dense(rows, 0, total, cells)
    return joined(list(_blocks(rows.in_period_order(), periods, cells)))


def joined(parts: list[FactSums]) -> FactSums:
    if len(parts) == 1:
        return parts[0]
    names = parts[0].metrics if parts else ()
    return FactSums(
        np.concatenate([part.period for part in parts]),
        np.concatenate([part.cell for part in parts]),
        {name: _end_to_end([part.metrics[name] for part in parts]) for name in names},
    )


def _end_to_end(parts: list[NumberColumn]) -> NumberColumn:
    values = np.concatenate([part.values for part in parts])
    if all(part.missing is None for part in parts):
        return NumberColumn(values)
    return NumberColumn(values, np.concatenate([missing_of(part) for part in parts]))


def missing_of(figures: NumberColumn) -> NDArray[np.bool_]:
    return np.zeros(len(figures), np.bool_) if figures.missing is None else figures.missing


def _ordered(period: NDArray[np.int32]) -> bool:
    return bool(np.all(period[1:] >= period[:-1]))


def _blocks(rows: FactSums, periods: int, cells: int) -> Iterator[FactSums]:
    step = max(1, BLOCK // cells)
    firsts = np.arange(0, periods + step, step)
    edges = np.searchsorted(rows.period, firsts).tolist()
    for block, first in enumerate(firsts[:-1].tolist()):
        low, high = edges[block], edges[block + 1]
        if high > low:
            yield _gather_dense(rows, first, step * cells, cells, slice(low, high))


def _gather_dense(rows: FactSums, first: int, size: int, cells: int, part: slice = ALL) -> FactSums:
    slot = rows.period[part].astype(np.intp)
    slot -= first
    slot *= cells
    slot += rows.cell[part]
    seen = np.zeros(size, np.bool_)
    seen[slot] = True
    found = np.flatnonzero(seen)
    kind = np.int32 if size <= 2**31 else np.int64
    period, cell = np.divmod(found.astype(kind), kind(cells))
    return FactSums(
        (period + kind(first)).astype(np.int32, copy=False),
        cell.astype(np.int32, copy=False),
        {name: sums_of(figures, slot, size, part).take(found) for name, figures in rows.metrics.items()},
    )


def _gather_sparse(rows: FactSums, cells: int) -> FactSums:
    key, slot = np.unique(rows.period.astype(np.int64) * cells + rows.cell, return_inverse=True)
    period, cell = np.divmod(key, cells)
    return FactSums(
        period.astype(np.int32),
        cell.astype(np.int32),
        {name: sums_of(figures, slot, len(key)) for name, figures in rows.metrics.items()},
    )


def sums_of(figures: NumberColumn, slot: NDArray[np.intp], size: int, part: slice = ALL) -> NumberColumn:
    """The sum of each of `size` slots, over a part of the figures; `slot`: of each in that part."""
    values = figures.values[part]
    missing = None
    if figures.missing is not None and (gone := figures.missing[part]).any():
        slot, values = slot[~gone], values[~gone]
        missing = np.ones(size, np.bool_)
        missing[slot] = False
    if values.dtype == np.object_:
        sums = np.zeros(size, np.object_)
        with localcontext(EXACT):
            np.add.at(sums, slot, values)
        return NumberColumn(sums, missing)
    return NumberColumn(_integer_sums(values, slot, size, figures.largest), missing)


def _integer_sums(values: NDArray[np.int64], slot: NDArray[np.intp], size: int, largest: int) -> NDArray[Any]:
    if largest * len(values) <= INT64_MAX:
        sums = np.zeros(size, np.int64)
        np.add.at(sums, slot, values)
        return sums
    # Halves are added apart, so that no sum of int64 can overflow.
    low, high = np.zeros(size, np.int64), np.zeros(size, np.int64)
    np.add.at(low, slot, values & 0xFFFFFFFF)
    np.add.at(high, slot, values >> 32)
    high += low >> 32
    low &= 0xFFFFFFFF
    if int(high.min(initial=0)) >= -(2**31) and int(high.max(initial=0)) < 2**31:
        return (high << 32) + low
    exact: NDArray[Any] = (high.astype(object) << 32) + low.astype(object)
    return exact


def plain(value: Decimal) -> Decimal:
    """Without trailing zeros, and without an exponent above zero. In the context EXACT."""
    short = value.normalize()
    exponent = short.as_tuple().exponent
    return short.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else short
