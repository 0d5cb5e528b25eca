"""Finds the days on which a group used or cost more than on the same weekday of the weeks before."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.figures import EXACT, Number
from usage_viewer.domain.table import FigureColumn, Table
from usage_viewer.domain.view_parts import Value
from usage_viewer.query.aggregate import missing_mask, normalize_decimal

MOST_LISTED = 10
WEEKS = 8
"""Weeks before a day whose same weekdays say what was to be expected."""
FEWEST_WEEKS = 4
"""A day with fewer earlier weekdays is not judged."""
_CANDIDATES = 4 * MOST_LISTED
"""Cells that are ranked exactly, after all cells were ranked by floating-point numbers."""


@dataclass(frozen=True, slots=True)
class UnusualDay:
    """Describes one day of one group: the figure, the expected one and how it was expected.

    `day` is the start of the day (epoch seconds). `groups` are the dimensions of the grouping with the value and
    the label. `expected` is the median of the same weekday in `weeks` earlier weeks, the highest of which was
    `highest`.
    """

    day: int
    groups: tuple[tuple[str, Value, str], ...]
    actual: Number
    expected: Number
    weeks: int
    highest: Number

    @property
    def above(self) -> Number:
        """The figure minus the expected one."""
        return _subtract(self.actual, self.expected)


@dataclass(frozen=True, slots=True)
class UnusualDays:
    """Holds the unusual days, the furthest above the expectation first, and how many days could not be judged."""

    listed: tuple[UnusualDay, ...]
    judged: int = 0
    not_judged: int = 0


def find_unusual_days(table: Table, column: FigureColumn, loaded: NDArray[np.bool_], first: int) -> UnusualDays:
    """Return the days from the period `first` on whose figures are the furthest above the expectation.

    `table` has one row for each day and group; `column` is its figure, which adds up over time. `loaded` (days,)
    marks the days of which everything is known and that have ended; others are neither judged nor compared with.
    The expectation is the median of the same weekday in the eight weeks before; a group without a row used
    nothing. A day counts if it is above all but one of the earlier weekdays, and so above their median: one earlier
    outlier hides no later one.
    """
    assert table.period is not None, "the table has one row for each day"
    days = len(loaded)
    weeks_of = _weeks_before(loaded)
    judged = loaded & (weeks_of.sum(axis=0) >= FEWEST_WEEKS)
    judged[:first] = False
    wanted = loaded.copy()
    wanted[:first] = False
    count, refused = int(judged.sum()), int(wanted.sum() - judged.sum())
    rows = np.flatnonzero(judged[table.period.index] & ~missing_mask(column.figures))
    if not len(rows):
        return UnusualDays((), count, refused)
    cells = _Cells(table, column, days)
    approximate = cells.excess(rows, weeks_of)
    best = rows[np.argsort(-approximate, kind="stable")[:_CANDIDATES]]
    with localcontext(EXACT):
        found = [day for row in best.tolist() if (day := cells.exact(row, weeks_of)) is not None]
    found.sort(key=lambda item: (-item.above, item.day, [str(value) for _, value, _ in item.groups]))
    return UnusualDays(tuple(found[:MOST_LISTED]), count, refused)


def _weeks_before(loaded: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return whether the same weekday of each of the weeks before is loaded (weeks, days)."""
    weeks = np.zeros((WEEKS, len(loaded)), np.bool_)
    for week in range(1, WEEKS + 1):
        weeks[week - 1, 7 * week :] = loaded[: -7 * week] if 7 * week < len(loaded) else False
    return weeks


class _Cells:
    """Finds the figure of a group on any day: the cells are sorted by group and day."""

    def __init__(self, table: Table, column: FigureColumn, days: int) -> None:
        assert table.period is not None
        self._table, self._column, self._days = table, column, days
        group = np.zeros(table.rows, np.int64)
        for head in table.groups:
            _, group = np.unique(group * (len(head.values) + 1) + head.codes, return_inverse=True)
        self._cell = group * days + table.period.index
        self._order = np.argsort(self._cell, kind="stable")
        self._sorted = self._cell[self._order]
        missing = missing_mask(column.figures)
        self._floats = np.where(missing, 0, column.figures.values).astype(np.float64)

    def _rows_at(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each cell, -1 for none."""
        place = np.minimum(np.searchsorted(self._sorted, cells), len(self._sorted) - 1)
        return np.where(self._sorted[place] == cells, self._order[place], -1)

    def excess(self, rows: NDArray[np.int64], weeks_of: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return how far each row is above the median of its earlier weekdays, approximately (n,)."""
        assert self._table.period is not None
        day = self._table.period.index[rows]
        earlier = np.full((WEEKS, len(rows)), np.nan)
        for week in range(1, WEEKS + 1):
            known = weeks_of[week - 1, day]
            at = self._rows_at(self._cell[rows] - 7 * week)
            earlier[week - 1] = np.where(known, np.where(at >= 0, self._floats[at], 0.0), np.nan)
        excess: NDArray[np.float64] = self._floats[rows] - np.nanmedian(earlier, axis=0)
        return excess

    def exact(self, row: int, weeks_of: NDArray[np.bool_]) -> UnusualDay | None:
        """Return the day of a row, None if it is not above all but one earlier weekday."""
        period = self._table.period
        assert period is not None
        day = int(period.index[row])
        cells = self._cell[row] - 7 * (np.flatnonzero(weeks_of[:, day]) + 1)
        figures = self._column.figures
        earlier = sorted((figures.at(at) if at >= 0 else None) or 0 for at in self._rows_at(cells).tolist())
        actual, expected = figures.at(row), _median(earlier)
        assert actual is not None
        if actual <= earlier[-2]:  # which is at least the median
            return None
        groups = tuple((head.name, head.value(row), head.labels[head.code(row)]) for head in self._table.groups)
        start = int(period.periods.bounds[day])
        return UnusualDay(start, groups, actual, expected, len(earlier), earlier[-1])


def _median(numbers: Sequence[Number]) -> Number:
    """Return the median; of two middle counts, the mean rounded down."""
    middle, odd = divmod(len(numbers), 2)
    if odd:
        return numbers[middle]
    low, high = numbers[middle - 1], numbers[middle]
    if isinstance(low, int) and isinstance(high, int):
        return (low + high) // 2
    return normalize_decimal((Decimal(low) + Decimal(high)) / 2)


def _subtract(one: Number, other: Number) -> Number:
    if isinstance(one, int) and isinstance(other, int):
        return one - other
    with localcontext(EXACT):
        return normalize_decimal(Decimal(one) - Decimal(other))
