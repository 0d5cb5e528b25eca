"""Defines what a column is: a key, values, texts, a help text, an order and cells for exports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Dataset, Kind
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.figures import Number, NumberColumn
from usage_viewer.domain.period import Granularity, Periods
from usage_viewer.domain.view_parts import Value

if TYPE_CHECKING:
    from usage_viewer.domain.shown_amounts import ShownAmounts

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Rows = NDArray[np.int64]
"""Indices of rows of a table's columns (n,)."""

Codes = NDArray[np.int32]

SortPasses = list[tuple[NDArray[Any], bool]]
"""Arrays (n,) to sort by, the least significant first, and whether each descends."""

RowPart = int | Value
"""One head column's part of a row's identity: a period's start (epoch seconds) or a dimension's value."""


class Alignment(Enum):
    """Names the side on which the texts of a column are aligned."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Member:
    """Identifies a value of a dimension and its label."""

    dimension: str
    value: Value
    label: str


@dataclass(frozen=True, slots=True)
class Dates:
    """Holds moments (epoch seconds) on the clocks of a zone, exact to `per`; None: only a text."""

    moments: Sequence[int | None]
    zone: tzinfo
    per: Granularity

    def local(self) -> list[datetime | None]:
        """Return each as a naive time of the zone: spreadsheets know no zones."""
        return [
            None if moment is None else datetime.fromtimestamp(moment, self.zone).replace(tzinfo=None)
            for moment in self.moments
        ]


class CellFormat(Protocol):
    """Writes cells in a locale."""

    def numbers(self, figures: NumberColumn, kind: Kind, unit: str) -> list[str]:
        """Return the text of each number."""

    def amounts(self, figures: NumberColumn, units: Sequence[int], decimals: int) -> list[str]:
        """Return the text of each amount of money, which is shown as `units` of 10 to the power of -`decimals`."""

    def period(self, periods: Periods, index: int) -> str:
        """Return the label of a period."""

    def moment(self, moment: int | None, zone: tzinfo) -> str:
        """Return the text of a moment (epoch seconds) on the clocks of a zone; None: not known."""


class CellDetails(Protocol):
    """Writes the details of a cell, which depend on the locale and on other columns."""

    def period(self, periods: Periods, index: int) -> list[str]:
        """Return lines about a period."""

    def figure(self, column: ColumnKey, row: int) -> list[str]:
        """Return lines about a figure in a row of the table."""


class CellWriter(Protocol[T_co]):
    """Writes the cells of columns in a format of copies and files."""

    def numbers(self, figures: NumberColumn, kind: Kind, unit: str) -> T_co:
        """Write numbers."""

    def amounts(self, figures: NumberColumn, kind: Kind, unit: str, shown: "ShownAmounts") -> T_co:
        """Write amounts of money; `shown` are the cents of each that the table shows."""

    def dates(self, codes: Codes, texts: Sequence[str], dates: "Dates") -> T_co:
        """Write dates; row i has the date `codes[i]` with the label `texts[codes[i]]`."""

    def texts(self, codes: Codes, texts: Sequence[str]) -> T_co:
        """Write texts; row i has `texts[codes[i]]`."""


class FieldWriter(Protocol[T_co]):
    """Writes the fields of records, which have exact numbers and ids."""

    def numbers(self, figures: NumberColumn) -> T_co:
        """Write exact numbers."""

    def moments(self, codes: Codes, moments: NDArray[np.int64], zone: tzinfo) -> T_co:
        """Write moments (epoch seconds); row i has `moments[codes[i]]`."""

    def values(self, codes: Codes, values: Sequence[Value], *, boolean: bool) -> T_co:
        """Write the values of a dimension; row i has `values[codes[i]]`."""


class Column(Protocol):
    """Describes a column of n rows. Everything that differs between kinds of columns is here."""

    @property
    def key(self) -> ColumnKey:
        """The identity of the column."""

    @property
    def name(self) -> str:
        """The name of the figure or dimension, or `PERIOD`. Columns of a pivot share it."""

    @property
    def label(self) -> str:
        """The text of the header."""

    @property
    def alignment(self) -> Alignment:
        """The side of the texts."""

    @property
    def can_elide(self) -> bool:
        """Whether a text without enough room may lose its end: a number would read as another number."""

    @property
    def largest_first(self) -> bool:
        """Whether the first click on the header sorts descending."""

    @property
    def total(self) -> Number | None:
        """The total of all rows; None if there is none."""

    @property
    def group(self) -> Codes | None:
        """The group of each row (n,) where rows repeat groups; see `GroupColumn`."""

    def value(self, row: int) -> object:
        """Return the raw value of a row: a number, a dimension's value or a period's index."""

    def texts(self, rows: Rows, form: CellFormat) -> list[str]:
        """Return the texts of some rows, in their order."""

    def total_text(self, form: CellFormat) -> str:
        """Return the text of the total; "" for a column that never has one."""

    def describe(self, dataset: Dataset) -> str:
        """Return the help text of the header: lines of plain text."""

    def details(self, row: int, words: CellDetails) -> list[str]:
        """Return the lines of a cell's tooltip."""

    def member(self, row: int) -> Member | None:
        """Return the value of a dimension that a cell can filter to; None for other columns."""

    def sort_passes(self, *, descending: bool) -> SortPasses:
        """Return the arrays to sort rows by; missing values come last in both directions."""

    def cells(self, writer: CellWriter[T]) -> T:
        """Return the column's cells in a format of copies and files."""

    def fields(self, writer: FieldWriter[T], *, names: bool) -> list[tuple[str, T]]:
        """Return the column's fields in a record, by name; `names` adds the labels of ids."""


class HeadColumn(Column, Protocol):
    """Describes a column that identifies rows: the period or a dimension. Row i has the code `codes[i]`."""

    @property
    def codes(self) -> Codes:
        """The code of each row (n,)."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of each code."""

    def codes_at(self, rows: Rows | slice) -> Codes:
        """Return the codes of some rows; cheaper than `codes` for few."""

    def parts(self, codes: Codes) -> list[RowPart]:
        """Return the period's start or the dimension's value of each code."""

    def codes_of(self, parts: Sequence[RowPart]) -> NDArray[np.int64]:
        """Return the code of each part, -1 where the column has none."""

    def sort_key(self) -> NDArray[np.int32]:
        """Return the array (n,) that puts rows in their natural order."""
