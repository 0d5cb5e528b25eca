"""Renders rows of a table in each format, in short steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from usage_viewer.app.export import formats
from usage_viewer.app.export.formats import Layout
from usage_viewer.app.export.provenance import Provenance
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.table import Table

STEP = 5_000
"""Rows in a step: it takes some milliseconds, so that other threads run and a worker can be stopped."""

_STEP_BYTES = 1_000_000
"""Bytes of text that are rewritten in a step."""

SAMPLE = 1_000
"""Rows from which the size of more rows is estimated."""


class Format(StrEnum):
    """Names the formats of copies and files."""

    TSV = "tsv"
    CSV = "csv"
    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"

    @property
    def label(self) -> str:
        """The format's name for users."""
        return "Markdown" if self is Format.MARKDOWN else self.value.upper()

    @property
    def suffix(self) -> str:
        """The ending of a file's name, with the dot."""
        return ".md" if self is Format.MARKDOWN else f".{self.value}"


@dataclass(frozen=True)
class Export:
    """Selects `rows` of `table`, in their order, and the options of the formats.

    `headers` puts the columns' labels first (Markdown always has them, JSON has keys instead). `decimal_point` is
    for TSV, which spreadsheets read in the user's locale; the other formats have a dot. `names` adds the label of
    each id to JSON.
    """

    table: Table
    rows: RowOrder
    provenance: Provenance | None = None
    headers: bool = True
    decimal_point: str = "."
    names: bool = False


def chunks(export: Export, form: Format) -> Iterator[str]:
    """Return the text in pieces to be joined."""
    return _pieces(_layout(export, form), export.rows)


def sized_chunks(export: Export, form: Format) -> tuple[int, Iterator[str]]:
    """Return `estimated_size` and `chunks`, with the labels written only once for both."""
    layout = _layout(export, form)
    return _estimated(layout, export.rows), _pieces(layout, export.rows)


def render(export: Export, form: Format) -> str:
    """Return the whole text; use `chunks` for many rows."""
    return "".join(chunks(export, form))


def commas_for_tabs(export: Export, tsv: bytes) -> Iterator[bytes] | None:
    """Return CSV in pieces, converted from TSV; None if a cell is quoted or would be, or the numbers differ."""
    if export.decimal_point != "." or any(sign in tsv for sign in (b",", b'"', b"\r")):
        return None
    pieces = (tsv[start : start + _STEP_BYTES] for start in range(0, len(tsv), _STEP_BYTES))
    return (piece.replace(b"\t", b",").replace(b"\n", b"\r\n") for piece in pieces)


def estimated_size(export: Export, form: Format) -> int:
    """Return the size of the text in bytes of UTF-8, estimated from a sample of rows; exact for few rows."""
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
            return formats.tab_separated(table, provenance, headers, point=export.decimal_point)
        case Format.CSV:
            return formats.comma_separated(table, provenance, headers)
        case Format.HTML:
            return formats.document(table, provenance, headers)
        case Format.MARKDOWN:
            return formats.pipes(table, provenance)
        case Format.JSON:
            return formats.objects(table, provenance, names=export.names)
