"""Defines the columns of a table: periods, dimensions and figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import MONEY, Dataset, Dimension, Figure, Kind
from usage_viewer.domain.column import (
    Alignment,
    CellDetails,
    CellFormat,
    CellWriter,
    Codes,
    Dates,
    FieldWriter,
    Member,
    RowPart,
    Rows,
    SortPasses,
)
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.figures import Number, NumberColumn
from usage_viewer.domain.money_origin import MoneyOrigin, origin_text
from usage_viewer.domain.period import Granularity, Periods
from usage_viewer.domain.shown_amounts import RowIdentity, ShownAmounts
from usage_viewer.domain.view_parts import PERIOD, Value
from usage_viewer.domain.zones import iso, zone_name

T = TypeVar("T")

PERIOD_KEY = ColumnKey(PERIOD)


@dataclass(frozen=True)
class PeriodColumn:
    """Holds the period of each row: `index` (n,) into `periods`."""

    index: Codes
    periods: Periods
    key: ColumnKey = PERIOD_KEY
    alignment = Alignment.LEFT
    can_elide = True
    largest_first = False
    total = None
    group = None

    @property
    def name(self) -> str:
        """The name of the key."""
        return self.key.name

    @cached_property
    def label(self) -> str:
        """The granularity and the zone of its days and hours, such as `Day (UTC)`."""
        return f"{self.periods.per.value.capitalize()} ({self._zone_name})"

    @property
    def _zone_name(self) -> str:
        return zone_name(self.periods.zone, int(self.periods.bounds[0]))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """A label for each period: 2026-11-03 14:05, 2026-11-03 (a day, or a week's first day) or 2026-11."""
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
        """Return the start and the end (exclusive) of a row's period in ISO 8601."""
        index = int(self.index[row])
        start, end = self.periods.bounds[index : index + 2].tolist()
        return iso(start, self.periods.zone), iso(end, self.periods.zone)

    @property
    def codes(self) -> Codes:
        """The index of each row's period (n,)."""
        return self.index

    def codes_at(self, rows: Rows | slice) -> Codes:
        """Return the indices of the periods of some rows."""
        return self.index[rows]

    def parts(self, codes: Codes) -> list[RowPart]:
        """Return the start of each period (epoch seconds)."""
        return list(self.periods.bounds[codes].tolist())

    def codes_of(self, parts: Sequence[RowPart]) -> NDArray[np.int64]:
        """Return the index of the period with each start, -1 for none."""
        starts = self.periods.bounds[:-1]
        moments = np.array(parts, dtype=np.int64)
        place = np.minimum(np.searchsorted(starts, moments), len(starts) - 1)
        return np.where(starts[place] == moments, place, -1)

    def sort_key(self) -> Codes:
        """Return the indices of the periods (n,), which ascend with time."""
        return self.index

    def sort_passes(self, *, descending: bool) -> SortPasses:
        """Return the indices of the periods."""
        return [(self.index, descending)]

    def value(self, row: int) -> int:
        """Return the index of a row's period."""
        return int(self.index[row])

    def texts(self, rows: Rows, form: CellFormat) -> list[str]:
        """Return the labels of the periods; each distinct one is written once."""
        index = self.index[rows].tolist()
        labels = {period: form.period(self.periods, period) for period in set(index)}
        return [labels[period] for period in index]

    def total_text(self, form: CellFormat) -> str:
        """Return ""."""
        return ""

    def describe(self, dataset: Dataset) -> str:
        """Return the granularity and the zone."""
        return f"{self.label}\nOne row for each {self.periods.per} in {self._zone_name}."

    def details(self, row: int, words: CellDetails) -> list[str]:
        """Return lines about a row's period."""
        return words.period(self.periods, int(self.index[row]))

    def member(self, row: int) -> Member | None:
        """Return None."""
        return None

    def cells(self, writer: CellWriter[T]) -> T:
        """Return the labels as dates."""
        dates = Dates(self.periods.bounds[:-1].tolist(), self.periods.zone, self.periods.per)
        return writer.dates(self.index, self.labels, dates)

    def fields(self, writer: FieldWriter[T], *, names: bool) -> list[tuple[str, T]]:
        """Return the start and the end (exclusive) of each period."""
        starts, ends = self.periods.bounds[:-1], self.periods.bounds[1:]
        return [
            (f"{self.key.text}_{noun}", writer.moments(self.index, moments, self.periods.zone))
            for noun, moments in (("start", starts), ("end", ends))
        ]


@dataclass(frozen=True)
class GroupColumn:
    """Holds a dimension of the grouping: codes into `values` (raw) and `labels` (shown).

    `known` are the codes of the rows (n,). With `group` (n,) they are the codes of groups: row i belongs to the
    group `group[i]`, and `codes` is computed on access. Use `codes_at` for a screenful of rows.
    """

    dimension: Dimension
    known: Codes
    values: tuple[Value, ...]
    labels: tuple[str, ...]
    group: Codes | None = None
    alignment = Alignment.LEFT
    can_elide = True
    largest_first = False
    total = None

    @cached_property
    def key(self) -> ColumnKey:
        """The plain key of the dimension."""
        return ColumnKey(self.dimension.name)

    @property
    def name(self) -> str:
        """The name of the dimension."""
        return self.dimension.name

    @property
    def label(self) -> str:
        """The label of the dimension."""
        return self.dimension.label

    @cached_property
    def codes(self) -> Codes:
        """The code of each row (n,)."""
        return self.known if self.group is None else self.known[self.group]

    def codes_at(self, rows: Rows | slice) -> Codes:
        """Return the codes of some rows."""
        return self.known[rows if self.group is None else self.group[rows]]

    def code(self, row: int) -> int:
        """Return the code of one row."""
        return int(self.known[row if self.group is None else self.group[row]])

    def parts(self, codes: Codes) -> list[RowPart]:
        """Return the value of each code."""
        return [self.values[code] for code in codes.tolist()]

    def codes_of(self, parts: Sequence[RowPart]) -> NDArray[np.int64]:
        """Return the code of each value, -1 for none."""
        code: dict[RowPart, int] = {value: index for index, value in enumerate(self.values)}
        return np.array([code.get(part, -1) for part in parts], dtype=np.int64)

    @cached_property
    def rank(self) -> Codes:
        """The place of each of `values` when sorted by label, ignoring case; null comes last."""
        keys = [
            (value is None, label.casefold(), label, value or "")
            for value, label in zip(self.values, self.labels, strict=True)
        ]
        rank = np.empty(len(keys), np.int32)
        rank[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(len(keys), dtype=np.int32)
        return rank

    def sort_key(self, *, descending: bool = False) -> Codes:
        """Return the array (n,) to sort rows by, ascending in both cases."""
        if not len(self.values):
            return self.codes
        place = self.rank
        if descending:
            null = np.array([value is None for value in self.values], np.bool_)
            place = np.where(null, place, -1 - place)
        place = place[self.known]
        return place if self.group is None else place[self.group]

    def sort_passes(self, *, descending: bool) -> SortPasses:
        """Return the place of each row's value by label."""
        return [(self.sort_key(descending=descending), False)]

    def value(self, row: int) -> Value:
        """Return a row's value."""
        return self.values[self.code(row)]

    def texts(self, rows: Rows, form: CellFormat) -> list[str]:
        """Return the labels of some rows."""
        return [self.labels[code] for code in self.codes_at(rows).tolist()]

    def total_text(self, form: CellFormat) -> str:
        """Return ""."""
        return ""

    def describe(self, dataset: Dataset) -> str:
        """Return the label and what a row is."""
        return f"{self.label}\nOne row for each value."

    def details(self, row: int, words: CellDetails) -> list[str]:
        """Return the label and the id of a named value, nothing for other values."""
        code = self.code(row)
        value, label = self.values[code], self.labels[code]
        return [] if value is None or value == label else [label, value]

    def member(self, row: int) -> Member | None:
        """Return a row's value and label."""
        code = self.code(row)
        return Member(self.name, self.values[code], self.labels[code])

    def cells(self, writer: CellWriter[T]) -> T:
        """Return the labels as texts."""
        return writer.texts(self.codes, self.labels)

    def fields(self, writer: FieldWriter[T], *, names: bool) -> list[tuple[str, T]]:
        """Return the raw values, and the labels of ids if `names`."""
        name = self.key.text
        fields = [(name, writer.values(self.codes, self.values, boolean=self.dimension.boolean))]
        if names and self.dimension.names:
            labels = [
                None if value is None else label for value, label in zip(self.values, self.labels, strict=True)
            ]
            fields.append((f"{name}_name", writer.values(self.codes, labels, boolean=False)))
        return fields


@dataclass(frozen=True)
class FigureColumn:
    """Holds a figure of each row and its total, which is computed from the totals of the sums.

    `measure` is the unit that all rows share, where the results state it (`usd`, `tokens`). If the rows differ in
    unit, there is no total, and `unit_from` names the column with each row's unit. `identity` decides which of
    several amounts with equal remainders gets a cent; None: their order. `origin` tells how each amount of money
    was found; None for other figures.
    """

    key: ColumnKey
    label: str
    unit: str
    kind: Kind
    figures: NumberColumn
    total: Number | None
    help: str = ""
    measure: str = ""
    unit_from: str = ""
    identity: RowIdentity | None = None
    origin: MoneyOrigin | None = None
    alignment = Alignment.RIGHT
    can_elide = False
    largest_first = True
    group = None

    @classmethod
    def build(
        cls,
        figure: Figure,
        figures: NumberColumn,
        total: Number | None,
        *,
        measure: str = "",
        unit_from: str = "",
        identity: RowIdentity | None = None,
    ) -> "FigureColumn":
        """Return the plain column of a figure, labelled with the unit that its rows share."""
        label = f"{figure.label} ({measure})" if measure else figure.heading
        key = ColumnKey(figure.name)
        return cls(key, label, figure.unit, figure.kind, figures, total, figure.help, measure, unit_from, identity)

    @cached_property
    def shown(self) -> ShownAmounts | None:
        """The amounts in cents, if the figure is money."""
        return ShownAmounts(self.figures, self.identity, self.unit_from) if self.unit == MONEY else None

    @property
    def name(self) -> str:
        """The name of the figure."""
        return self.key.name

    def sort_passes(self, *, descending: bool) -> SortPasses:
        """Return the numbers, and then the mask of missing ones."""
        values, missing = self.figures.values, self.figures.missing
        if values.dtype == np.object_:  # Decimal and large int: by their rank among the distinct values
            present = values if missing is None else np.where(missing, 0, values)
            _, values = np.unique(present, return_inverse=True)
        if missing is None:
            return [(values, descending)]
        return [(np.where(missing, values.dtype.type(0), values), descending), (missing, False)]

    def value(self, row: int) -> Number | None:
        """Return a row's number, None where missing."""
        return self.figures.at(row)

    def texts(self, rows: Rows, form: CellFormat) -> list[str]:
        """Return the numbers of some rows in a locale; amounts of money in cents that add up to the total."""
        if self.shown is not None:
            units = self.shown.units[rows].tolist()
            return form.amounts(self.figures.take(rows), units, self.shown.decimals)
        return form.numbers(self.figures.take(rows), self.kind, self.unit)

    def total_text(self, form: CellFormat) -> str:
        """Return the total in a locale."""
        missing = np.array([self.total is None])
        totals = np.array([0 if self.total is None else self.total], np.object_)
        if self.shown is not None and self.total is not None:
            with localcontext(prec=200):
                units = int(Decimal(self.total).scaleb(self.shown.decimals).to_integral_value(ROUND_HALF_EVEN))
            return form.amounts(NumberColumn(totals), [units], self.shown.decimals)[0]
        return form.numbers(NumberColumn(totals, missing), self.kind, self.unit)[0]

    def describe(self, dataset: Dataset) -> str:
        """Return label, unit, meaning and computation of the figure."""
        lines = [self.label + self._unit_text, *([self.help] if self.help else [])]
        if dataset.has_column(self.name):
            lines.append(dataset.column(self.name).explanation(dataset))
        if self.shown is not None:
            lines.append("Shown in cents that add up to the total; tooltips and copies have all digits.")
        if self.origin is not None and self.origin.total:
            lines.append(f"Attribution: {origin_text(self.origin.total)}.")
        if self.unit_from:
            unit = dataset.dimension(self.unit_from).label
            lines.append(f"The rows have different units, which are never added: see {unit}.")
        return "\n".join(lines)

    @property
    def _unit_text(self) -> str:
        """The unit in parentheses, unless the label has it already."""
        named = not self.unit or self.unit.casefold() == self.label.casefold() or f"({self.unit})" in self.label
        return "" if named or self.measure or self.kind is Kind.SHARE else f" ({self.unit})"

    def details(self, row: int, words: CellDetails) -> list[str]:
        """Return lines about a row's figure."""
        return words.figure(self.key, row)

    def member(self, row: int) -> Member | None:
        """Return None."""
        return None

    def cells(self, writer: CellWriter[T]) -> T:
        """Return the numbers."""
        if self.shown is not None:
            return writer.amounts(self.figures, self.kind, self.unit, self.shown)
        return writer.numbers(self.figures, self.kind, self.unit)

    def fields(self, writer: FieldWriter[T], *, names: bool) -> list[tuple[str, T]]:
        """Return the exact numbers under the text of the key; of money also how each was found."""
        fields = [(self.key.text, writer.numbers(self.figures))]
        if self.origin is not None:
            fields.append(self.origin.field(self.key.text, len(self.figures), writer))
        return fields
