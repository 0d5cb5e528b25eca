"""Defines `NumberColumn`, a column of numbers with missing ones, and the arithmetic of computed figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Number = int | float | Decimal
INT64_MAX = 2**63 - 1

EXACT: Final = Context(prec=200)
"""Decimal arithmetic without rounding: figures have up to 38 digits."""

Sums = Mapping[str, "NumberColumn"]
"""The sums of each row by metric; a figure over time stands under its own name."""


@dataclass(frozen=True)
class NumberColumn:
    """Holds n numbers: counts, decimals or quotients.

    `values` (n,): int64 for counts (object of int where a sum exceeds int64), object of Decimal for decimals,
    float64 for quotients. `missing` (n,) marks the values without a meaning; None: all are present.
    """

    values: NDArray[Any]
    missing: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def at(self, row: int) -> Number | None:
        """Return the number of one row as a plain Python object, None where missing."""
        if self.missing is not None and self.missing[row]:
            return None
        value = self.values[row]
        number: Number = value.item() if isinstance(value, np.generic) else value
        return number

    def take(self, rows: NDArray[np.int64] | slice) -> "NumberColumn":
        """Return the numbers of some rows, in their order."""
        return NumberColumn(self.values[rows], None if self.missing is None else self.missing[rows])

    def listed(self) -> list[Number | None]:
        """Return the numbers as plain Python objects, None where missing."""
        listed: list[Number | None] = self.values.tolist()
        if self.missing is not None:
            for index in np.flatnonzero(self.missing).tolist():
                listed[index] = None
        return listed

    @cached_property
    def largest(self) -> int:
        """The largest magnitude of whole numbers; values that are missing may count."""
        return max(int(self.values.max(initial=0)), -int(self.values.min(initial=0)))

    def present(self) -> NDArray[Any]:
        """Return the values that are not missing."""
        return self.values if self.missing is None else self.values[~self.missing]

    def total(self) -> Number | None:
        """Return the exact sum of the present values; None if all are missing."""
        present = self.present()
        if not len(present):
            return None
        if present.dtype == np.int64:
            if self.largest * len(present) <= INT64_MAX:
                return int(present.sum())
            # The halves are summed separately, so that no sum of int64 can overflow.
            low = int(np.sum(present & 0xFFFFFFFF))
            return (int(np.sum(present >> 32)) << 32) + low
        if present.dtype == np.float64:
            return float(present.sum())
        exact: Number = sum(present.tolist())
        return exact


class LazyColumn(NumberColumn):
    """Computes its numbers from the rows' sums on access: a screenful of a million rows costs a screenful."""

    def __init__(self, compute: Callable[[Sums], NumberColumn], sums: Sums) -> None:
        """`compute` works row by row; `sums` holds at least one column."""
        object.__setattr__(self, "_compute", compute)
        object.__setattr__(self, "_sums", sums)

    _compute: Callable[[Sums], NumberColumn]
    _sums: Sums

    @cached_property
    def _all(self) -> NumberColumn:
        return self._compute(self._sums)

    @property
    def values(self) -> NDArray[Any]:
        """The numbers of all rows (n,), computed on first access."""
        return self._all.values

    @property
    def missing(self) -> NDArray[np.bool_] | None:
        """The mask of missing numbers, computed on first access."""
        return self._all.missing

    def __len__(self) -> int:
        return len(next(iter(self._sums.values())))

    def at(self, row: int) -> Number | None:
        """Return the number of one row."""
        return self.take(np.array([row])).at(0)

    def take(self, rows: NDArray[np.int64] | slice) -> NumberColumn:
        """Return the numbers of some rows, computed for these only."""
        return self._compute({name: column.take(rows) for name, column in self._sums.items()})


def add(parts: Sequence[NumberColumn]) -> NumberColumn:
    """Return the exact sum of the parts, row by row; missing where a part is missing."""
    if len(parts) == 1:
        return parts[0]
    values = [part.values for part in parts]
    bound = sum(int(value.max(initial=0)) for value in values if value.dtype == np.int64)
    if bound > INT64_MAX:
        values = [value.astype(object) for value in values]
    missing = [part.missing for part in parts if part.missing is not None]
    total = values[0]
    for value in values[1:]:
        total = total + value
    return NumberColumn(total, np.logical_or.reduce(missing) if missing else None)


def divide(numerator: NumberColumn, denominator: NumberColumn) -> NumberColumn:
    """Return the quotient row by row; missing where a part is missing or the denominator is 0."""
    divisor = denominator.values.astype(np.float64)
    defined = divisor != 0
    for part in (numerator, denominator):
        if part.missing is not None:
            defined &= ~part.missing
    quotient = np.zeros(len(divisor))
    np.divide(numerator.values.astype(np.float64), divisor, out=quotient, where=defined)
    return NumberColumn(quotient, None if defined.all() else ~defined)
