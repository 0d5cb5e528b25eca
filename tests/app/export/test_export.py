"""Tests each format by reading it back with an independent reader."""

import csv
import html.parser
import io
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage_viewer.app.export import (
    TEXT_FORMATS,
    Export,
    Format,
    Provenance,
    chunks,
    commas_for_tabs,
    estimated_size,
    render,
    sized_chunks,
)
from usage_viewer.app.export.spreadsheet_safety import harmless, printable
from usage_viewer.domain.figures import Number
from usage_viewer.domain.table import Table
from usage_viewer.domain.view_parts import Value

MakeTable = Callable[..., Table]

PROVENANCE = Provenance("Completions", "2026-10-24 – 2026-11-22", "UTC", "per day", filters_text='a "b",\t<c>|d')

WORDS = st.text(st.characters(), max_size=12)
VALUES = st.none() | WORDS
COUNTS = st.none() | st.integers(-(10**30), 10**30)
MONEY = st.none() | st.decimals(-(10**20), 10**20, allow_nan=False)
SHARES = st.none() | st.floats(0, 1) | st.floats(0, 1e12)
ROWS = st.lists(st.tuples(VALUES, COUNTS, MONEY, SHARES), max_size=12)
Row = tuple[Value, int | None, Decimal | None, float | None]

given_rows = given(ROWS)
relaxed = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


def exported(table: Table, **options: Any) -> Export:
    """Return an export of all rows."""
    return Export(table, np.arange(table.rows, dtype=np.int64), **options)


def tabled(make_table: MakeTable, rows: list[Row]) -> Table:
    """Return a table with the columns model, count, money and share."""
    texts: list[Value] = [row[0] for row in rows]
    figures = {name: [row[place] for row in rows] for place, name in enumerate(("count", "money", "share"), 1)}
    return make_table({"model": texts}, figures)


def number(text: str) -> Decimal | None:
    """Return the number of a cell, None if it is empty."""
    return Decimal(text) if text else None


def check_cells(cells: list[list[str]], rows: list[Row]) -> None:
    """Check that the cells equal the rows."""
    assert [line[0] for line in cells] == ["(none)" if row[0] is None else harmless(row[0]) for row in rows]
    assert [number(line[1]) for line in cells] == [row[1] for row in rows]
    assert [number(line[2]) for line in cells] == [row[2] for row in rows]
    for line, row in zip(cells, rows, strict=True):
        if row[3] is None:
            assert line[3] == ""
        else:
            assert float(line[3]) == pytest.approx(row[3], rel=1e-5, abs=0)


