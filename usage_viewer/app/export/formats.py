"""Defines the formats: the text before, between and after the rows, and the text of each cell."""

import html
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import tzinfo
from functools import partial
from itertools import groupby
from typing import Any

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
from usage_viewer.app.export.provenance import Provenance
from usage_viewer.app.export.spreadsheet_safety import harmless, printable, quoted
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.table import Alignment, Column, GroupColumn, Table
from usage_viewer.domain.view import Value

WriteText = Callable[[str], str]


@dataclass(frozen=True)
class Layout:
    """Describes a document: `head`, the rows, `tail`.

    `row` joins the cells of a row. If there are rows, `first` and `last` enclose them and `between` separates them.
    """

    cells: tuple[Cells, ...]
    row: Callable[[tuple[str, ...]], str]
    between: str
    head: str = ""
    first: str = ""
    last: str = ""
    tail: str = ""


@dataclass(frozen=True)
class CellStyle:
    """Writes the cells of a format: `number`s with `missing` for those not given, `date`s and other `text`s."""

    number: Numbers
    missing: str
    date: WriteText
    text: WriteText

    def numbers(self, figures: NumberColumn) -> Cells:
        """Return the cells of numbers."""
        return number_cells(figures, self.number, self.missing)

    def dates(self, codes: NDArray[np.int32], texts: Sequence[str]) -> Cells:
        """Return the cells of dates."""
        return text_cells(codes, list(map(self.date, texts)))

    def texts(self, codes: NDArray[np.int32], texts: Sequence[str]) -> Cells:
        """Return the cells of texts."""
        return text_cells(codes, list(map(self.text, texts)))


def separated(
    table: Table, provenance: Provenance | None, headers: bool, *, separator: str, end: str, point: str = "."
) -> Layout:
    """Return TSV or CSV: `separator` between cells, `end` after each line, `point` as the decimal point."""
    # A reader would skip a line without any character.
    empty = '""' if len(table.columns) == 1 else ""

    def text(value: str) -> str:
        return quoted(harmless(value), separator) or empty

    style = CellStyle(with_decimal_point(point, plain_numbers), empty, text, text)
    lines = [text(provenance.line)] if provenance else []
    if headers:
        lines.append(separator.join(text(column.label) for column in table.columns))
    return Layout(
        head="".join(line + end for line in lines),
        cells=_cells(table, style, separator.join),
        row=separator.join,
        between=end,
        last=end,
    )


# Excel reads a cell's exact number from x:num. LibreOffice reads it from sdval, in the language of sdnum (1033:
# English), and only if sdnum is given. Both leave a text unchanged if its format is "@".
_HTML_HEAD = (
    '<!DOCTYPE html>\n<html xmlns:x="urn:schemas-microsoft-com:office:excel">\n'
    '<head><meta charset="utf-8"><title>Usage</title></head>\n<body>\n<table>\n'
)
_AS_TEXT = """style="mso-number-format:'\\@'" sdnum="1033;0;@\""""
_LINE_BREAK = '<br style="mso-data-placement:same-cell">'


def document(table: Table, provenance: Provenance | None, headers: bool) -> Layout:
    """Return HTML: one table in a minimal document."""
    style = CellStyle(
        _html_numbers,
        "<td></td>",
        # Not as text, so that a spreadsheet reads a date as a date.
        date=lambda label: f"<td>{_html_text(label)}</td>",
        text=lambda label: f"<td {_AS_TEXT}>{_html_text(label)}</td>",
    )
    head = _HTML_HEAD
    if provenance:
        head += f"<caption>{_html_text(provenance.text)}</caption>\n"
    if headers:
        head += "<thead>\n<tr>" + "".join(map(_html_header, table.columns)) + "</tr>\n</thead>\n"
    return Layout(
        head=head + "<tbody>\n",
        first="<tr>",
        cells=_cells(table, style, "".join),
        row="".join,
        between="</tr>\n<tr>",
        last="</tr>\n",
        tail="</tbody>\n</table>\n</body>\n</html>\n",
    )


def _html_text(text: str) -> str:
    escaped = html.escape(harmless(text))
    return re.sub(r"\r\n|\r|\n", _LINE_BREAK, escaped) if "\n" in escaped or "\r" in escaped else escaped


def _html_header(column: Column) -> str:
    return f"<th align={column.alignment.value} {_AS_TEXT}>{_html_text(column.label)}</th>"


def _html_numbers(values: NDArray[Any]) -> list[str]:
    return [
        f'<td sdval="{number}" sdnum="1033;" x:num="{number}" align=right>{number}</td>'
        for number in plain_numbers(values)
    ]


# Characters with a meaning inside a line; an underscore has one only outside a word.
_MARKDOWN = re.compile(r"[\\`*\[\]~|]|(?<![^\W_])_|_(?![^\W_])")


def pipes(table: Table, provenance: Provenance | None) -> Layout:
    """Return Markdown: a table with pipes, which needs headers, and the provenance below it."""
    style = CellStyle(plain_numbers, "–", markdown_text, markdown_text)
    rules = ["---:" if column.alignment is Alignment.RIGHT else "---" for column in table.columns]
    headers = [markdown_text(column.label) for column in table.columns]
    return Layout(
        head=f"| {' | '.join(headers)} |\n| {' | '.join(rules)} |\n",
        first="| ",
        cells=_cells(table, style, " | ".join),
        row=" | ".join,
        between=" |\n| ",
        last=" |\n",
        tail=f"\n{markdown_text(provenance.text)}\n" if provenance else "",
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
        """Return strings and null; true and false for a boolean dimension."""
        literal = ("true", "false") if boolean else ()
        return text_cells(
            codes, [value if value is not None and value in literal else json_text(value) for value in values]
        )


def objects(table: Table, provenance: Provenance | None, *, names: bool) -> Layout:
    """Return JSON: an object with raw values for each row, by the texts of the columns' keys.

    `names` adds the label of each id.
    """
    writer = JsonFields()
    fields = [field for column in table.columns for field in column.fields(writer, names=names)]
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


def _cells(table: Table, style: CellStyle, join: Callable[[Iterable[str]], str]) -> tuple[Cells, ...]:
    """Return the cells of each column; adjacent groups become one cell, joined once a group, not once a row."""
    cells: list[Cells] = []
    for _, run in groupby(table.columns, lambda column: None if column.group is None else id(column.group)):
        columns = list(run)
        groups = [column for column in columns if isinstance(column, GroupColumn) and column.values]
        if len(groups) < 2 or groups[0].group is None:
            cells += [column.cells(style) for column in columns]
            continue
        texts = [list(map(style.text, column.labels)) for column in groups]
        parts = [
            [labels[code] for code in column.known.tolist()] for labels, column in zip(texts, groups, strict=True)
        ]
        cells.append(text_cells(groups[0].group, list(map(join, zip(*parts, strict=True)))))
    return tuple(cells)


tab_separated = partial(separated, separator="\t", end="\n")
comma_separated = partial(separated, separator=",", end="\r\n")
