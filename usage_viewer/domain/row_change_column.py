"""Defines the column that marks rows which only one of two compared periods has."""

from dataclasses import dataclass

from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.column import CellDetails, Codes
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.view_parts import NEW_OR_GONE
from usage_viewer.domain.word_column import WordColumn

MARKS = ("", "new", "gone")
BOTH, NEW, GONE = range(3)

_DETAILS = {
    NEW: "New: no usage in the compared period.",
    GONE: "Gone: usage in the compared period only.",
}


@dataclass(frozen=True)
class RowChangeColumn(WordColumn):
    """Holds whether each row is of both periods, new or gone: codes (n,) into `MARKS`.

    Rows of both periods are sorted before new ones, and these before gone ones.
    """

    codes: Codes
    key = ColumnKey(NEW_OR_GONE)
    label = "New or gone"
    words = MARKS

    def describe(self, dataset: Dataset) -> str:
        """Return what the marks mean."""
        return f"{self.label}\nNew: only in the shown period. Gone: only in the compared period."

    def details(self, row: int, words: CellDetails) -> list[str]:
        """Return what a row's mark means."""
        code = int(self.codes[row])
        return [_DETAILS[code]] if code in _DETAILS else []
