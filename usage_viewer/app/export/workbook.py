"""Writes an Excel workbook row by row: a sheet with the rows, and one that states the source."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from usage_viewer.app.export.content import Export
from usage_viewer.app.export.number_formats import is_below_a_cent
from usage_viewer.app.export.provenance import Provenance
from usage_viewer.app.export.spreadsheet_safety import printable
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import MONEY, Kind
from usage_viewer.domain.column import Dates
from usage_viewer.domain.errors import Cancelled, ExportError
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.origin_column import OriginColumn, with_origin_columns
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.shown_amounts import ShownAmounts
from usage_viewer.domain.table import Column, FigureColumn

MOST_ROWS = 1_048_576 - 2
"""The rows of a sheet in Excel, without those of the header and the totals."""

_STEP = 2_000
"""Rows between two looks at the cancellation: some 50 ms."""

_PIECE_BYTES = 1_000_000
_WIDEST = 60
"""Characters of the widest column."""

_COUNT, _MONEY, _SMALL_MONEY, _OTHER = "#,##0", "#,##0.00", "#,##0.00##########", "General"
_CODES = {Kind.COUNT: _COUNT, Kind.DECIMAL: _OTHER, Kind.SHARE: "0.00%", Kind.RATIO: "#,##0.0", Kind.PRICE: _OTHER}
_DATE_CODES = {
    Granularity.MINUTE: "yyyy-mm-dd hh:mm",
    Granularity.HOUR: "yyyy-mm-dd hh:mm",
    Granularity.MONTH: "yyyy-mm",
}
_TEXT = "@"
_FIRST = np.zeros(1, np.int64)

Write = Callable[[int, int, Any], object]
"""Writes a value into the cell of a row and a column."""


@dataclass(frozen=True)
class SheetCells:
    """Returns the values of some rows, and writes one into a cell; None leaves the cell empty."""

    values: Callable[[RowOrder], list[Any]]
    write: Write


class CellsOfSheet:
    """Writes the cells of columns into a sheet; `format_of` returns the format of a code."""

    def __init__(self, sheet: Any, format_of: Callable[[str], Any]) -> None:
        self._sheet, self._format_of = sheet, format_of

    def numbers(self, figures: NumberColumn, kind: Kind, unit: str) -> SheetCells:
        """Return numbers with the format of their kind."""
        sheet, plain = self._sheet, self._format_of(_CODES[kind])
        money, small = self._format_of(_MONEY), self._format_of(_SMALL_MONEY)

        def write_number(row: int, column: int, value: Any) -> None:
            sheet.write_number(row, column, value, plain)

        def write_money(row: int, column: int, value: Any) -> None:
            sheet.write_number(row, column, value, small if is_below_a_cent(value) else money)

        is_money = kind is Kind.DECIMAL and unit == MONEY
        return SheetCells(lambda rows: figures.take(rows).listed(), write_money if is_money else write_number)

    def amounts(self, figures: NumberColumn, kind: Kind, unit: str, shown: ShownAmounts) -> SheetCells:
        """Return exact amounts."""
        return self.numbers(figures, kind, unit)

    def dates(self, codes: NDArray[np.int32], texts: Sequence[str], dates: Dates) -> SheetCells:
        """Return dates, and texts where there is none."""
        form, plain = self._format_of(_DATE_CODES.get(dates.per, "yyyy-mm-dd")), self._format_of(_TEXT)
        values = [text if date is None else date for date, text in zip(dates.local(), texts, strict=True)]

        def write(row: int, column: int, value: Any) -> None:
            if isinstance(value, str):
                self._sheet.write_string(row, column, value, plain)
            else:
                self._sheet.write_datetime(row, column, value, form)

        return SheetCells(lambda rows: [values[code] for code in codes[rows].tolist()], write)

    def texts(self, codes: NDArray[np.int32], texts: Sequence[str]) -> SheetCells:
        """Return texts, which are never formulas."""
        safe, form = list(map(printable, texts)), self._format_of(_TEXT)

        def write(row: int, column: int, value: Any) -> None:
            self._sheet.write_string(row, column, value, form)

        return SheetCells(lambda rows: [safe[code] for code in codes[rows].tolist()], write)


def workbook_pieces(export: Export, cancellation: Cancellation) -> Iterator[bytes]:
    """Return the file in pieces, complete only at the end; what is written meanwhile is on the disk.

    Each column of money is followed by one that says how its amounts were found. Raises ExportError if there are
    too many rows for a sheet, and Cancelled after `cancellation` was cancelled.
    """
    if len(export.rows) > MOST_ROWS:
        raise ExportError(
            title="There are too many rows for an Excel sheet",
            hint=f"A sheet has room for {MOST_ROWS:,} rows. Save as CSV, or select fewer rows.",
        )
    export = replace(export, table=with_origin_columns(export.table))
    with tempfile.TemporaryFile() as file, tempfile.TemporaryDirectory() as folder:
        _write_workbook(export, file, folder, cancellation)
        file.seek(0)
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _write_workbook(export: Export, file: BinaryIO, folder: str, cancellation: Cancellation) -> None:
    import xlsxwriter  # late: nothing else needs it

    # Each row goes to a file in the folder as soon as it is written.
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": folder})
    formats: dict[tuple[str, bool], Any] = {}

    def format_of(code: str, *, total: bool = False) -> Any:
        if (code, total) not in formats:
            look = {"num_format": code} | ({"bold": True, "top": 1} if total else {})
            formats[code, total] = book.add_format(look)
        return formats[code, total]

    sheet = book.add_worksheet("Usage")
    try:
        _fill(book, sheet, export, format_of, cancellation)
    except BaseException:
        sheet.row_data_fh.close()  # as the library does only at the end
        raise
    book.close()


def _fill(book: Any, sheet: Any, export: Export, format_of: Callable[..., Any], cancellation: Cancellation) -> None:
    bold = {"bold": True, "bottom": 1, "num_format": _TEXT}
    _write_header(sheet, export.table.columns, book.add_format(bold), book.add_format(bold | {"align": "right"}))
    _write_rows(sheet, export, CellsOfSheet(sheet, format_of), cancellation)
    if export.totals is not None:
        _write_totals(sheet, export, CellsOfSheet(sheet, lambda code: format_of(code, total=True)))
    _set_up(sheet, export)
    if export.provenance is not None:
        _write_source(book.add_worksheet("Source"), export.provenance, book.add_format({"bold": True}))


def _write_header(sheet: Any, columns: Sequence[Column], left: Any, right: Any) -> None:
    for place, column in enumerate(columns):
        is_figure = isinstance(column, FigureColumn)
        sheet.write_string(0, place, printable(column.label), right if is_figure else left)


def _write_rows(sheet: Any, export: Export, cells: CellsOfSheet, cancellation: Cancellation) -> None:
    columns = [column.cells(cells) for column in export.table.columns]
    writers = [column.write for column in columns]
    for start in range(0, len(export.rows), _STEP):
        if cancellation.is_cancelled:
            raise Cancelled(hint="No file was written.")
        step = export.rows[start : start + _STEP]
        values = [column.values(step) for column in columns]
        for row, line in enumerate(zip(*values, strict=True), start + 1):
            for place, (write, value) in enumerate(zip(writers, line, strict=True)):
                if value is not None:
                    write(row, place, value)


def _write_totals(sheet: Any, export: Export, cells: CellsOfSheet) -> None:
    totals = export.totals
    assert totals is not None
    row, label = len(export.rows) + 1, totals.label
    for place, column in enumerate(export.table.columns):
        if isinstance(column, FigureColumn):
            cell = cells.numbers(totals.of(column), column.kind, column.unit)
        else:
            cell, label = cells.texts(np.zeros(1, np.int32), [label]), ""
        (value,) = cell.values(_FIRST)
        if value is not None:
            cell.write(row, place, value)


def _set_up(sheet: Any, export: Export) -> None:
    """Keep header and group columns in sight, offer filters, and make the columns wide enough."""
    table, last_row = export.table, len(export.rows)
    sheet.freeze_panes(1, len(table.heads) if len(table.heads) < 4 else 0)
    if table.columns:
        sheet.autofilter(0, 0, last_row, len(table.columns) - 1)
    for place, column in enumerate(table.columns):
        texts = [column.label + "  ▾"]
        if isinstance(column, FigureColumn):
            largest = max(
                column.figures.present().tolist(),
                key=abs,
                default=0,
            )
            texts += [f"{largest:,.2f}", f"{column.total or 0:,.2f}"]
        elif isinstance(column, OriginColumn):
            texts += [OriginColumn.words[code] for code in np.unique(column.codes).tolist()]
        elif column in table.heads:
            texts += column.labels
        sheet.set_column(place, place, min(max(map(len, texts)) + 2, _WIDEST))


def _write_source(sheet: Any, provenance: Provenance, bold: Any) -> None:
    for row, (name, text) in enumerate(provenance.lines):
        sheet.write_string(row, 0, name, bold)
        sheet.write_string(row, 1, printable(text))
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, 1, _WIDEST)
