"""Defines what the columns have in common that show one of a few words in each row."""

from typing import TypeVar

from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.column import (
    Alignment,
    CellDetails,
    CellFormat,
    CellWriter,
    Codes,
    FieldWriter,
    Member,
    Rows,
    SortPasses,
)
from usage_viewer.domain.column_key import ColumnKey

T = TypeVar("T")


class WordColumn:
    """Shows words: `codes` (n,) into `words`. A subclass is a frozen dataclass with these fields."""

    key: ColumnKey
    label: str
    codes: Codes
    words: tuple[str, ...]
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
        """Return a row's word."""
        return self.words[int(self.codes[row])]

    def texts(self, rows: Rows, form: CellFormat) -> list[str]:
        """Return the words of some rows."""
        return [self.words[code] for code in self.codes[rows].tolist()]

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
        """Return the codes: rows are in the order of `words`."""
        return [(self.codes, descending)]

    def cells(self, writer: CellWriter[T]) -> T:
        """Return the words as texts."""
        return writer.texts(self.codes, self.words)

    def fields(self, writer: FieldWriter[T], *, names: bool) -> list[tuple[str, T]]:
        """Return the words; null for an empty one."""
        values = [word or None for word in self.words]
        return [(self.key.text, writer.values(self.codes, values, boolean=False))]
