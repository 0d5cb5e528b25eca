"""`Export`: some rows of a table in the order shown, and their text in each format, in short steps."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from usage_viewer.app.export import layouts
from usage_viewer.app.export.layouts import Layout
from usage_viewer.app.export.provenance import Provenance
from usage_viewer.domain.ordering import Rows
from usage_viewer.domain.tables import Table

STEP = 5_000
"""Rows a step: some milliseconds, so that other threads run in between and a worker can be stopped."""

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
    rows: Rows
    provenance: Provenance | None = None
    headers: bool = True
    decimal_point: str = "."
    names: bool = False


def chunks(export: Export, form: Format) -> Iterator[str]:
    """The text in pieces, which joined are the whole."""
    layout = _layout(export, form)
    yield layout.head
    for start in range(0, len(export.rows), STEP):
        rows = export.rows[start : start + STEP]
        lines = map(layout.row, zip(*(cells(rows) for cells in layout.cells), strict=True))
        yield (layout.between if start else layout.first) + layout.between.join(lines)
    yield (layout.last if len(export.rows) else "") + layout.tail


def render(export: Export, form: Format) -> str:
    """The whole text. For many rows take `chunks`."""
    return "".join(chunks(export, form))


def estimated_size(export: Export, form: Format) -> int:
    """Bytes of the text in UTF-8, from a sample of rows; exact for few rows."""
    count = len(export.rows)
    if count <= SAMPLE:
        return len(render(export, form).encode())
    sample = export.rows[np.linspace(0, count - 1, SAMPLE).astype(np.int64)]
    fixed = len(render(replace(export, rows=sample[:0]), form).encode())
    sampled = len(render(replace(export, rows=sample), form).encode())
    return fixed + (sampled - fixed) * count // SAMPLE


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
