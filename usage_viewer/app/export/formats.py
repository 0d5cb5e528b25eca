"""Defines TSV, CSV, Markdown and JSON: the text before, between and after the rows, and the text of each cell."""

import html
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import tzinfo

import numpy as np
from numpy.typing import NDArray

from usage_viewer.app.export.cells import (
    Cells,
    Numbers,
    full_numbers,
    moment_cells,
    number_cells,
    plain_numbers,
    text_cells,
    with_decimal_point,
)
from usage_viewer.app.export.content import Export
from usage_viewer.app.export.layout import Layout, row_cells, total_cells
from usage_viewer.app.export.spreadsheet_safety import harmless, printable, quoted
from usage_viewer.domain.catalog import Kind
from usage_viewer.domain.column import Dates
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.shown_amounts import ShownAmounts
from usage_viewer.domain.table import Alignment, Column
from usage_viewer.domain.view_parts import NOT_AVAILABLE, Value

WriteText = Callable[[str], str]

NOT_AVAILABLE_JSON = '{"available": false}'
"""The JSON value of a dimension that the organization's API does not grant."""


@dataclass(frozen=True)
class CellStyle:
    """Writes the cells of a format: `number`s with `missing` for those not given, `date`s and other `text`s."""

    number: Numbers
    missing: str
    date: WriteText
    text: WriteText

    def numbers(self, figures: NumberColumn, kind: Kind, unit: str) -> Cells:
        """Return the cells of numbers."""
        return number_cells(figures, self.number, self.missing)

    def amounts(self, figures: NumberColumn, kind: Kind, unit: str, shown: ShownAmounts) -> Cells:
        """Return exact amounts."""
        return self.numbers(figures, kind, unit)

    def dates(self, codes: NDArray[np.int32], texts: Sequence[str], dates: Dates) -> Cells:
        """Return the cells of dates."""
        return text_cells(codes, list(map(self.date, texts)))

    def texts(self, codes: NDArray[np.int32], texts: Sequence[str]) -> Cells:
        """Return the cells of texts."""
        return text_cells(codes, list(map(self.text, texts)))


def separated(export: Export, *, separator: str, end: str, point: str = ".") -> Layout:
    """Return TSV or CSV: `separator` between cells, `end` after each line, `point` as the decimal point."""
    table = export.table
    # A reader would skip a line without any character.
    empty = '""' if len(table.columns) == 1 else ""

    def text(value: str) -> str:
        return quoted(harmless(value), separator) or empty

    style = CellStyle(with_decimal_point(point, plain_numbers), empty, text, text)
    lines = [text(export.provenance.line)] if export.provenance else []
    if export.headers:
        lines.append(separator.join(text(column.label) for column in table.columns))
    total = f"{separator.join(total_cells(export, style))}{end}" if export.totals else ""
    return Layout(
        head="".join(line + end for line in lines),
        cells=row_cells(table, style, separator.join),
        row=separator.join,
        between=end,
        last=end,
        tail=total,
    )


def bare_text(column: Column, row: int, point: str) -> str:
    """Return the value of one cell of the table, with `point` as the decimal point; "" for none."""
    style = CellStyle(with_decimal_point(point, plain_numbers), "", str, str)
    return column.cells(style)(np.array([row]))[0]


# Characters with a meaning inside a line; an underscore has one only outside a word.
_MARKDOWN = re.compile(r"[\\`*\[\]~|]|(?<![^\W_])_|_(?![^\W_])")


def pipes(export: Export) -> Layout:
    """Return Markdown: a table with pipes, which needs headers, and the provenance below it."""
    table, provenance = export.table, export.provenance
    style = CellStyle(plain_numbers, "–", markdown_text, markdown_text)
    rules = ["---:" if column.alignment is Alignment.RIGHT else "---" for column in table.columns]
    headers = [markdown_text(column.label) for column in table.columns]
    total = f"| {' | '.join(total_cells(export, style))} |\n" if export.totals else ""
    return Layout(
        head=f"| {' | '.join(headers)} |\n| {' | '.join(rules)} |\n",
        first="| ",
        cells=row_cells(table, style, " | ".join),
        row=" | ".join,
        between=" |\n| ",
        last=" |\n",
        tail=total + (f"\n{markdown_text(provenance.text)}\n" if provenance else ""),
    )


def markdown_text(text: str) -> str:
    """Return the text as one line without any markup."""
    line = " ".join(printable(text).split())
    return _MARKDOWN.sub(r"\\\g<0>", html.escape(line, quote=False))


class JsonFields:
    """Writes the fields of JSON objects: ids, exact numbers, null, moments in ISO 8601."""

    def numbers(self, figures: NumberColumn) -> Cells:
        """Return exact numbers, null for those not given."""
        return number_cells(figures, full_numbers, "null")

    def moments(self, codes: NDArray[np.int32], moments: NDArray[np.int64], zone: tzinfo) -> Cells:
        """Return ISO 8601 in quotes."""
        return moment_cells(codes, moments, zone)

    def values(self, codes: NDArray[np.int32], values: Sequence[Value], *, boolean: bool) -> Cells:
        """Return strings and null; true and false for a boolean dimension; an object for what is not available."""
        literal = {"true": "true", "false": "false"} if boolean else {}
        literal[NOT_AVAILABLE] = NOT_AVAILABLE_JSON
        return text_cells(codes, [literal.get(value or "") or json_text(value) for value in values])


def objects(export: Export) -> Layout:
    """Return JSON: an object with raw values for each row, by the texts of the columns' keys."""
    writer, provenance = JsonFields(), export.provenance
    fields = [field for column in export.table.columns for field in column.fields(writer, names=export.names)]
    keys = (json_text(name).replace("%", "%%") for name, _ in fields)
    origin = f'{{"provenance": {json_text(asdict(provenance))},\n"rows": ' if provenance else ""
    return Layout(
        head=origin + "[",
        first="\n",
        cells=tuple(cells for _, cells in fields),
        row=("{" + ", ".join(f"{key}: %s" for key in keys) + "}").__mod__,
        between=",\n",
        last="\n",
        tail="]}\n" if provenance else "]\n",
    )


def json_text(value: object) -> str:
    """Return readable JSON; lone surrogates, which UTF-8 can't encode, are escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return json.dumps(value) if any("\ud800" <= char <= "\udfff" for char in text) else text
