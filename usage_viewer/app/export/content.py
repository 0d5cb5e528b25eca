"""Defines what is exported: `Format` and `Export`."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from usage_viewer.app.export.provenance import Provenance
from usage_viewer.app.export.totals import Totals
from usage_viewer.domain.catalog import Kind
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.table import Table


class Format(StrEnum):
    """Names the formats of copies and files."""

    XLSX = "xlsx"
    CSV = "csv"
    SEMICOLON_CSV = "semicolon-csv"
    TSV = "tsv"
    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"

    @property
    def label(self) -> str:
        """The format's name for users."""
        return _LABELS.get(self, self.value.upper())

    @property
    def suffix(self) -> str:
        """The ending of a file's name, with the dot."""
        return _SUFFIXES.get(self, f".{self.value}")


_LABELS = {
    Format.XLSX: "Excel workbook with totals",
    Format.SEMICOLON_CSV: "CSV with semicolons and decimal commas",
    Format.MARKDOWN: "Markdown",
}
_SUFFIXES = {Format.SEMICOLON_CSV: ".csv", Format.MARKDOWN: ".md"}

TEXT_FORMATS = tuple(form for form in Format if form is not Format.XLSX)
"""The formats that are text. A workbook is a zip file."""


class NumberTexts(Protocol):
    """Writes numbers for people."""

    def numbers(self, figures: NumberColumn, kind: Kind, unit: str) -> list[str]:
        """Return the text of each number."""

    def amounts(self, figures: NumberColumn, units: Sequence[int], decimals: int) -> list[str]:
        """Return the text of each amount of money, which is shown as `units` of 10 to the power of -`decimals`."""


@dataclass(frozen=True)
class Export:
    """Selects `rows` of `table`, in their order, and the options of the formats.

    `headers` puts the columns' labels first (Markdown and workbooks always have them, JSON has keys instead).
    `totals` adds a last row, except to JSON. `decimal_point` is for TSV, which spreadsheets read in the user's
    locale; the other formats have a fixed one. `names` adds the label of each id to JSON. `shown` writes the
    numbers that a reader of HTML sees, beside the exact ones for spreadsheets; None: the exact ones.
    """

    table: Table
    rows: RowOrder
    provenance: Provenance | None = None
    headers: bool = True
    decimal_point: str = "."
    names: bool = False
    shown: NumberTexts | None = None
    totals: Totals | None = None
