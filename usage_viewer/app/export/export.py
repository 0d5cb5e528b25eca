"""`Export`: some rows of a table in the order shown, and their text in each format, in short steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from usage_viewer.app.export import formats as layouts
from usage_viewer.app.export.formats import Layout
from usage_viewer.app.export.provenance import Provenance
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.table import Table

STEP = 5_000
"""Rows a step: some milliseconds, so that other threads run in between and a worker can be stopped."""

_BYTES = 1_000_000
"""Of text that is rewritten in a step."""

SAMPLE = 1_000
"""Rows from which a size is estimated."""


class Format(StrEnum):
    TSV = "tsv"
    CSV = "csv"
    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"

    @property
    def label(self) -> str:
        return "Markdown" if self is Format.MARKDOWN else self.value.upper()

    @property
    def suffix(self) -> str:
        """Of a file's name, with the dot."""
        return ".md" if self is Format.MARKDOWN else f".{self.value}"


@dataclass(frozen=True)
class Export:
    """What to write: `rows` of `table`, in their order.

    `headers`: with the columns' labels first (Markdown always has them, JSON has names instead).
    `decimal_point` is for TSV, which is read in the reader's locale; all others write a dot. `names` adds to JSON
    what is shown for each id.
    """

    table: Table
    rows: RowOrder
    provenance: Provenance | None = None
    headers: bool = True
    decimal_point: str = "."
    names: bool = False


def chunks(export: Export, form: Format) -> Iterator[str]:
    """The text in pieces, which joined are the whole."""
    return _pieces(_layout(export, form), export.rows)


def sized_chunks(export: Export, form: Format) -> tuple[int, Iterator[str]]:
    """`estimated_size` and `chunks`, for which the labels are finished once."""
    layout = _layout(export, form)
    return _estimated(layout, export.rows), _pieces(layout, export.rows)


def render(export: Export, form: Format) -> str:
    """The whole text. For many rows take `chunks`."""
    return "".join(chunks(export, form))


def commas_for_tabs(export: Export, tsv: bytes) -> Iterator[bytes] | None:
    """The CSV of an export in pieces, from its TSV; None where a cell is quoted or would be, or numbers differ."""
    if export.decimal_point != "." or any(sign in tsv for sign in (b",", b'"', b"\r")):
        return None
    pieces = (tsv[start : start + _BYTES] for start in range(0, len(tsv), _BYTES))
    return (piece.replace(b"\t", b",").replace(b"\n", b"\r\n") for piece in pieces)


def estimated_size(export: Export, form: Format) -> int:
    """Bytes of the text in UTF-8, from a sample of rows; exact for few rows."""
    return _estimated(_layout(export, form), export.rows)


def _pieces(layout: Layout, rows: RowOrder) -> Iterator[str]:
    yield layout.head
    for start in range(0, len(rows), STEP):
        step = rows[start : start + STEP]
        lines = map(layout.row, zip(*(cells(step) for cells in layout.cells), strict=True))
        yield (layout.between if start else layout.first) + layout.between.join(lines)
    yield (layout.last if len(rows) else "") + layout.tail


def _estimated(layout: Layout, rows: RowOrder) -> int:
    count = len(rows)
    if count <= SAMPLE:
        return _size(layout, rows)
    sample = rows[np.linspace(0, count - 1, SAMPLE).astype(np.int64)]
    fixed = _size(layout, sample[:0])
    return fixed + (_size(layout, sample) - fixed) * count // SAMPLE


def _size(layout: Layout, rows: RowOrder) -> int:
    return sum(len(piece.encode()) for piece in _pieces(layout, rows))


def _layout(export: Export, form: Format) -> Layout:
    table, provenance, headers = export.table, export.provenance, export.headers
    match form:
        case Format.TSV:
            return layouts.tab_separated(table, provenance, headers, point=export.decimal_point)
        case Format.CSV:
            return layouts.comma_separated(table, provenance, headers)
        case Format.HTML:
            return layouts.document(table, provenance, headers)
        case Format.MARKDOWN:
            return layouts.pipes(table, provenance)
        case Format.JSON:
            return layouts.objects(table, provenance, names=export.names)
