"""Renders rows of a table in each format, in short steps."""

from collections.abc import Iterator

import numpy as np

from usage_viewer.app.export import formats
from usage_viewer.app.export.content import Export, Format
from usage_viewer.app.export.html_document import document
from usage_viewer.app.export.layout import Layout
from usage_viewer.domain.row_order import RowOrder

STEP = 5_000
"""Rows in a step: it takes some milliseconds, so that other threads run and a worker can be stopped."""

_STEP_BYTES = 1_000_000
"""Bytes of text that are rewritten in a step."""

SAMPLE = 1_000
"""Rows from which the size of more rows is estimated."""


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
    match form:
        case Format.TSV:
            return formats.separated(export, separator="\t", end="\n", point=export.decimal_point)
        case Format.CSV:
            return formats.separated(export, separator=",", end="\r\n")
        case Format.SEMICOLON_CSV:
            return formats.separated(export, separator=";", end="\r\n", point=",")
        case Format.HTML:
            return document(export)
        case Format.MARKDOWN:
            return formats.pipes(export)
        case Format.JSON:
            return formats.objects(export)
        case Format.XLSX:
            raise ValueError("A workbook is not text")
