"""The command line where costs are older or newer than usage, restated, negative, or in two currencies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.command_line import Table
from usage_viewer.demo.server.faults import Fault, Request
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.catalog import DATASETS

NOW = int(datetime(2026, 11, 20, 10, 30, tzinfo=UTC).timestamp())
HOUR = 3600
OPEN_DAYS = ("--from", "2026-11-12", "--to", "2026-11-21")
CLOSED_DAYS = ("--from", "2026-11-01", "--to", "2026-11-04")
JSON = ("--format", "json")


@dataclass
class Program:
    """The command line on a file, in front of a server with the same clock, which may be put forward."""

    directory: Path
    organization: SyntheticOrganization
    now: float = NOW
    servers: list[DemoServer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = DemoServer(self.organization, clock=lambda: self.now)
        self.server.__enter__()
        self.table = Table(self.server, self.directory / "usage.duckdb", self.server.key, lambda: self.now)

    def rows(self, dataset: str, *arguments: str) -> list[dict[str, Any]]:
        return list(self.table("--dataset", dataset, *arguments, *JSON).rows)


Start = Callable[..., Program]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    programs: list[Program] = []

    def run(**options: Any) -> Program:
        programs.append(Program(tmp_path, SyntheticOrganization(anchor=NOW, **options)))
        return programs[-1]

    yield run
    for program in programs:
        program.server.__exit__(None, None, None)


def total(rows: list[dict[str, Any]], name: str = "amount") -> Decimal:
    return sum((Decimal(row[name]) for row in rows if row[name] is not None), Decimal())


def test_costs_older_than_usage_are_said_and_loaded_when_asked_for(start: Start) -> None:
    program = start()
    usage = ("--dataset", "completions", "--group-by", "model", *OPEN_DAYS)
    program.rows("spend", "--group-by", "model", *OPEN_DAYS)
    program.now += 5 * HOUR
    printed = program.table(*usage)
    assert "Cost (USD)" in printed.out
    assert (
        "Cost: Complete: 9 days, 4 days may still change. These may have changed since they were loaded:"
        in printed.err
    )
    asked = program.table(*usage, "--metrics", "num_model_requests,cost", *JSON)
    assert asked.status == 0
    assert "may have changed" not in asked.err.replace("Complete: 9 days, but these", "")
    spend = [
        row for row in program.rows("spend", "--group-by", "service", *OPEN_DAYS) if row["service"] == "completions"
    ]
    assert total(asked.rows, "cost") == total(spend) > 0


def test_usage_older_than_costs_is_loaded_again_with_the_cost(start: Start) -> None:
    program = start()
    usage = ("--dataset", "completions", "--group-by", "model", *OPEN_DAYS)
    before = program.table(*usage, *JSON).rows
    program.now += 5 * HOUR
    rows = program.table(*usage, "--metrics", "num_model_requests,cost", *JSON).rows
    assert total(rows, "num_model_requests") > total(before, "num_model_requests")
    assert total(rows, "cost") > 0


def test_day_that_is_restated_after_its_attribution_is_attributed_again(start: Start) -> None:
    program = start()
    spend = ("--group-by", "model,user_id", *OPEN_DAYS)
    first = total(program.rows("spend", *spend))
    program.now += 20 * HOUR
    assert total(program.rows("spend", *spend)) == total(program.rows("costs", *OPEN_DAYS)) != first


def test_negative_costs_add_up_and_are_shown_as_they_are(start: Start) -> None:
    """Every amount of the bill is turned into a refund."""
    program = start()
    path = DATASETS["costs"].path
    costs = {
        row["line_item"]: row["amount"] for row in program.rows("costs", "--group-by", "line_item", *CLOSED_DAYS)
    }

    def refund(request: Request) -> Fault | None:
        return Fault(edit=_negate) if request.path == path else None

    program.server.faults = refund
    rows = program.rows("spend", "--group-by", "line_item", "--refetch", *CLOSED_DAYS)
    assert {row["line_item"]: row["amount"] for row in rows} == {line: -amount for line, amount in costs.items()}


def _negate(page: Any) -> Any:
    for bucket in page["data"]:
        for result in bucket["results"]:
            value = result["amount"]["value"]
            result["amount"]["value"] = f"-{value}".replace("--", "") if isinstance(value, str) else -value
    return page


def test_two_currencies_are_never_added(start: Start) -> None:
    program = start(currencies=("usd", "eur"))
    printed = program.table("--dataset", "spend", "--group-by", "model", *CLOSED_DAYS)
    assert "Currency" in printed.out.splitlines()[0]
    assert {line.split("\t")[1] for line in printed.out.splitlines()[1:]} >= {"USD", "EUR"}
    spend = program.rows("spend", "--group-by", "currency", *CLOSED_DAYS)
    costs = program.rows("costs", "--group-by", "currency", *CLOSED_DAYS)
    assert {row["currency"]: row["amount"] for row in spend} == {row["currency"]: row["amount"] for row in costs}
    assert {row["currency"] for row in costs} == {"usd", "eur"}
    usage = program.rows(
        "completions", "--group-by", "project_id", "--metrics", "num_model_requests,cost", *CLOSED_DAYS
    )
    own = [
        row
        for row in program.rows("spend", "--group-by", "service,currency", *CLOSED_DAYS)
        if row["service"] == "completions"
    ]
    for row in own:
        assert total([item for item in usage if item["currency"] == row["currency"]], "cost") == row["amount"]