class Cells(html.parser.HTMLParser):
    """Collects the texts of the cells of each line, and the attributes of those with numbers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.lines: list[list[str]] = []
        self.attributes: list[dict[str, str | None]] = []
        self.caption = ""
        self._into: Callable[[str], None] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.lines.append([])
        elif tag in ("td", "th"):
            self.lines[-1].append("")
            self._into = self._add_to_cell
            if any(name == "sdval" for name, _ in attrs):
                self.attributes.append(dict(attrs))
        elif tag == "caption":
            self._into = self._add_to_caption
        elif tag == "br":
            self._add_to_cell("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "caption"):
            self._into = None

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into(data)

    def _add_to_cell(self, text: str) -> None:
        self.lines[-1][-1] += text

    def _add_to_caption(self, text: str) -> None:
        self.caption += text


@given_rows
@relaxed
def test_tsv_is_read_back(make_table: MakeTable, rows: list[Row]) -> None:
    text = render(exported(tabled(make_table, rows)), Format.TSV)
    head, *lines = csv.reader(io.StringIO(text, newline=""), "excel-tab", strict=True)
    assert head == ["model", "count", "money", "share"]
    check_cells(lines, rows)


@given_rows
@relaxed
def test_csv_is_read_back(make_table: MakeTable, rows: list[Row]) -> None:
    text = render(exported(tabled(make_table, rows), decimal_point=","), Format.CSV)
    head, *lines = csv.reader(io.StringIO(text, newline=""), "excel", strict=True)
    assert head == ["model", "count", "money", "share"]
    assert text.endswith("\r\n")
    check_cells(lines, rows)


@given_rows
@relaxed
def test_html_is_read_back(make_table: MakeTable, rows: list[Row]) -> None:
    text = render(exported(tabled(make_table, rows)), Format.HTML)
    cells = Cells(text)
    head, *lines = cells.lines
    assert head == ["model", "count", "money", "share"]
    for line, row in zip(lines, rows, strict=True):
        assert line[0] == " ".join(printable("(none)" if row[0] is None else row[0]).splitlines())
    check_cells([["", *line[1:]] for line in lines], [("", *row[1:]) for row in rows])


@given_rows
@relaxed
def test_html_numbers_are_exact_in_what_spreadsheets_read(make_table: MakeTable, rows: list[Row]) -> None:
    present = [figure for row in rows for figure in row[1:3] if figure is not None]
    table = tabled(make_table, rows)
    table = Table(table.columns[:3], table.rows)
    attributes = Cells(render(exported(table), Format.HTML)).attributes
    assert [Decimal(cell["sdval"] or "") for cell in attributes] == present
    assert [Decimal(cell["x:num"] or "") for cell in attributes] == present
    assert {cell["sdnum"] for cell in attributes} <= {"1033;", "1033;0;#,##0"}


@given_rows
@relaxed
def test_json_is_read_back_exactly(make_table: MakeTable, rows: list[Row]) -> None:
    text = render(exported(tabled(make_table, rows)), Format.JSON)
    text.encode()
    read = json.loads(text, parse_int=int, parse_float=Decimal)
    assert [tuple(item)[:4] for item in map(dict.keys, read)] == [("model", "count", "money", "share")] * len(rows)
    assert [(item["model"], item["count"], item["money"]) for item in read] == [row[:3] for row in rows]
    assert [None if (share := item["share"]) is None else float(share) for item in read] == [row[3] for row in rows]


@given_rows
@relaxed
def test_markdown_row_is_one_line(make_table: MakeTable, rows: list[Row]) -> None:
    text = render(exported(tabled(make_table, rows)), Format.MARKDOWN)
    lines = text.splitlines()
    assert lines[:2] == ["| model | count | money | share |", "| --- | ---: | ---: | ---: |"]
    assert len(lines) == 2 + len(rows)
    for line, row in zip(lines[2:], rows, strict=True):
        unescaped = line.replace(r"\\", "").replace(r"\|", "")
        assert unescaped.count("|") == 5
        assert "<" not in line
        assert line.split(" | ")[-3] == ("–" if row[1] is None else str(row[1]))


@pytest.mark.parametrize("form", TEXT_FORMATS)
def test_joined_pieces_are_the_whole_text(form: Format, make_table: MakeTable) -> None:
    count = 12_345
    values: list[Value] = [f"m{row % 7}" for row in range(count)]
    numbers: list[Number | None] = [None if row % 11 == 0 else row for row in range(count)]
    export = exported(make_table({"model": values}, {"count": numbers}), provenance=PROVENANCE)
    pieces = list(chunks(export, form))
    assert max(piece.count("\n") for piece in pieces) <= 5_010
    whole = render(export, form)
    assert "".join(pieces) == whole
    assert whole.count("12344") == (3 if form is Format.HTML else 1)


@pytest.mark.parametrize("form", TEXT_FORMATS)
@pytest.mark.parametrize("count", [3, 2_500])
def test_sized_chunks_return_the_size(form: Format, count: int, make_table: MakeTable) -> None:
    export = exported(make_table({"model": [f"m{row:05}" for row in range(count)]}, {}))
    size, pieces = sized_chunks(export, form)
    assert size == estimated_size(export, form) == len("".join(pieces).encode())


@given(ROWS, st.booleans())
@relaxed
def test_commas_for_tabs_equal_the_csv(make_table: MakeTable, rows: list[Row], headers: bool) -> None:
    export = exported(tabled(make_table, rows), headers=headers)
    tsv, csv_text = (render(export, form).encode() for form in (Format.TSV, Format.CSV))
    pieces = commas_for_tabs(export, tsv)
    assert pieces is None or b"".join(pieces) == csv_text


def test_commas_for_tabs_at_any_length(make_table: MakeTable) -> None:
    count = 60_000
    values: list[Value] = [f"modèle {row}" for row in range(count)]
    export = exported(make_table({"model": values}, {"count": list(range(count)), "share": [0.5] * count}))
    pieces = list(commas_for_tabs(export, render(export, Format.TSV).encode()) or ())
    assert len(pieces) > 1
    assert b"".join(pieces) == render(export, Format.CSV).encode()


@pytest.mark.parametrize("model", ["a,b", 'a"b', "a\tb", "a\nb", "a\rb"])
def test_commas_for_tabs_refuse_cells_that_need_quotes(model: str, make_table: MakeTable) -> None:
    export = exported(make_table({"model": [model]}, {"share": [0.5]}))
    assert commas_for_tabs(export, render(export, Format.TSV).encode()) is None
    plain = exported(make_table({"model": ["a"]}, {"share": [0.5]}), decimal_point="٫")
    assert commas_for_tabs(plain, render(plain, Format.TSV).encode()) is None


@pytest.mark.parametrize("form", TEXT_FORMATS)
def test_rows_are_in_the_given_order(form: Format, make_table: MakeTable) -> None:
    table = make_table({"model": ["one", "two", "three"]}, {"count": [1, 2, 3]})
    text = render(Export(table, np.array([2, 0], np.int64)), form)
    assert text.index("three") < text.index("one")
    assert "two" not in text


@pytest.mark.parametrize("form", TEXT_FORMATS)
@pytest.mark.parametrize("with_provenance", [False, True])
def test_export_without_rows(form: Format, with_provenance: bool, make_table: MakeTable) -> None:
    table = make_table({"model": ["one"]}, {"count": [1]})
    export = Export(table, np.empty(0, np.int64), PROVENANCE if with_provenance else None)
    text = render(export, form)
    if form is Format.JSON:
        read = json.loads(text)
        assert (read["rows"] if with_provenance else read) == []
    elif form is Format.HTML:
        assert Cells(text).lines == [["model", "count"]]
    else:
        assert "model" in text
        assert "one" not in text


def test_missing_value_of_a_single_column_is_a_row(make_table: MakeTable) -> None:
    table = make_table({}, {"count": [1, None, 3]})
    for form, dialect in ((Format.TSV, "excel-tab"), (Format.CSV, "excel")):
        text = render(exported(table, headers=False), form)
        assert list(csv.reader(io.StringIO(text, newline=""), dialect)) == [["1"], [""], ["3"]]


def test_export_without_headers(make_table: MakeTable) -> None:
    table = make_table({"model": ["one"]}, {"count": [1]})
    assert render(exported(table, headers=False), Format.TSV) == "one\t1\n"
    assert render(exported(table, headers=False), Format.CSV) == "one,1\r\n"
    assert Cells(render(exported(table, headers=False), Format.HTML)).lines == [["one", "1"]]


def test_headers_are_harmless(make_table: MakeTable) -> None:
    names = {"model": "=1+1", "count": '<b>"x"\t@</b>'}
    table = make_table({"model": ["one"]}, {"count": [1]}, names=names)
    (head, _) = csv.reader(io.StringIO(render(exported(table), Format.TSV), newline=""), "excel-tab")
    assert head == ["'=1+1", '<b>"x"\t@</b>']
    assert Cells(render(exported(table), Format.HTML)).lines[0] == ["=1+1", '<b>"x"\t@</b>']
    assert render(exported(table), Format.MARKDOWN).startswith('| =1+1 | &lt;b&gt;"x" @&lt;/b&gt; |\n')


def test_negative_numbers_stay_numbers(make_table: MakeTable) -> None:
    table = make_table({"model": ["-5"]}, {"count": [-5], "money": [Decimal("-0.10")], "share": [-0.5]})
    assert render(exported(table, headers=False), Format.TSV) == "'-5\t-5\t-0.10\t-0.5\n"
    assert render(exported(table, headers=False), Format.CSV) == "'-5,-5,-0.10,-0.5\r\n"
    assert [cell["sdval"] for cell in Cells(render(exported(table), Format.HTML)).attributes] == [
        "-5",
        "-0.10",
        "-0.5",
    ]


def test_only_tsv_has_the_decimal_point_of_the_locale(make_table: MakeTable) -> None:
    export = exported(
        make_table({}, {"money": [Decimal("1.5")], "share": [0.25]}), headers=False, decimal_point=","
    )
    assert render(export, Format.TSV) == "1,5\t0,25\n"
    assert render(export, Format.CSV) == "1.5,0.25\r\n"
    assert 'sdval="1.5"' in render(export, Format.HTML)
    assert '"money": 1.5' in render(export, Format.JSON)


def test_period_has_a_label_in_tsv_and_its_bounds_in_json(make_table: MakeTable) -> None:
    export = exported(make_table({"model": ["one", "two"]}, {"count": [1, 2]}, days=True))
    assert render(export, Format.TSV) == "Day (UTC)\tmodel\tcount\n2026-09-21\tone\t1\n2026-09-22\ttwo\t2\n"
    assert json.loads(render(export, Format.JSON))[0] == {
        "period_start": "2026-09-21T00:00:00Z",
        "period_end": "2026-09-22T00:00:00Z",
        "model": "one",
        "count": 1,
    }


def test_json_has_ids_and_optional_names(make_table: MakeTable) -> None:
    groups: dict[str, list[str | None]] = {"project_id": ["proj_1", None], "model": ["one", "two"]}
    table = make_table(groups, {"count": [1, None]}, labels={"proj_1": "Search"})
    assert json.loads(render(exported(table), Format.JSON)) == [
        {"project_id": "proj_1", "model": "one", "count": 1},
        {"project_id": None, "model": "two", "count": None},
    ]
    assert json.loads(render(exported(table, names=True), Format.JSON)) == [
        {"project_id": "proj_1", "project_id_name": "Search", "model": "one", "count": 1},
        {"project_id": None, "project_id_name": None, "model": "two", "count": None},
    ]


def test_json_has_booleans(make_table: MakeTable) -> None:
    table = make_table({"batch": ["true", "false", None, "maybe"]}, {}, labels={"true": "yes"}, boolean=True)
    assert [item["batch"] for item in json.loads(render(exported(table), Format.JSON))] == [
        True,
        False,
        None,
        "maybe",
    ]
    text = make_table({"model": ["true"]}, {})
    assert json.loads(render(exported(text), Format.JSON)) == [{"model": "true"}]


def test_source_line_is_in_every_format(make_table: MakeTable) -> None:
    export = exported(make_table({"model": ["one"]}, {"count": [1]}), provenance=PROVENANCE)
    for form, dialect in ((Format.TSV, "excel-tab"), (Format.CSV, "excel")):
        first, *rest = csv.reader(io.StringIO(render(export, form), newline=""), dialect)
        assert first == [PROVENANCE.line]
        assert rest == [["model", "count"], ["one", "1"]]
    assert Cells(render(export, Format.HTML)).caption == PROVENANCE.text
    markdown = render(export, Format.MARKDOWN)
    assert markdown.endswith('per day · filter: a "b", &lt;c&gt;\\|d\n')
    assert "\n\nUsage Viewer · Completions" in markdown
    read = json.loads(render(export, Format.JSON))
    assert read["rows"] == [{"model": "one", "count": 1}]
    assert read["provenance"]["filters_text"] == PROVENANCE.filters_text


@pytest.mark.parametrize("form", TEXT_FORMATS)
def test_size_is_estimated(form: Format, make_table: MakeTable) -> None:
    count = 9_000
    values: list[Value] = [f"größe-{row % 91}" for row in range(count)]
    export = exported(make_table({"model": values}, {"count": [row * row for row in range(count)]}))
    assert estimated_size(export, form) == pytest.approx(len(render(export, form).encode()), rel=0.05)
    few = replace(export, rows=export.rows[:10])
    assert estimated_size(few, form) == len(render(few, form).encode())
