"""Defines the column that tells in words how the amounts of another column were found."""

from dataclasses import dataclass
from typing import TypeVar

from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.column import (
    Alignment,
    CellDetails,
    CellFormat,
    CellWriter,
    Codes,
    Column,
    FieldWriter,
    Member,
    Rows,
    SortPasses,
)
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.money_origin import EVERY_CODE, origin_text
from usage_viewer.domain.table import FigureColumn, Table

T = TypeVar("T")

TEXTS = tuple(map(origin_text, EVERY_CODE))


@dataclass(frozen=True)
class OriginColumn:
    """Holds how each amount of a column of money was found: codes (n,) into `TEXTS`."""

    key: ColumnKey
    label: str
    codes: Codes
    alignment = Alignment.LEFT
    can_elide = True
    largest_first = False
    total = None
    group = None

    @property
    def name(self) -> str:
        """The name of the key."""
        return self.key.name

    def value(self, row: int) -> str:
        """Return a row's words."""
        return TEXTS[int(self.codes[row])]

    def texts(self, rows: Rows, form: CellFormat) -> list[str]:
        """Return the words of some rows."""
        return [TEXTS[code] for code in self.codes[rows].tolist()]

    def total_text(self, form: CellFormat) -> str:
        """Return ""."""
        return ""

    def describe(self, dataset: Dataset) -> str:
        """Return the label."""
        return self.label

    def details(self, row: int, words: CellDetails) -> list[str]:
        """Return nothing more."""
        return []

    def member(self, row: int) -> Member | None:
        """Return None."""
        return None

    def sort_passes(self, *, descending: bool) -> SortPasses:
        """Return the codes."""
        return [(self.codes, descending)]

    def cells(self, writer: CellWriter[T]) -> T:
        """Return the words as texts."""
        return writer.texts(self.codes, TEXTS)

    def fields(self, writer: FieldWriter[T], *, names: bool) -> list[tuple[str, T]]:
        """Return nothing: the column of amounts has that field."""
        return []


def with_origin_columns(table: Table) -> Table:
    """Return the table with a column of words after each column of money."""
    columns: list[Column] = []
    for column in table.columns:
        columns.append(column)
        if isinstance(column, FigureColumn) and column.origin is not None:
            key = ColumnKey(f"{column.key.text}_attribution")
            columns.append(OriginColumn(key, f"{column.label}, attribution", column.origin.codes(table.rows)))
    return Table(tuple(columns), table.rows, table.group_rank)


def origin_of_table(table: Table) -> str:
    """Return the words for all amounts of a table together; "" without any."""
    total = 0
    for column in table.figures:
        total |= 0 if column.origin is None else column.origin.total
    return origin_text(total)
