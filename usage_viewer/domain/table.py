"""`Table`: an answer as columns, in no particular order, and the permutations that order it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Dimension, Kind
from usage_viewer.domain.figures import Number, NumberColumn
from usage_viewer.domain.period import Granularity, Periods
from usage_viewer.domain.row_order import RowOrder, natural, then
from usage_viewer.domain.view import PERIOD, SortKey, Value
from usage_viewer.domain.zones import iso, zone_name


@dataclass(frozen=True)
class PeriodColumn:
    """The period of each row: `index` (n) into `periods`."""

    index: NDArray[np.int32]
    periods: Periods
    name: str = PERIOD

    @cached_property
    def label(self) -> str:
        """With the zone that its days and hours are of, as `Day (UTC)`."""
        zone = zone_name(self.periods.zone, int(self.periods.bounds[0]))
        return f"{self.periods.per.value.capitalize()} ({zone})"

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """A label for each period: 2026-11-03 14:05, 2026-11-03 (a day, or a week's first) or 2026-11."""
        form = {
            Granularity.MINUTE: "%Y-%m-%d %H:%M",
            Granularity.HOUR: "%Y-%m-%d %H:%M",
            Granularity.MONTH: "%Y-%m",
        }.get(self.periods.per, "%Y-%m-%d")
        zone = self.periods.zone
        return tuple(
            datetime.fromtimestamp(start, zone).strftime(form) for start in self.periods.bounds[:-1].tolist()
        )

    def bounds(self, row: int) -> tuple[str, str]:
        """ISO 8601 start and end (exclusive) of a row's period."""
        index = int(self.index[row])
        start, end = self.periods.bounds[index : index + 2].tolist()
        return iso(start, self.periods.zone), iso(end, self.periods.zone)

    def sort_key(self) -> NDArray[np.int32]:
        return self.index


@dataclass(frozen=True)
class GroupColumn:
    """A dimension of the grouping: `codes` (n) into `values` (raw) and `labels` (shown).

    `known` are the codes of the rows, or with `group` (n) those of groups: row i is of group `group[i]`, and the
    codes of all rows are made when they are asked for. A screenful is best asked for with `codes_at`.
    """

    dimension: Dimension
    known: NDArray[np.int32]
    values: tuple[Value, ...]
    labels: tuple[str, ...]
    group: NDArray[np.int32] | None = None

    @cached_property
    def codes(self) -> NDArray[np.int32]:
        return self.known if self.group is None else self.known[self.group]

    def codes_at(self, rows: NDArray[np.int64] | slice) -> NDArray[np.int32]:
        """The codes of some rows."""
        return self.known[rows if self.group is None else self.group[rows]]

    def code(self, row: int) -> int:
        return int(self.known[row if self.group is None else self.group[row]])

    @property
    def name(self) -> str:
        return self.dimension.name

    @property
    def label(self) -> str:
        return self.dimension.label

    @cached_property
    def rank(self) -> NDArray[np.int32]:
        """The place of each of `values` when sorted as shown, case aside; null comes last."""
        keys = [
            (value is None, label.casefold(), label, value or "")
            for value, label in zip(self.values, self.labels, strict=True)
        ]
        rank = np.empty(len(keys), np.int32)
        rank[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(len(keys), dtype=np.int32)
        return rank

    def sort_key(self, *, descending: bool = False) -> NDArray[np.int32]:
        """What rows are sorted by, ascending in either case."""
        if not len(self.values):
            return self.codes
        place = self.rank
        if descending:
            null = np.array([value is None for value in self.values], np.bool_)
            place = np.where(null, place, -1 - place)
        place = place[self.known]
        return place if self.group is None else place[self.group]


@dataclass(frozen=True)
class FigureColumn:
    """A metric or a derived figure of each row, and its total over all rows (derived from the sums' totals).

    `measure` is the unit that all figures are in, where each answer says so (`usd`, `tokens`). Where they are in
    different ones there is no total, and the unit of each row stands in the column that `unit_from` names.
    """

    name: str
    label: str
    unit: str
    kind: Kind
    figures: NumberColumn
    total: Number | None
    help: str = ""
    measure: str = ""
    unit_from: str = ""


Column = PeriodColumn | GroupColumn | FigureColumn


@dataclass(frozen=True)
class Table:
    """The answer to a view: columns of n rows each, in the order of the view's `keys`; every name is there once.

    `standing`, where it is known: the place of each row's group among all groups, as they are shown.
    """

    columns: tuple[Column, ...]
    rows: int
    standing: NDArray[np.int32] | None = None

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        return {column.name: column for column in self.columns}

    @property
    def figures(self) -> tuple[FigureColumn, ...]:
        return tuple(column for column in self.columns if isinstance(column, FigureColumn))

    @property
    def heads(self) -> tuple[PeriodColumn | GroupColumn, ...]:
        """The columns that say what a row is about."""
        return tuple(column for column in self.columns if not isinstance(column, FigureColumn))

    def ordered(self, order: Sequence[SortKey]) -> RowOrder:
        """The rows sorted by the first key first; ties stand by period and group; what is missing comes last.

        Keys of columns that aren't there are passed over.
        """
        columns = [
            (self.by_name[key.column], key.descending) for key in reversed(order) if key.column in self.by_name
        ]
        rows = self._natural
        for column, descending in columns:
            for key, turned in _sort_keys(column, descending):
                rows = then(rows, key, descending=turned)
        return np.arange(self.rows, dtype=np.int64) if rows is None else rows

    @cached_property
    def _natural(self) -> RowOrder | None:
        """The rows by period and then by group; None where they stand so already."""
        if self.standing is None:
            return natural([head.sort_key() for head in self.heads])
        return natural([*(head.index for head in self.heads if isinstance(head, PeriodColumn)), self.standing])


def _sort_keys(column: Column, descending: bool) -> list[tuple[NDArray[np.generic], bool]]:
    """What to sort by, least significant first, and whether it descends."""
    if isinstance(column, PeriodColumn):
        return [(column.index, descending)]
    if isinstance(column, GroupColumn):
        return [(column.sort_key(descending=descending), False)]
    values, missing = column.figures.values, column.figures.missing
    if values.dtype == np.object_:  # Decimal and large int: by their rank among the distinct ones
        _, values = np.unique(np.where(_missing(column.figures), 0, values), return_inverse=True)
    if missing is None:
        return [(values, descending)]
    return [(np.where(missing, values.dtype.type(0), values), descending), (missing, False)]


def _missing(figures: NumberColumn) -> NDArray[np.bool_]:
    return np.zeros(len(figures), np.bool_) if figures.missing is None else figures.missing


EMPTY = Table((), 0)
