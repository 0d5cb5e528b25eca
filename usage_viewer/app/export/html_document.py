"""Writes HTML that mail programs show like the table, and from which spreadsheets read exact numbers and dates.

Excel reads a cell's exact number from `x:num`, and its format from the class. LibreOffice reads the number from
`sdval`. Its format is in `sdnum`: the language of the number (1033: English), the language in which it is shown (0:
the user's) and the format. LibreOffice 7.4 loses a format that the user's language doesn't have, and then shows a
date as a number. English and German have the formats here; per cent is always shown in English. A text stays as it
is in both programs if its format is "@".
"""

import html
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from usage_viewer.app.export.cells import Cells, full_numbers, text_cells
from usage_viewer.app.export.content import Export, NumberTexts
from usage_viewer.app.export.layout import Layout, row_cells, total_cells
from usage_viewer.app.export.number_formats import is_below_a_cent
from usage_viewer.app.export.spreadsheet_safety import printable
from usage_viewer.domain.catalog import MONEY, Kind
from usage_viewer.domain.column import Dates
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.shown_amounts import ShownAmounts
from usage_viewer.domain.table import Column


class _Style(NamedTuple):
    """Names a class and its format in LibreOffice (`sdnum`) and Excel (`mso-number-format`)."""

    name: str
    sdnum: str
    excel: str


_COUNT = _Style("n", "1033;0;#,##0", r"\#\,\#\#0")
_MONEY = _Style("m", "1033;0;#,##0.00", r"\#\,\#\#0\.00")
_OTHER = _Style("x", "1033;", "General")
_SHARE = _Style("p", "1033;1033;0.00%", "Percent")
_RATIO = _MONEY._replace(name="r")
_DATE = _Style("d", "1033;0;YYYY-MM-DD", r"yyyy\-mm\-dd")
_TIME = _Style("t", "1033;0;YYYY-MM-DD HH:MM:SS", r"yyyy\-mm\-dd\ hh\:mm")
_STYLES = (_COUNT, _MONEY, _OTHER, _SHARE, _RATIO, _DATE, _TIME)
_BY_KIND = {Kind.COUNT: _COUNT, Kind.DECIMAL: _OTHER, Kind.SHARE: _SHARE, Kind.RATIO: _RATIO, Kind.PRICE: _OTHER}

# The rules about cells are repeated at the elements: mail programs drop a style sheet.
_HEAD = (
    '<!DOCTYPE html>\n<html xmlns:x="urn:schemas-microsoft-com:office:excel">\n'
    '<head><meta charset="utf-8"><title>Usage</title><style>'
    + "".join(f'.{style.name}{{mso-number-format:"{style.excel}"}}' for style in _STYLES)
    + "</style></head>\n<body>\n"
    '<table cellpadding="5" cellspacing="0" style="border-collapse:collapse;white-space:nowrap">\n'
)
_AS_TEXT = "mso-number-format:'\\@'"
_AS_TEXT_CELL = f'''style="{_AS_TEXT}" sdnum="1033;0;@"'''
_RULE = "border-{side}:1px solid #888888"
_EMPTY = "<td></td>"
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - the day 0 of spreadsheets, in no zone


class HtmlCells:
    """Writes cells; `shown` writes the numbers that people see."""

    def __init__(self, shown: NumberTexts | None) -> None:
        self._shown = shown

    def numbers(self, figures: NumberColumn, kind: Kind, unit: str) -> Cells:
        """Return numbers as shown, with their exact values."""

        def texts(rows: RowOrder, part: NumberColumn) -> Sequence[str] | None:
            return None if self._shown is None else self._shown.numbers(part, kind, unit)

        return _number_cells(figures, kind, unit, texts)

    def amounts(self, figures: NumberColumn, kind: Kind, unit: str, shown: ShownAmounts) -> Cells:
        """Return amounts in the cents that the table shows, with their exact values."""

        def texts(rows: RowOrder, part: NumberColumn) -> Sequence[str] | None:
            if self._shown is None:
                return None
            return self._shown.amounts(part, shown.units[rows].tolist(), shown.decimals)

        return _number_cells(figures, kind, unit, texts)

    def dates(self, codes: NDArray[np.int32], texts: Sequence[str], dates: Dates) -> Cells:
        """Return dates, and texts where there is none."""
        style = _TIME if dates.per in (Granularity.MINUTE, Granularity.HOUR) else _DATE
        cells = [
            self.text(text) if date is None else _date(_serial_day(date), text, style)
            for date, text in zip(dates.local(), texts, strict=True)
        ]
        return text_cells(codes, cells)

    def texts(self, codes: NDArray[np.int32], texts: Sequence[str]) -> Cells:
        """Return texts that no spreadsheet reads as a formula, a number or a date."""
        return text_cells(codes, list(map(self.text, texts)))

    @staticmethod
    def text(text: str) -> str:
        """Return the cell with a text."""
        return f"<td {_AS_TEXT_CELL}>{html_text(text)}</td>"


