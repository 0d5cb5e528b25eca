"""The formats: what stands before, between and after the rows of each, and how it writes a cell."""

import html
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby
from typing import Any

from numpy.typing import NDArray

from usage_viewer.app.export.cells import (
    Cells,
    full_numbers,
    moment_cells,
    number_cells,
    plain_numbers,
    text_cells,
    with_decimal_point,
)
from usage_viewer.app.export.provenance import Provenance
from usage_viewer.app.export.spreadsheet_safety import harmless, printable, quoted
from usage_viewer.domain.table import FigureColumn, GroupColumn, PeriodColumn, Table
from usage_viewer.domain.view import Value


@dataclass(frozen=True)
class Layout:
    """A document: `head`, the rows, `tail`. If there are rows, `first` and `last` enclose them and `between` stands
    between two; `row` joins the cells of one.
    """

    cells: tuple[Cells, ...]
    row: Callable[[tuple[str, ...]], str]
    between: str
    head: str = ""
    first: str = ""
    last: str = ""
    tail: str = ""


def separated(
    table: Table, provenance: Provenance | None, headers: bool, *, separator: str, end: str, point: str = "."
) -> Layout:
    """TSV and CSV: `separator` between cells, `end` after each line, `point` in decimals."""
    numbers = with_decimal_point(point, plain_numbers)
    # A line without anything would be no row to a reader.
    empty = '""' if len(table.columns) == 1 else ""

    def text(value: str) -> str:
        return quoted(harmless(value), separator) or empty

    def cells(column: PeriodColumn | GroupColumn | FigureColumn) -> Cells:
        if isinstance(column, FigureColumn):
            return number_cells(column.figures, numbers, empty)
        return _label_cells(column, text)

    lines = [text(provenance.line)] if provenance else []
    if headers:
        lines.append(separator.join(text(column.label) for column in table.columns))
    return Layout(
        head="".join(line + end for line in lines),
        cells=_joined_groups(table, cells, text, separator.join),
        row=separator.join,
        between=end,
        last=end,
    )


# Excel takes a cell's exact number from x:num, LibreOffice from sdval, which it reads in the language of sdnum
# (1033: English) and only if sdnum is there. Both keep a text as it stands where its format is "@".
_HTML_HEAD = (
    '<!DOCTYPE html>\n<html xmlns:x="urn:schemas-microsoft-com:office:excel">\n'
    '<head><meta charset="utf-8"><title>Usage</title></head>\n<body>\n<table>\n'
)
_AS_TEXT = """style="mso-number-format:'\\@'" sdnum="1033;0;@\""""
_LINE_BREAK = '<br style="mso-data-placement:same-cell">'


def document(table: Table, provenance: Provenance | None, headers: bool) -> Layout:
    """HTML: one table in a minimal document."""

    def cells(column: PeriodColumn | GroupColumn | FigureColumn) -> Cells:
        if isinstance(column, FigureColumn):
            return number_cells(column.figures, _html_numbers, "<td></td>")
        if isinstance(column, PeriodColumn):
            # Not as text: a date is to arrive as a date.
            return _label_cells(column, lambda label: f"<td>{_html_text(label)}</td>")
        return _label_cells(column, group)

    def group(label: str) -> str:
        return f"<td {_AS_TEXT}>{_html_text(label)}</td>"

    head = _HTML_HEAD
    if provenance:
        head += f"<caption>{_html_text(provenance.text)}</caption>\n"
    if headers:
        head += "<thead>\n<tr>" + "".join(map(_html_header, table.columns)) + "</tr>\n</thead>\n"
    return Layout(
        head=head + "<tbody>\n",
        first="<tr>",
        cells=_joined_groups(table, cells, group, "".join),
        row="".join,
        between="</tr>\n<tr>",
        last="</tr>\n",
        tail="</tbody>\n</table>\n</body>\n</html>\n",
    )


def _html_text(text: str) -> str:
    escaped = html.escape(harmless(text))
    return re.sub(r"\r\n|\r|\n", _LINE_BREAK, escaped) if "\n" in escaped or "\r" in escaped else escaped


def _html_header(column: PeriodColumn | GroupColumn | FigureColumn) -> str:
    align = "right" if isinstance(column, FigureColumn) else "left"
    return f"<th align={align} {_AS_TEXT}>{_html_text(column.label)}</th>"


