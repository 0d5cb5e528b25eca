"""Every figure of money tells how it was found: in the table, in copies and files, and in snapshots."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.sessions import NOW, SessionRig, days, fetch
from tests.rigs.workbook_reader import read_sheets
from usage_viewer.app.export import Export, Format, file_pieces, provenance_of_result, render
from usage_viewer.app.session.result import ViewResult
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.catalog import DATASETS, MONEY
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.cost_figures import has_costs, with_costs
from usage_viewer.domain.metrics import Kind
from usage_viewer.domain.money_origin import ASSUMED, BILLED, BY_TOKENS, origin_text
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.spend import Attribution
from usage_viewer.domain.table import FigureColumn
from usage_viewer.domain.view import ViewState

RANGE = days("10-21", "10-23").range
CODES = {Attribution.BILLED: BILLED, Attribution.BY_TOKENS: BY_TOKENS, Attribution.ASSUMED_FACTOR: ASSUMED}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SessionRig]:
    with DemoServer(SyntheticOrganization(anchor=NOW), clock=lambda: NOW) as server:
        rig = SessionRig(server, tmp_path_factory.mktemp("origin") / "usage.duckdb")
        session = rig.session()
        fetch(session, view_of("spend", compare=Comparison.PREVIOUS))
        fetch(session, view_of("costs", compare=Comparison.PREVIOUS))
        for name in DATASETS:
            fetch(session, view_of(name, compare=Comparison.PREVIOUS))
        yield rig
        session.close()


@pytest.fixture
def session(rig: SessionRig) -> StoreSession:
    return rig.sessions[0]


def view_of(name: str, **fields: Any) -> ViewState:
    """Return a view of the range with every figure of money that the dataset can show, and a few others."""
    data = with_costs(DATASETS[name])
    columns = [figure.name for figure in data.columns]
    grouping = fields.pop("grouping", DATASETS[name].default_grouping)
    return ViewState(name, RANGE, grouping=grouping, columns=tuple(columns), **fields)


def is_money(column: FigureColumn) -> bool:
    """Report whether a column shows an amount of money or a price, by what users see."""
    return column.unit == MONEY or column.kind is Kind.PRICE or bool(column.measure and column.measure.isupper())


def money_of(result: ViewResult) -> list[FigureColumn]:
    return [column for column in result.table.figures if is_money(column)]


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("per", [Granularity.TOTAL, Granularity.DAY])
@pytest.mark.parametrize("compare", [Comparison.NONE, Comparison.PREVIOUS])
def test_every_figure_of_money_has_an_origin_wherever_it_has_an_amount(
    session: StoreSession, name: str, per: Granularity, compare: Comparison
) -> None:
    result = session.look(view_of(name, per=per, compare=compare))
    money = money_of(result)
    assert bool(money) is (name in ("spend", "costs") or has_costs(with_costs(DATASETS[name])))
    for column in result.table.figures:
        assert (column.origin is not None) is (column in money), column.key
    for column in money:
        assert column.origin is not None
        codes = column.origin.codes(result.table.rows).tolist()
        for code, value in zip(codes, column.figures.listed(), strict=True):
            assert bool(code) is (value is not None), column.key
        if len(codes):
            assert column.origin.total == reduce(or_, codes), column.key


def test_origin_of_each_row_is_that_of_its_parts(session: StoreSession) -> None:
    grouping = ("model", "batch", "line_item")
    view = replace(view_of("spend", grouping=grouping), columns=("amount", "price"))
    parts = session.look(view.with_grouping((*grouping, "attribution")))
    expected: dict[tuple[object, ...], int] = defaultdict(int)
    for row in range(parts.table.rows):
        values = {group.name: group.value(row) for group in parts.table.groups}
        expected[tuple(values[name] for name in grouping)] |= CODES[Attribution(str(values["attribution"]))]
    result = session.look(view)
    seen = set()
    for column in money_of(result):
        assert column.origin is not None
        codes = column.origin.codes(result.table.rows)
        for row in range(result.table.rows):
            if column.value(row) is not None:
                values = {group.name: group.value(row) for group in result.table.groups}
                assert int(codes[row]) == expected[tuple(values[name] for name in grouping)]
                seen.add(int(codes[row]))
    assert {BILLED, BILLED | BY_TOKENS} <= seen
    whole = session.look(view.with_grouping(())).table.figure("amount")
    assert whole.origin is not None
    assert origin_text(whole.origin.total) == origin_text(BILLED | BY_TOKENS) == "billed · attributed by tokens"


def test_costs_are_billed_and_so_are_their_changes_by_price_and_volume(session: StoreSession) -> None:
    view = view_of("costs", compare=Comparison.PREVIOUS)
    result = session.look(view)
    split = [column for column in money_of(result) if column.key.change is not None]
    assert len(split) >= 3
    for column in money_of(result):
        assert column.origin is not None
        assert set(column.origin.codes(result.table.rows).tolist()) <= {0, BILLED}


def test_change_has_the_origin_of_both_periods(session: StoreSession) -> None:
    result = session.look(view_of("spend", grouping=("model",), compare=Comparison.PREVIOUS))
    plain, before = (result.table.figure(ColumnKey("amount", compared=old)).origin for old in (False, True))
    changes = [column for column in money_of(result) if column.name == "amount" and column.key.change is not None]
    assert plain is not None
    assert before is not None
    assert changes
    for column in changes:
        assert column.origin is not None
        both = plain.codes(result.table.rows) | before.codes(result.table.rows)
        assert column.origin.codes(result.table.rows).tolist() == both.tolist()


@pytest.mark.parametrize("name", ["spend", "costs", "completions", "images"])
def test_copies_say_it_for_every_figure_of_money(session: StoreSession, name: str, tmp_path: Path) -> None:
    result = session.look(view_of(name, grouping=("project_id",)))
    rows = result.table.ordered(result.view.order)
    source = provenance_of_result(result, Names())
    export = Export(result.table, rows, source)
    copied = json.loads(render(export, Format.JSON))
    path = tmp_path / "table.xlsx"
    path.write_bytes(b"".join(file_pieces(export, Format.XLSX)))
    header, *cells = read_sheets(path)["Usage"]
    letters = list(header)
    labels = [cell.value for cell in header.values()]
    for column in money_of(result):
        assert column.origin is not None
        place = labels.index(column.label)
        assert labels[place + 1] == f"{column.label}, attribution"
        for at, (row, record) in enumerate(zip(rows.tolist(), copied["rows"], strict=True)):
            words = column.origin.text(row)
            values = (record[f"{column.key.text}_attribution"] or "").split("+")
            assert " · ".join(origin_text(CODES[Attribution(value)]) for value in values if value) == words
            cell = cells[at].get(letters[place + 1])
            assert ("" if cell is None else cell.value) == words
    assert source.attribution_text
    assert f"amounts: {source.attribution_text.replace(' · ', ', ')}" in source.text
    assert ("Amounts", source.attribution_text) in source.lines


def test_snapshot_keeps_the_attribution_of_each_part(session: StoreSession, tmp_path: Path) -> None:
    import duckdb

    session.save_snapshot(view_of("spend"), tmp_path)
    (file,) = tmp_path.glob("spend*.parquet")
    found = duckdb.connect().execute("SELECT DISTINCT attribution FROM read_parquet(?)", [str(file)]).fetchall()
    assert {value for (value,) in found} >= {Attribution.BILLED.value, Attribution.BY_TOKENS.value}
