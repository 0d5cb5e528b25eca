"""Defines `SparseColumn`, a column of numbers of which most may be missing, such as one of a pivot."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.figures import Number, NumberColumn


class SparseColumn(NumberColumn):
    """Holds n numbers, of which only some rows have one.

    The row `rows[i]` (ascending) has the number `places[i]` of `source`; every other row has none. So many columns
    share the memory of one, and a screenful of a million rows costs a screenful.
    """

    def __init__(self, size: int, rows: NDArray[np.int64], source: NumberColumn, places: NDArray[np.int64]) -> None:
        """`size` is n; `rows` and `places` are (m,)."""
        object.__setattr__(self, "_size", size)
        object.__setattr__(self, "_rows", rows)
        object.__setattr__(self, "_source", source)
        object.__setattr__(self, "_places", places)

    _size: int
    _rows: NDArray[np.int64]
    _source: NumberColumn
    _places: NDArray[np.int64]

    def __len__(self) -> int:
        return self._size

    @cached_property
    def given(self) -> NumberColumn:
        """The numbers of the rows that have one (m,)."""
        return self._source.take(self._places)

    @property
    def values(self) -> NDArray[Any]:
        """The numbers of all rows (n,), 0 where missing; not kept."""
        values = np.zeros(self._size, self.given.values.dtype)
        values[self._rows] = self.given.values
        return values

    @property
    def missing(self) -> NDArray[np.bool_]:
        """The mask of missing numbers (n,); not kept."""
        missing = np.ones(self._size, np.bool_)
        missing[self._rows] = False if self.given.missing is None else self.given.missing
        return missing

    @cached_property
    def largest(self) -> int:
        """The largest magnitude of whole numbers."""
        return self.given.largest

    def present(self) -> NDArray[Any]:
        """Return the values that are not missing."""
        return self.given.present()

    def at(self, row: int) -> Number | None:
        """Return the number of one row, None where missing."""
        place = int(np.searchsorted(self._rows, row))
        has_number = place < len(self._rows) and self._rows[place] == row
        return self._source.at(int(self._places[place])) if has_number else None

    def take(self, rows: NDArray[np.int64] | slice) -> NumberColumn:
        """Return the numbers of some rows, in their order."""
        if isinstance(rows, slice) or rows.dtype == np.bool_:
            rows = np.arange(self._size)[rows]
        place = np.searchsorted(self._rows, rows)
        place[place == len(self._rows)] = 0
        has_number = self._rows[place] == rows if len(self._rows) else np.zeros(len(rows), np.bool_)
        taken = self._source.take(self._places[place[has_number]])
        values = np.zeros(len(rows), taken.values.dtype)
        values[has_number] = taken.values
        missing = ~has_number
        if taken.missing is not None:
            missing[has_number] = taken.missing
        return NumberColumn(values, missing)
