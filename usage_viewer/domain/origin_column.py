"""Defines the column that tells in words how the amounts of another column were found."""

from dataclasses import dataclass
from typing import TypeVar

from usage_viewer.domain.column import Codes, Column, FieldWriter
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.money_origin import EVERY_CODE, origin_text
from usage_viewer.domain.table import FigureColumn, Table
from usage_viewer.domain.word_column import WordColumn

T = TypeVar("T")


@dataclass(frozen=True)
class OriginColumn(WordColumn):
    """Holds how each amount of a column of money was found."""

    key: ColumnKey
    label: str
    codes: Codes
    words = tuple(map(origin_text, EVERY_CODE))

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
