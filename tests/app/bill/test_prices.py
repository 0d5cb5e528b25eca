"""Prices of the sample organization: the planted changes on their days, and no others."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from tests.rigs.sessions import NOW, SessionRig, days, fetch
from usage_viewer.app.bill.price_table import price_lines, price_table, units_text
from usage_viewer.app.bill.prices import (
    NO_COSTS,
    ONE_ORGANIZATION,
    PriceList,
    day_start,
    lines_of_cell,
    list_prices,
    price_view,
)
from usage_viewer.app.session.combined import CombinedSession
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.demo.world.planted_facts import PRICE_CHANGES
from usage_viewer.domain.verification import Cell

WEEKS = days("10-01", "11-18", dataset_name="spend")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreSession]:
    path = tmp_path_factory.mktemp("prices") / "usage.duckdb"
    with DemoServer(SyntheticOrganization(anchor=NOW), clock=lambda: NOW) as server:
        session = SessionRig(server, path).session()
        fetch(session, WEEKS)
        yield session
        session.close()


@pytest.fixture(scope="module")
def prices(session: StoreSession) -> PriceList:
    return list_prices(session)


def found_changes(prices: PriceList) -> dict[str, set[tuple[date, Fraction]]]:
    """Return the day and the ratio of each change, by the model or line item that it was planted for."""
    found: dict[str, set[tuple[date, Fraction]]] = {}
    for one in prices.prices:
        if one.price is not None and one.before is not None:
            names = [
                name for name in PRICE_CHANGES if one.line_item == name or one.line_item.startswith(f"{name}, ")
            ]
            assert len(names) == 1, f"{one.line_item} has a change that was not planted"
            change = (day_start(one.first_day).date(), Fraction(one.price) / Fraction(one.before))
            found.setdefault(names[0], set()).add(change)
    return found


def planted_changes(prices: PriceList) -> dict[str, set[tuple[date, Fraction]]]:
    first, last = day_start(prices.first_day), day_start(prices.last_day)
    planted = {
        name: {
            (datetime.fromtimestamp(moment, UTC).date(), ratio)
            for moment, ratio in changes
            if first < datetime.fromtimestamp(moment, UTC) <= last
        }
        for name, changes in PRICE_CHANGES.items()
    }
    return {name: changes for name, changes in planted.items() if changes}


def test_planted_changes_are_found_on_their_day_and_no_others(prices: PriceList) -> None:
    assert found_changes(prices) == planted_changes(prices)
    assert len(planted_changes(prices)) == 3
    changed = [one for one in prices.prices if one.line_item.startswith("o5, ") and one.before is not None]
    assert {one.line_item for one in changed} == {
        f"o5, {kind}" for kind in ("input", "cached input", "cache writes", "cache writes - 12hr", "output")
    }
    assert {one.change for one in changed} == {Decimal(-25)}


@pytest.mark.fuzz
def test_planted_changes_of_a_year_and_no_others(tmp_path: Path) -> None:
    with DemoServer(SyntheticOrganization(anchor=NOW), clock=lambda: NOW) as server:
        session = SessionRig(server, tmp_path / "usage.duckdb").session()
        whole_year = WEEKS.with_range(days("01-01", "11-18").range)
        fetch(session, whole_year)
        prices = list_prices(session)
        session.close()
    assert found_changes(prices) == planted_changes(prices)
    assert set(planted_changes(prices)) == set(PRICE_CHANGES)


def test_cost_of_a_change_is_its_difference_times_what_was_used_since(
    session: StoreSession, prices: PriceList
) -> None:
    (change,) = (
        one for one in prices.prices if one.line_item == "web search tool calls" and one.before is not None
    )
    since = session.look(price_view(change)).table
    quantity = since.figure("quantity").total
    assert (change.before, change.price) == (Decimal("0.0025"), Decimal("0.003"))
    assert isinstance(quantity, Decimal)
    assert change.cost == quantity * Decimal("0.0005")
    assert since.figure("amount").total == quantity * Decimal("0.003")


def test_no_price_without_quantity_on_open_days_and_for_small_quantities(prices: PriceList) -> None:
    by_line = {one.line_item: one for one in prices.prices}
    assert "complimentary daily tokens" not in by_line  # a credit has no quantity
    small = by_line["gpt-4.5-preview-2025-02-27, output"]  # at most 2,000 tokens an hour, two hours a week
    assert (small.price, small.before, small.cost) == (None, None, None)
    last_final = datetime(2026, 11, 16, tzinfo=UTC)  # the days after it were loaded within 72 hours
    assert day_start(prices.last_day) == last_final
    assert max(one.last_day for one in prices.prices) == prices.last_day


def test_prices_are_per_million_tokens_or_per_unit(prices: PriceList) -> None:
    units = {one.line_item: units_text(one.units, one.counts) for one in prices.prices}
    assert units["o5, input"] == "1M tokens"
    assert units["Vector storage"] == "GiB hour"
    assert units["web search tool calls"] == "unit"
    assert (units_text(1000, "tokens"), units_text(1, "tokens")) == ("1,000 tokens", "token")


def test_list_of_some_line_items_and_of_changed_ones(prices: PriceList) -> None:
    some = prices.of({"o5, input", "Vector storage"})
    assert {one.line_item for one in some.prices} == {"o5, input", "Vector storage"}
    assert (some.changes, len(some.changed.prices)) == (1, 2)
    assert price_lines(some)[0].endswith(": 2 line items. 1 price change.")
    assert price_table(some).rows == 3
    assert price_lines(prices.of({"Vector storage"}))[0].endswith("No price has changed on these days.")


def test_line_items_of_a_cell(session: StoreSession) -> None:
    model = Cell(groups=(("model", "o5"),))
    usage = days("11-02", "11-08", dataset_name="completions", grouping=("model",))
    fetch(session, usage)
    lines = lines_of_cell(session, usage, model)
    assert lines
    assert all(line.startswith("o5, ") for line in lines)
    assert lines_of_cell(session, usage.with_dataset("spend"), model) == lines
    costs = days("11-02", "11-08", dataset_name="costs", grouping=("line_item",))
    assert lines_of_cell(session, costs, Cell(groups=(("line_item", "Vector storage"),))) == {"Vector storage"}
    assert lines_of_cell(session, usage, Cell(groups=(("model", "no such model"),))) == set()


def test_problem_is_explained_without_data_and_for_several_organizations(tmp_path: Path) -> None:
    with DemoServer(SyntheticOrganization(anchor=NOW), clock=lambda: NOW) as server:
        session = SessionRig(server, tmp_path / "usage.duckdb").session(connected=False)
        assert price_lines(list_prices(session)) == [NO_COSTS]
        combined = CombinedSession({"one": session}, {"one": "One"}, clock=lambda: NOW)
        assert price_lines(list_prices(combined)) == [ONE_ORGANIZATION]
        session.close()
