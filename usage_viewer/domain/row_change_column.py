"""Defines the column that marks rows which only one of two compared periods has."""

from dataclasses import dataclass
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
from usage_viewer.domain.view_parts import NEW_OR_GONE

T = TypeVar("T")

MARKS = ("", "new", "gone")
BOTH, NEW, GONE = range(3)

_DETAILS = {
    NEW: "New: no usage in the compared period.",
    GONE: "Gone: usage in the compared period only.",
}


@dataclass(frozen=True)
class RowChangeColumn:
    """Holds whether each row is of both periods, new or gone: codes (n,) into `MARKS`."""

    codes: Codes
    key = ColumnKey(NEW_OR_GONE)
    label = "New or gone"
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
        """Return a row's mark."""
        return MARKS[int(self.codes[row])]

    def texts(self, rows: Rows, form: CellFormat) -> list[str]:
        """Return the marks of some rows."""
        return [MARKS[code] for code in self.codes[rows].tolist()]

    def total_text(self, form: CellFormat) -> str:
        """Return ""."""
        return ""

    def describe(self, dataset: Dataset) -> str:
        """Return what the marks mean."""
        return f"{self.label}\nNew: only in the shown period. Gone: only in the compared period."

    def details(self, row: int, words: CellDetails) -> list[str]:
        """Return what a row's mark means."""
        code = int(self.codes[row])
        return [_DETAILS[code]] if code in _DETAILS else []

    def member(self, row: int) -> Member | None:
        """Return None."""
        return None

    def sort_passes(self, *, descending: bool) -> SortPasses:
        """Return the codes: rows of both periods, then new ones, then gone ones."""
        return [(self.codes, descending)]

    def cells(self, writer: CellWriter[T]) -> T:
        """Return the marks as texts."""
        return writer.texts(self.codes, MARKS)

    def fields(self, writer: FieldWriter[T], *, names: bool) -> list[tuple[str, T]]:
        """Return the marks; null for a row of both periods."""
        values = [mark or None for mark in MARKS]
        return [(self.key.text, writer.values(self.codes, values, boolean=False))]
