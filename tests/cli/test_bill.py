"""`usage-viewer reconcile`, `prices` and `lines`: formats, exit status, and what it says besides the table."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.app.test_unavailable import failing
from tests.rigs.command_line import Printed
from tests.rigs.edited_answers import billed_usage_only, edited
from usage_viewer.app.bill.reconciliation import AGREES, NOT_PROVEN
from usage_viewer.app.profile.profile import Profile
from usage_viewer.cli.arguments import build_parser
from usage_viewer.cli.bill import run
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.keystore import MemoryKeystore

NOW = int(datetime(2026, 11, 20, 10, 30, tzinfo=UTC).timestamp())
DAYS = ("--from", "2026-11-02", "--to", "2026-11-06")

Ask = Callable[..., Printed]


@pytest.fixture(scope="module")
def organization() -> SyntheticOrganization:
    return SyntheticOrganization(anchor=NOW)


@pytest.fixture
def server(organization: SyntheticOrganization) -> Iterator[DemoServer]:
    with DemoServer(organization, clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def ask(server: DemoServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command with the process's streams and a database of its own."""
    profile = Profile(
        "default",
        base_url=server.base_url,
        database=tmp_path / "usage.duckdb",
        keystore=lambda: MemoryKeystore(AdminKey.parse(server.key)),
        clock=lambda: NOW,
    )

    def run_command(*arguments: str) -> Printed:
        status = run(build_parser().parse_args(arguments), profile)
        return Printed(status, *capsys.readouterr())

    return run_command


def test_differences_are_printed_with_their_reasons(ask: Ask) -> None:
    printed = ask("reconcile", *DAYS, "--format", "json")
    assert printed.status == 0
    keys = ["period_start", "period_end", "line_item", "reason", "amount", "currency", "billed", "used"]
    assert list(printed.rows[0]) == [*keys, "difference", "other_model"]
    assert {row["reason"] for row in printed.rows} == {"credit", "evals", "no_counterpart", "usage_not_fetched"}
    credit = next(row for row in printed.rows if row["reason"] == "credit")
    assert (credit["period_start"], credit["amount"]) == ("2026-11-02T00:00:00Z", -2.5)
    assert (credit["billed"], credit["used"], credit["currency"]) == (None, None, "USD")
    assert f" on 4 days compared with the usage: {len(printed.rows)} differences." in printed.err
    assert "Billed without usage: " in printed.err
    assert NOT_PROVEN in printed.err
    lines = [line.split("\t") for line in ask("reconcile", *DAYS).out.splitlines()]
    assert lines[0][:4] == ["Day (UTC)", "Line item", "Reason", "Amount"]
    assert ["2026-11-02", "complimentary daily tokens", "Credit", "-2.5"] in [line[:4] for line in lines]


def test_bill_that_agrees_prints_no_row_and_says_so(ask: Ask, server: DemoServer) -> None:
    server.faults = edited({"costs": billed_usage_only})
    printed = ask("reconcile", *DAYS, "--format", "json")
    assert (printed.status, printed.rows) == (0, [])
    assert AGREES in printed.err


def test_prices_are_printed_with_their_changes(ask: Ask) -> None:
    printed = ask("prices", "--from", "2026-10-28", "--to", "2026-11-08", "--format", "json")
    assert printed.status == 0
    keys = ["line_item", "first_day", "last_day", "price", "currency", "unit", "before", "change_percent", "cost"]
    assert list(printed.rows[0]) == keys
    (changed,) = (row for row in printed.rows if row["before"] is not None)
    assert (changed["line_item"], changed["first_day"]) == ("web search tool calls", "2026-11-02")
    assert (str(changed["price"]), str(changed["before"]), changed["change_percent"]) == ("0.003", "0.0025", 20)
    assert "(11 final days)" in printed.err
    assert "1 price change." in printed.err
    lines = ask("prices", "--from", "2026-10-28", "--to", "2026-11-08").out.splitlines()
    heads = lines[0].split("\t")
    assert heads[:5] == ["Line item", "From (UTC)", "Until (UTC)", "Price", "Currency"]
    small = next(line.split("\t") for line in lines if line.startswith("gpt-4.5-preview-2025-02-27, output"))
    assert small[3] == ""  # no price is never 0


def test_line_items_are_printed_with_what_they_mean(ask: Ask) -> None:
    rows = ask("lines", *DAYS, "--format", "json").rows
    assert list(rows[0]) == [
        "line_item", "quantity_unit", "amount", "currency", "service", "model", "token_kind", "match",
    ]  # fmt: skip
    by_line = {row["line_item"]: row for row in rows}
    o5 = by_line["o5, input"]
    assert (o5["service"], o5["model"], o5["token_kind"], o5["match"]) == (
        "completions",
        "o5",
        "input",
        "confirmed",
    )
    assert by_line["Vector storage"]["service"] is None
    shown = dict(line.split("\t")[::7] for line in ask("lines", *DAYS).out.splitlines())
    assert shown["o5, input"] == "name and quantities"
    assert shown["Vector storage"] == "no usage is reported"
    assert shown["complimentary daily tokens"] == "credit"


def test_table_is_written_to_a_file_in_every_format(ask: Ask, tmp_path: Path) -> None:
    for form in ("tsv", "csv", "semicolon-csv", "json", "markdown", "xlsx"):
        file = tmp_path / f"differences.{form}"
        printed = ask("reconcile", *DAYS, "--format", form, "--output", str(file))
        assert (printed.status, printed.out) == (0, "")
        assert b"PK" in file.read_bytes()[:2] if form == "xlsx" else b"Vector storage" in file.read_bytes()


def test_without_costs_the_reason_is_an_error(ask: Ask, server: DemoServer) -> None:
    server.faults = failing("costs", 403, "Your key may not read costs.")
    printed = ask("reconcile", *DAYS)
    assert printed.status != 0
    assert "cost" in printed.err.lower()
