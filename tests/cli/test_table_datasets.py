"""`table` with other datasets, zones, names and unknown fields, and messages about unavailable data."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.rigs.sample_organization import sample_organization
from usage_viewer.demo.api.access import USAGE_ONLY_KEY
from usage_viewer.demo.api.refusal import RefusedGroupings
from usage_viewer.demo.server.faults import Fault
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.period import BucketWidth

NOW = int(datetime(2026, 11, 20, 10, 30, tzinfo=UTC).timestamp())
WEEK = ("--from", "2026-10-22", "--to", "2026-10-29")
Table = Callable[..., Any]


@pytest.fixture
def server() -> Iterator[DemoServer]:
    """A server with a fixed clock."""
    with DemoServer(sample_organization(NOW), clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def ask(table: Any) -> Any:
    table.now = lambda: NOW
    return table


class TestZones:
    @pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "America/New_York"])
    def test_days_are_those_of_the_zone(self, ask: Table, server: DemoServer, zone: str) -> None:
        printed = ask(*WEEK, "--zone", zone, "--per", "day", "--metrics", "num_model_requests", "--format", "json")
        assert (printed.status, printed.err) == (0, "")
        expected: dict[str, int] = defaultdict(int)
        start, end = (int(datetime(2026, 10, day, tzinfo=ZoneInfo(zone)).timestamp()) for day in (22, 29))
        for row in server.organization.rows("completions", start, end, BucketWidth.MINUTE, NOW):
            wall = datetime.fromtimestamp(row["bucket"], ZoneInfo(zone))
            expected[wall.replace(hour=0, minute=0, fold=0).isoformat()] += row["num_model_requests"]
        assert {row["period_start"]: row["num_model_requests"] for row in printed.rows} == expected
        assert len(printed.rows) == 7

    def test_times_with_an_offset_are_converted(self, ask: Table) -> None:
        there = ask("--from", "2026-10-22T00:00+02:00", "--to", "2026-10-23T00:00+02:00", "--zone", "Europe/Berlin")
        here = ask("--from", "2026-10-22", "--to", "2026-10-23", "--zone", "Europe/Berlin")
        assert there.out == here.out != ask("--from", "2026-10-22", "--to", "2026-10-23").out

    def test_period_header_names_the_zone(self, ask: Table) -> None:
        assert ask(*WEEK, "--per", "week").out.startswith("Week (UTC)\t")
        assert ask(*WEEK, "--per", "day", "--zone", "Asia/Tokyo").out.startswith("Day (Asia/Tokyo)\t")

    def test_unknown_zone_is_refused(self, ask: Table, server: DemoServer) -> None:
        printed = ask(*WEEK, "--zone", "Europe/Atlantis")
        assert (printed.status, printed.out, server.requests) == (2, "", [])


class TestCosts:
    def test_costs_by_hour_are_adjusted_to_utc_days(self, ask: Table) -> None:
        costs = ("--dataset", "costs", *WEEK, "--format", "json")
        printed = ask(*costs, "--per", "hour", "--zone", "Asia/Tokyo")
        assert printed.status == 0
        assert printed.err == "Costs are only available per UTC day; shown by day, in UTC.\n"
        assert printed.rows == ask(*costs, "--per", "day").rows
        assert all(isinstance(row["amount"], Decimal) for row in printed.rows)

    def test_header_names_the_currency(self, ask: Table) -> None:
        assert ask("--dataset", "costs", *WEEK).out.startswith("Amount (USD)\n")

    def test_refused_grouping_is_reported(self, ask: Any, server: DemoServer) -> None:
        with DemoServer(
            server.organization, refused=RefusedGroupings.of(pairs=[("user_id", "project_id")]), clock=lambda: NOW
        ) as other:
            printed = replace(ask, server=other)(
                "--dataset", "costs", *WEEK, "--group-by", "project_id,user_id", "--format", "json"
            )
        assert printed.status == 3
        assert printed.err == (
            "User together with Project is not available for this organization's costs; shown without User.\n"
        )
        assert printed.rows == ask("--dataset", "costs", *WEEK, "--group-by", "project_id", "--format", "json").rows


class TestNames:
    GROUPED = (*WEEK, "--group-by", "project_id,user_id,model", "--metrics", "num_model_requests")

    def test_ids_are_the_default_and_need_no_request(self, ask: Table, server: DemoServer) -> None:
        assert ask(*self.GROUPED).out == ask(*self.GROUPED, "--ids").out
        assert all("usage" in request.path for request in server.requests)

    def test_names_replace_ids(self, ask: Table, server: DemoServer) -> None:
        printed = ask(*self.GROUPED, "--names")
        assert (printed.status, printed.err) == (0, "")
        lines = [line.split("\t") for line in printed.out.splitlines()[1:]]
        assert {"Default project", "Qualität – Prüfung"} <= {project for project, _, _, _ in lines}
        users = {user.name or user.email for user in server.organization.directory.users}
        shown = {user.partition(" (…")[0] for _, user, _, _ in lines}
        gone = {name for name in shown if name.startswith("user-")}  # users deleted before their names were loaded
        assert shown - gone - {"No user"} <= users
        assert len(gone) < len(shown) / 4

    def test_json_has_names_and_ids(self, ask: Table) -> None:
        rows = ask(*self.GROUPED, "--names", "--format", "json").rows
        assert list(rows[0]) == [
            "project_id", "project_id_name", "user_id", "user_id_name", "model", "num_model_requests",
        ]  # fmt: skip
        assert all(row["project_id"] is None or row["project_id"].startswith("proj_") for row in rows)

    def test_ids_are_shown_without_the_scope(self, ask: Any) -> None:
        printed = replace(ask, key=USAGE_ONLY_KEY)(*self.GROUPED, "--names")
        assert printed.status == 0
        assert printed.err.startswith("Some names could not be loaded: the admin key lacks a permission.")
        assert printed.out == ask(*self.GROUPED).out


class TestNewFields:
    @pytest.fixture(autouse=True)
    def with_news(self, server: DemoServer) -> None:
        def edit(answer: Any) -> Any:
            for bucket in answer["data"]:
                for number, result in enumerate(bucket["results"]):
                    result |= {"credits": 0.5, "region": ("eu", "us", None)[number % 3]}
            return answer

        server.faults = lambda request: Fault(edit=edit)

    def test_unknown_fields_as_figures_and_groups(self, ask: Table, server: DemoServer) -> None:
        images = ("--dataset", "images", *WEEK, "--format", "json")
        printed = ask(*images, "--group-by", "extra.region", "--metrics", "images,extra.credits")
        assert (printed.status, printed.err) == (0, "")
        assert {row["extra.region"] for row in printed.rows} == {"eu", "us", None}
        plain = ask(*images, "--metrics", "images,extra.credits").rows[0]
        for name in ("images", "extra.credits"):
            assert sum(row[name] for row in printed.rows) == plain[name] > 0
        kept = ask(*images, "--filter", "extra.region=eu").rows[0]
        assert kept["images"] == next(row["images"] for row in printed.rows if row["extra.region"] == "eu")

    def test_field_that_the_server_has_not_sent(self, ask: Table) -> None:
        printed = ask("--dataset", "images", *WEEK, "--metrics", "extra.bytes")
        assert printed.status == 2
        assert "The server has sent no such field (extra.bytes)" in printed.err
        assert "Choose from: extra.credits, extra.region." in printed.err


def test_unavailable_dataset_is_reported(ask: Table, server: DemoServer) -> None:
    body = json.dumps({"error": {"message": "Not for you."}}).encode()
    server.faults = lambda request: Fault(status=404, body=body)
    printed = ask("--dataset", "images", *WEEK)
    assert printed.status == 3
    assert "/v1 (Not for you.)\nCheck the base URL. If it is right, your organization may not" in printed.err
