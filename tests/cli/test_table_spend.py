"""`usage-viewer table --dataset spend`: groupings, figures, reasons, and what it says without costs."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.app.test_unavailable import failing
from tests.rigs.sample_organization import sample_organization
from usage_viewer.demo.server.server import DemoServer

NOW = int(datetime(2026, 11, 20, 10, 30, tzinfo=UTC).timestamp())
DAYS = ("--from", "2026-11-01", "--to", "2026-11-03")

Table = Callable[..., Any]


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer(sample_organization(NOW), clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def ask(table: Any) -> Any:
    table.now = lambda: NOW
    return table


def amounts(rows: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(row["amount"]) for row in rows), Decimal())


def test_spend_by_user_and_model_adds_up_to_the_costs(ask: Table) -> None:
    spend = ask("--dataset", "spend", "--group-by", "user_id,model", *DAYS, "--format", "json")
    assert (spend.status, spend.err) == (0, "")
    figures = ("amount", "amount_by_tokens", "amount_assumed")
    assert list(spend.rows[0]) == [
        "user_id",
        "model",
        *(f"{name}{end}" for name in figures for end in ("", "_attribution")),
    ]
    assert {row["amount_attribution"] for row in spend.rows} <= {"billed", "by_tokens", "billed+by_tokens"}
    costs = ask("--dataset", "costs", "--group-by", "line_item", *DAYS, "--format", "json")
    assert amounts(spend.rows) == amounts(costs.rows) > 0
    assert len({row["user_id"] for row in spend.rows}) > 5


def test_residual_is_shown_with_its_reason(ask: Table) -> None:
    printed = ask("--dataset", "spend", "--group-by", "model,reason", "--sort", "-amount", *DAYS)
    lines = [line.split("\t") for line in printed.out.splitlines()]
    heads = ["Amount (USD)", "Attributed by tokens (USD)", "By an assumed factor"]
    assert lines[0] == ["Model", "Reason without usage", *heads]
    assert lines[-1] == ["(none)", "credit", "-5", "", ""]
    figures = [Decimal(line[2]) for line in lines[1:]]
    assert figures == sorted(figures, reverse=True)


def test_prices_are_per_million_tokens(ask: Table) -> None:
    columns = ("--metrics", "price,priced_amount,priced_quantity")
    rows = ask("--dataset", "spend", "--group-by", "line_item,batch", *columns, *DAYS, "--format", "json").rows
    priced = [row for row in rows if row["price"] is not None]
    assert len(priced) > 20
    for row in priced:
        assert abs(row["price"] * row["priced_quantity"] - row["priced_amount"]) <= row["priced_amount"] / 10**7
    assert [row["line_item"] for row in rows if row["price"] is None] == ["complimentary daily tokens"]


def test_each_row_says_how_much_of_its_amount_was_attributed(ask: Table) -> None:
    rows = ask("--dataset", "spend", "--group-by", "attribution", *DAYS, "--format", "json").rows
    by_attribution = {row["attribution"]: row for row in rows}
    tokens, billed = by_attribution["by_tokens"], by_attribution["billed"]
    assert tokens["amount_by_tokens"] == tokens["amount"] > 0
    assert (billed["amount_by_tokens"], billed["amount_assumed"]) == (None, None)
    by_model = ask("--dataset", "spend", "--group-by", "model", *DAYS, "--format", "json").rows
    parts = [Decimal(row["amount_by_tokens"]) for row in by_model if row["amount_by_tokens"] is not None]
    assert sum(parts, Decimal()) == tokens["amount"]


def test_without_costs_the_reason_is_an_error_and_usage_works(ask: Table, server: DemoServer) -> None:
    server.faults = failing("costs", 403, "Your key may not read costs.")
    printed = ask("--dataset", "spend", *DAYS)
    assert printed.status != 0
    assert "cost" in printed.err.lower()
    assert ask("--dataset", "completions", *DAYS).status == 0


WEEK = ("--from", "2026-11-01", "--to", "2026-11-07")


@pytest.fixture
def stored(make_table: Any, server: DemoServer) -> Table:
    """A `table` command over a database that later commands find again."""
    made: Table = make_table(server, NOW)
    return made


def test_cost_is_shown_where_costs_are_stored_and_what_is_missing_is_said(stored: Table) -> None:
    usage = ("--dataset", "completions", "--group-by", "model", *WEEK)
    before = stored(*usage)
    assert (before.status, before.err) == (0, "")
    assert "Cost" not in before.out
    stored("--dataset", "spend", "--group-by", "model", *DAYS)
    printed = stored(*usage)
    assert printed.status == 0, "all that was asked for is there"
    assert printed.out.splitlines()[0] == f"{before.out.splitlines()[0]}\tCost (USD)"
    assert printed.err == (
        "Cost is incomplete: 2 of 6 days loaded. Missing:\n"
        "  2026-11-03T00:00:00Z to 2026-11-07T00:00:00Z (4 days)\n"
    )
    asked = stored(*usage, "--metrics", "num_model_requests,cost,cost_per_request", "--format", "json")
    assert (asked.status, asked.err) == (0, "")
    assert all(row["cost_per_request"] for row in asked.rows if row["cost"])


def test_refused_costs_leave_usage_and_the_status_says_it(stored: Table, server: DemoServer) -> None:
    server.faults = failing("costs", 403, "Your key may not read costs.")
    columns = ("--metrics", "num_model_requests,cost", "--group-by", "model", "--format", "json")
    printed = stored("--dataset", "completions", *columns, *WEEK)
    assert printed.status == 3
    assert "Costs: " in printed.err
    assert "Your key may not read costs." in printed.err
    assert "Cost is incomplete: not available. Missing:" in printed.err
    assert {row["cost"] for row in printed.rows} == {None}
    assert all(row["num_model_requests"] for row in printed.rows)
