"""Tests that every format writes the columns of a pivot and of a comparison."""

import csv
import io
import json

import numpy as np
import pytest

from tests.rigs.tables import COMPARED, MONTHLY, PIVOTED, PIVOTED_NONE, pivot
from usage_viewer.app.export import Export, Format, render
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.table import Table

__all__ = ["pivot"]


@pytest.mark.parametrize(("form", "dialect"), [(Format.TSV, "excel-tab"), (Format.CSV, "excel")])
def test_headers_and_cells(form: Format, dialect: str, pivot: Table) -> None:
    text = render(Export(pivot, np.array([1, 0], np.int64)), form)
    assert list(csv.reader(io.StringIO(text, newline=""), dialect)) == [
        [
            "Project",
            "Input",
            "Input, gpt-6",
            "Input, (none)",
            "Input, Oct 2026",
            "Input before",
            "Cached, gpt-6",
            "Cached share, gpt-6",
        ],
        ["Chat", "50", "40", "10", "2", "7", "10", "0.25"],
        ["Search", "60", "20", "40", "1", "", "5", "0.25"],
    ]


def test_json_has_the_texts_of_the_keys(pivot: Table) -> None:
    (record,) = json.loads(render(Export(pivot, np.array([1], np.int64)), Format.JSON))
    assert record["project_id"] == "proj_b"
    numbers = {ColumnKey.parse(name): value for name, value in record.items() if name != "project_id"}
    assert numbers[ColumnKey("input_tokens")] == 50
    assert [numbers[key] for key in (PIVOTED, PIVOTED_NONE, MONTHLY, COMPARED)] == [40, 10, 2, 7]
    assert "input_tokens@period=2026-10-01T00:00:00Z" in record
    assert len(record) == len(pivot.columns)


@pytest.mark.parametrize("form", [Format.HTML, Format.MARKDOWN])
def test_documents_have_every_column(form: Format, pivot: Table) -> None:
    text = render(Export(pivot, np.arange(3, dtype=np.int64)), form)
    assert all(column.label in text for column in pivot.columns)