def _number_cells(
    figures: NumberColumn,
    kind: Kind,
    unit: str,
    texts_of: Callable[[RowOrder, NumberColumn], Sequence[str] | None],
) -> Cells:
    """Return cells with exact values and what people see; None for `texts_of`: the exact values."""

    def cells(rows: RowOrder) -> list[str]:
        part = figures.take(rows)
        values, missing = _present(part)
        exact = full_numbers(values)
        texts = list(map(_number, exact, texts_of(rows, part) or exact, _number_styles(values, kind, unit)))
        for index in np.flatnonzero(missing).tolist():
            texts[index] = _EMPTY
        return texts

    return cells


def _date(day: str, text: str, style: _Style) -> str:
    return f'<td class={style.name} sdval="{day}" sdnum="{style.sdnum}" x:num="{day}">{html.escape(text)}</td>'


def document(export: Export) -> Layout:
    """Return one table in a minimal document."""
    style, table = HtmlCells(export.shown), export.table
    head = _HEAD
    if export.provenance:
        head += f"<caption>{html_text(export.provenance.text)}</caption>\n"
    if export.headers:
        head += "<thead>\n<tr>" + "".join(map(_header, table.columns)) + "</tr>\n</thead>\n"
    return Layout(
        head=head + "<tbody>\n",
        first="<tr>",
        cells=row_cells(table, style, "".join),
        row="".join,
        between="</tr>\n<tr>",
        last="</tr>\n",
        tail=_totals(export, style) + "</tbody>\n</table>\n</body>\n</html>\n",
    )


def text_cell_document(text: str) -> str:
    """Return a document with one cell that spreadsheets read as text."""
    return f"{_HEAD}<tr>{HtmlCells.text(text)}</tr>\n</table>\n</body>\n</html>\n"


def html_text(text: str) -> str:
    """Return the text escaped and in one line: LibreOffice puts the rest after a line break into the cell below."""
    return " ".join(html.escape(printable(text)).splitlines())


def _header(column: Column) -> str:
    rule = _RULE.format(side="bottom")
    return (
        f'<th align={column.alignment.value} style="{rule};{_AS_TEXT}" sdnum="1033;0;@">'
        f"{html_text(column.label)}</th>"
    )


def _totals(export: Export, style: HtmlCells) -> str:
    if export.totals is None:
        return ""
    rule = _RULE.format(side="top")
    return f'<tr style="font-weight:bold;{rule}">{"".join(total_cells(export, style))}</tr>\n'


def _present(figures: NumberColumn) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Return the values, with 0 in place of those not given, and the mask of those."""
    if figures.missing is None:
        return figures.values, np.zeros(len(figures), np.bool_)
    values = figures.values.copy()
    values[figures.missing] = 0
    return values, figures.missing


def _number_styles(values: NDArray[np.generic], kind: Kind, unit: str) -> list[_Style]:
    if unit == MONEY and kind is Kind.DECIMAL:
        return [_OTHER if is_below_a_cent(value) else _MONEY for value in values.tolist()]
    return [_BY_KIND[kind]] * len(values)


def _number(exact: str, shown: str, style: _Style) -> str:
    return f'<td align=right class={style.name} sdval="{exact}" sdnum="{style.sdnum}" x:num="{exact}">{shown}</td>'


def _serial_day(moment: datetime) -> str:
    """Return the days since the spreadsheets' epoch; with fewer decimals 02:00 would read 01:59:59."""
    return f"{(moment - _EPOCH).total_seconds() / 86400:.11f}".rstrip("0").rstrip(".")
