"""Opens each format in LibreOffice Calc, in English and German: numbers, dates and texts stay what they are.

A long run (`make fuzz`), which needs `soffice` and `python3-uno`. It reports how many cells it compared.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from usage_viewer.app.export import Export, Format, Provenance, save, totals_of
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.figures import Number
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.table import FigureColumn, PeriodColumn, Table

MakeTable = Callable[..., Table]
PYTHON = "/usr/bin/python3"
READER = Path(__file__).parents[2] / "rigs" / "libreoffice_reader.py"

FORMULAS = (
    "=1+1",
    "+1",
    "-1+1",
    "@SUM(1)",
    '=HYPERLINK("http://evil","x")',
    "\t=1+1",
    "x\n=1+1",
    "＝1+1",
    " =1+1",
    "{=1+1}",
)
TEXTS = (*FORMULAS, "gpt-6", "1.5", "1e5", "007", "2026-11-03", "TRUE", 'größe "L"', "a;b,c", "3/4", "10:30")
COUNT = 400


def _has_uno() -> bool:
    return (
        shutil.which("soffice") is not None
        and Path(PYTHON).exists()
        and subprocess.run([PYTHON, "-c", "import uno"], capture_output=True, check=False).returncode == 0
    )


pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.skipif(not _has_uno(), reason="soffice or python3-uno is not installed"),
]


@pytest.fixture
def table(make_table: MakeTable) -> Table:
    """Return days, texts that look like something else, and numbers of every kind."""
    counts: list[Number | None] = [None if row % 17 == 5 else row * 32_042_107 for row in range(COUNT)]
    money: list[Number | None] = [Decimal(row * row - 900) / 10_000 for row in range(COUNT)]
    shares: list[Number | None] = [None if row % 19 == 7 else row / 401 for row in range(COUNT)]
    return make_table(
        {"model": [TEXTS[row % len(TEXTS)] for row in range(COUNT)]},
        {"count": counts, "money": money, "share": shares},
        days=True,
    )


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
@pytest.mark.parametrize("per", [Granularity.DAY, Granularity.HOUR, Granularity.MONTH])
def test_cells_stay_what_they_are(table: Table, locale: str, per: Granularity, tmp_path: Path) -> None:
    if per is not Granularity.DAY:
        table = _with_periods(table, per)
    rows = np.arange(COUNT)
    export = Export(
        table,
        rows,
        Provenance("Completions", "2026-11-03", "UTC", "per day"),
        totals=totals_of(table, rows, DATASETS["completions"]),
    )
    forms = {Format.HTML: "a", Format.XLSX: "a"}
    forms[Format.SEMICOLON_CSV if locale == "de-DE" else Format.CSV] = "b"
    paths = []
    for form in forms:
        paths.append(tmp_path / f"{form.value}{form.suffix}")
        save(export, form, paths[-1])
    read = _open(locale, paths)
    compared = {form: _compare(table, sheets[0], form) for form, sheets in zip(forms, read, strict=True)}
    print(locale, per, compared)
    assert len(read[1]) == 2  # the workbook's second sheet
    assert all(counts["numbers"] == 1_155 and counts["dates"] == COUNT for counts in compared.values())


def _with_periods(table: Table, per: Granularity) -> Table:
    """Return the table with other periods."""
    from datetime import UTC

    from usage_viewer.domain.period import Span, periods

    start = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp())
    end = datetime(2023, 5, 1, tzinfo=UTC) if per is Granularity.MONTH else None
    span = Span(start, start + COUNT * 3600 if end is None else int(end.timestamp()))
    column = PeriodColumn(np.arange(COUNT, dtype=np.int32), periods(span, per, UTC))
    return Table((column, *table.columns[1:]), table.rows)


def _open(locale: str, paths: list[Path]) -> list[Any]:
    done = subprocess.run(
        [PYTHON, str(READER), locale, *map(str, paths)], capture_output=True, text=True, check=True, timeout=120
    )
    read: list[Any] = json.loads(done.stdout)
    return read


def _compare(table: Table, sheet: list[Any], form: Format) -> dict[str, int]:
    """Compare every cell of the rows; return how many of each kind were equal."""
    first = next(place for place, line in enumerate(sheet) if "model" in [cell[1] for cell in line]) + 1
    counts = {"numbers": 0, "dates": 0, "texts": 0}
    for row in range(table.rows):
        for place, column in enumerate(table.columns):
            kind, shown, number, style = sheet[first + row][place]
            assert kind != "FORMULA"
            if isinstance(column, FigureColumn):
                exact = column.figures.at(row)
                if exact is None:
                    assert kind == "EMPTY"
                    continue
                tolerance = 1e-5 if form in (Format.CSV, Format.SEMICOLON_CSV) else 1e-15
                assert (kind, number) == ("VALUE", pytest.approx(float(exact), rel=tolerance, abs=0))
                counts["numbers"] += 1
            elif isinstance(column, PeriodColumn):
                start = datetime.fromtimestamp(int(column.periods.bounds[row]), column.periods.zone)
                counts["dates"] += 1
                if form in (Format.CSV, Format.SEMICOLON_CSV) and column.periods.per is Granularity.MONTH:
                    assert shown == column.labels[row]  # a text: CSV has no months
                    continue
                day = datetime(1899, 12, 30) + timedelta(days=number)
                assert (kind, style) == ("VALUE", "date"), (shown, form)
                assert abs(day - start.replace(tzinfo=None)) < timedelta(seconds=1)
            else:
                text = TEXTS[row % len(TEXTS)]
                if form in (Format.HTML, Format.XLSX):
                    assert kind == "TEXT"
                    assert shown.split() == text.split()
                    assert not shown.startswith("'")
                counts["texts"] += kind == "TEXT"
    return counts
