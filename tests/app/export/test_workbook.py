"""Tests workbooks by reading them without the library that writes them."""

import tempfile
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from tests.rigs.workbook_reader import SheetCell, frozen_at, read_sheets
from usage_viewer.app.export import Export, Format, Provenance, save, totals_of
from usage_viewer.app.export.workbook import MOST_ROWS
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.errors import Cancelled, ExportError
from usage_viewer.domain.metrics import Kind
from usage_viewer.domain.table import FigureColumn, Table

MakeTable = Callable[..., Table]
PROVENANCE = Provenance("Completions", "2026-09-21 – 2026-09-23", "UTC", "per day", filters_text="=1+1")


@pytest.fixture
def export(make_table: MakeTable) -> Export:
    """Return three days with a formula for a name, a missing count, amounts and shares."""
    table = make_table(
        {"model": ["=1+1", "@a", "o5"]},
        {
            "count": [32_042_106, None, 2**53],
            "money": [Decimal("1234.5"), Decimal("0.001234"), Decimal("-0.5")],
            "share": [0.4941, 1 / 3, None],
        },
        days=True,
    )
    columns = []
    for column in table.columns:
        if isinstance(column, FigureColumn):
            kind = Kind.SHARE if column.name == "share" else column.kind
            unit = "money" if column.name == "money" else ""
            total = None if column.name == "share" else column.figures.total()
            column = FigureColumn(ColumnKey(column.name), column.label, unit, kind, column.figures, total)
        columns.append(column)
    table = Table(tuple(columns), 3)
    rows = np.array([2, 0, 1])
    return Export(table, rows, PROVENANCE, totals=totals_of(table, rows, DATASETS["completions"]))


def test_cells_have_their_type_and_format(export: Export, tmp_path: Path) -> None:
    path = tmp_path / "usage.xlsx"
    save(export, Format.XLSX, path)
    sheets = read_sheets(path)
    assert list(sheets) == ["Usage", "Source"]
    head, *rows, total = sheets["Usage"]
    assert [cell.value for cell in head.values()] == ["Day (UTC)", "model", "count", "money", "share"]
    assert all(cell.bold for cell in (*head.values(), *total.values()))
    first = (datetime(2026, 9, 21) - datetime(1899, 12, 30)).days
    assert [row["A"] for row in rows] == [SheetCell(first + day, "yyyy-mm-dd", False) for day in (2, 0, 1)]
    assert [row["B"] for row in rows] == [SheetCell(text, "@", False) for text in ("o5", "=1+1", "@a")]
    assert [row.get("C") for row in rows] == [
        SheetCell(2**53, "#,##0", False),
        SheetCell(32_042_106, "#,##0", False),
        None,
    ]
    assert [row["D"].value for row in rows] == [-0.5, 1234.5, 0.001234]
    assert [row["D"].code for row in rows] == ["#,##0.00", "#,##0.00", "#,##0.00##########"]
    assert [row["E"] for row in rows if "E" in row] == [
        SheetCell(0.4941, "0.00%", False),
        SheetCell(0.3333333333333333, "0.00%", False),
    ]
    assert [cell.value for cell in total.values()] == [
        "Total of 3 rows",
        "",
        2**53 + 32_042_106,
        pytest.approx(1234.001234),
    ]


def test_header_and_group_columns_stay_in_sight(export: Export, tmp_path: Path) -> None:
    path = tmp_path / "usage.xlsx"
    save(export, Format.XLSX, path)
    assert frozen_at(path) == "C2"


def test_second_sheet_states_the_source(export: Export, tmp_path: Path) -> None:
    path = tmp_path / "usage.xlsx"
    save(export, Format.XLSX, path)
    source = {row["A"].value: row["B"].value for row in read_sheets(path)["Source"]}
    assert source["Dataset"] == "Completions"
    assert source["Range"] == "2026-09-21 – 2026-09-23"
    assert source["Time zone"] == "UTC"
    assert source["Filters"] == "=1+1"


def test_saving_can_be_stopped_and_leaves_no_file(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    stop = Cancellation()
    stop.cancel()
    with pytest.raises(Cancelled):
        save(export, Format.XLSX, tmp_path / "usage.xlsx", stop)
    assert [path.name for path in tmp_path.rglob("*")] == ["temporary"]


def test_more_rows_than_a_sheet_has_are_refused(make_table: MakeTable, tmp_path: Path) -> None:
    table = make_table({}, {"count": [1]})
    with pytest.raises(ExportError) as caught:
        save(Export(table, np.zeros(MOST_ROWS + 1, np.int64)), Format.XLSX, tmp_path / "usage.xlsx")
    assert "1,048,574 rows" in caught.value.hint
    assert not list(tmp_path.iterdir())
