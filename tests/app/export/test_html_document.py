"""Tests what mail programs and spreadsheets read from HTML."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC
from decimal import Decimal

import numpy as np
import pytest

from usage_viewer.app.export import Export, Format, render, text_cell_document, totals_of
from usage_viewer.domain.catalog import DATASETS, Kind
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.last_used_column import LastUsedColumn
from usage_viewer.domain.names import NEVER
from usage_viewer.domain.period import Granularity, Span, periods
from usage_viewer.domain.table import GroupColumn, PeriodColumn, Table

MakeTable = Callable[..., Table]


class Grouped:
    """Shows numbers with separators."""

    def numbers(self, figures: NumberColumn, kind: Kind, unit: str) -> list[str]:
        """Return the text of each number."""
        return ["–" if value is None else f"{value:,}" for value in figures.listed()]

    def amounts(self, figures: NumberColumn, units: Sequence[int], decimals: int) -> list[str]:
        """Return the units of each amount."""
        return [f"{Decimal(unit).scaleb(-decimals)}" for unit in units]


def cells(text: str) -> list[str]:
    """Return the cells of the body."""
    return re.findall(r"<td.*?</td>", text)


def test_numbers_are_shown_and_exact(make_table: MakeTable) -> None:
    table = make_table({}, {"count": [32_042_106, None], "money": [Decimal("1234.5678"), Decimal(1)]})
    text = render(Export(table, np.arange(2), shown=Grouped()), Format.HTML)
    assert cells(text)[:3] == [
        '<td align=right class=n sdval="32042106" sdnum="1033;0;#,##0" x:num="32042106">32,042,106</td>',
        '<td align=right class=x sdval="1234.5678" sdnum="1033;" x:num="1234.5678">1,234.5678</td>',
        "<td></td>",
    ]


@pytest.mark.parametrize(
    ("per", "cell"),
    [
        (Granularity.DAY, 'sdval="46329" sdnum="1033;0;YYYY-MM-DD" x:num="46329">2026-11-03<'),
        (Granularity.HOUR, 'sdval="46329" sdnum="1033;0;YYYY-MM-DD HH:MM:SS" x:num="46329">2026-11-03 00:00<'),
        (Granularity.MONTH, 'sdval="46329" sdnum="1033;0;YYYY-MM-DD" x:num="46329">2026-11<'),
    ],
)
def test_dates_are_dates(per: Granularity, cell: str) -> None:
    start = 1_793_664_000
    table = Table((PeriodColumn(np.zeros(1, np.int32), periods(Span(start, start + 86_400), per, UTC)),), 1)
    assert cell in render(Export(table, np.arange(1)), Format.HTML)


def test_last_use_is_a_date_and_never_is_a_text() -> None:
    keys = GroupColumn(
        DATASETS["completions"].dimension("api_key_id"),
        np.arange(3, dtype=np.int32),
        ("a", "b", "c"),
        ("a", "b", "c"),
    )
    column = LastUsedColumn(keys, (1_793_664_000 + 60, NEVER, None), UTC)
    shown = cells(render(Export(Table((column,), 3), np.arange(3)), Format.HTML))
    assert 'sdnum="1033;0;YYYY-MM-DD HH:MM:SS"' in shown[0]
    assert shown[0].endswith(">2026-11-03 00:01</td>")
    assert [re.sub("<.*?>", "", cell) for cell in shown[1:]] == ["never", ""]
    assert not [cell for cell in shown[1:] if "sdval" in cell]


def test_hours_are_exact_to_the_second() -> None:
    hours = periods(Span(1_793_664_000, 1_793_664_000 + 86_400), Granularity.HOUR, UTC)
    table = Table((PeriodColumn(np.arange(24, dtype=np.int32), hours),), 24)
    days = re.findall(r'sdval="([^"]+)"', render(Export(table, np.arange(24)), Format.HTML))
    assert [abs(float(day) * 24 - 46329 * 24 - hour) < 1e-6 / 3.6 for hour, day in enumerate(days)] == [True] * 24


def test_text_is_text_without_an_apostrophe(make_table: MakeTable) -> None:
    names = ["=1+1", "+1", "@a", "1e5", "2026-11-03"]
    text = render(Export(make_table({"model": names}), np.arange(5)), Format.HTML)
    for name, cell in zip(names, cells(text), strict=True):
        assert cell.endswith(f'sdnum="1033;0;@">{name}</td>')
        assert "mso-number-format" in cell
    assert cells(text_cell_document("=1+1")) == cells(text)[:1]


def test_line_break_does_not_start_a_new_cell(make_table: MakeTable) -> None:
    text = render(Export(make_table({"model": ["x\n=1+1"]}), np.arange(1)), Format.HTML)
    assert "<br" not in text
    assert "x =1+1" in text


def test_totals_follow_the_rows_of_a_selection(make_table: MakeTable) -> None:
    table = make_table({"model": ["a", "b", "c"]}, {"count": [1, 2, 4]})
    rows = np.array([0, 2])
    export = Export(table, rows, totals=totals_of(table, rows, DATASETS["completions"]))
    assert render(export, Format.TSV).splitlines()[-1] == "Total of 2 selected rows\t5"
    assert render(export, Format.CSV).splitlines()[-1] == "Total of 2 selected rows,5"
    assert render(export, Format.SEMICOLON_CSV).splitlines()[-1] == "Total of 2 selected rows;5"
    assert render(export, Format.MARKDOWN).splitlines()[-1] == "| Total of 2 selected rows | 5 |"
    assert 'sdval="5"' in cells(render(export, Format.HTML))[-1]


def test_csv_with_semicolons_has_decimal_commas(make_table: MakeTable) -> None:
    table = make_table({"model": ["a;b", "=1"]}, {"money": [Decimal("1234.5"), None], "share": [0.25, 1.0]})
    text = render(Export(table, np.arange(2)), Format.SEMICOLON_CSV)
    assert text == 'model;money;share\r\n"a;b";1234,5;0,25\r\n\'=1;;1\r\n'