def _html_numbers(values: NDArray[Any]) -> list[str]:
    return [
        f'<td sdval="{number}" sdnum="1033;" x:num="{number}" align=right>{number}</td>'
        for number in plain_numbers(values)
    ]


# What has a meaning within a line, and an underscore unless it stands within a word.
_MARKDOWN = re.compile(r"[\\`*\[\]~|]|(?<![^\W_])_|_(?![^\W_])")


def pipes(table: Table, provenance: Provenance | None) -> Layout:
    """Markdown: a table with pipes. It can't be without headers; where the numbers come from stands under it."""

    def cells(column: PeriodColumn | GroupColumn | FigureColumn) -> Cells:
        if isinstance(column, FigureColumn):
            return number_cells(column.figures, plain_numbers, "–")
        return _label_cells(column, markdown_text)

    rules = ["---:" if isinstance(column, FigureColumn) else "---" for column in table.columns]
    headers = [markdown_text(column.label) for column in table.columns]
    return Layout(
        head=f"| {' | '.join(headers)} |\n| {' | '.join(rules)} |\n",
        first="| ",
        cells=_joined_groups(table, cells, markdown_text, " | ".join),
        row=" | ".join,
        between=" |\n| ",
        last=" |\n",
        tail=f"\n{markdown_text(provenance.text)}\n" if provenance else "",
    )


def markdown_text(text: str) -> str:
    """One line in which nothing has a meaning."""
    line = " ".join(printable(text).split())
    return _MARKDOWN.sub(r"\\\g<0>", html.escape(line, quote=False))


def objects(table: Table, provenance: Provenance | None, *, names: bool) -> Layout:
    """JSON: an object for each row, raw: ids, exact numbers, null; `names` adds what is shown for an id."""
    fields: list[tuple[str, Cells]] = []
    for column in table.columns:
        if isinstance(column, PeriodColumn):
            fields.append(("period_start", moment_cells(column, end=False)))
            fields.append(("period_end", moment_cells(column, end=True)))
        elif isinstance(column, FigureColumn):
            fields.append((column.name, number_cells(column.figures, full_numbers, "null")))
        else:
            boolean = column.dimension.boolean
            fields.append((column.name, _json_cells(column, column.values, boolean=boolean)))
            if names and column.dimension.names:
                shown = (
                    None if value is None else label
                    for value, label in zip(column.values, column.labels, strict=True)
                )
                fields.append((f"{column.name}_name", _json_cells(column, shown)))
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
    """Readable where UTF-8 can hold it; half of a surrogate pair is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return json.dumps(value) if any("\ud800" <= char <= "\udfff" for char in text) else text


def _json_cells(column: GroupColumn, values: Iterable[Value], *, boolean: bool = False) -> Cells:
    literal = ("true", "false") if boolean else ()
    return text_cells(
        column.codes, [value if value is not None and value in literal else json_text(value) for value in values]
    )


def _label_cells(column: PeriodColumn | GroupColumn, finish: Callable[[str], str]) -> Cells:
    codes = column.index if isinstance(column, PeriodColumn) else column.codes
    return text_cells(codes, list(map(finish, column.labels)))


def _joined_groups(
    table: Table,
    cells: Callable[[PeriodColumn | GroupColumn | FigureColumn], Cells],
    finish: Callable[[str], str],
    join: Callable[[Iterable[str]], str],
) -> tuple[Cells, ...]:
    """The cells of each column; groups that stand side by side as one cell: joined once a group, not once a row."""
    made: list[Cells] = []
    for _, run in groupby(table.columns, lambda column: isinstance(column, GroupColumn) and id(column.group)):
        columns = list(run)
        groups = [column for column in columns if isinstance(column, GroupColumn) and column.values]
        if len(groups) < 2 or groups[0].group is None:
            made += map(cells, columns)
            continue
        finished = [list(map(finish, column.labels)) for column in groups]
        parts = [
            [texts[code] for code in column.known.tolist()] for texts, column in zip(finished, groups, strict=True)
        ]
        made.append(text_cells(groups[0].group, list(map(join, zip(*parts, strict=True)))))
    return tuple(made)


tab_separated = partial(separated, separator="\t", end="\n")
comma_separated = partial(separated, separator=",", end="\r\n")
