"""`table` where the organization refuses combinations of dimensions, always or before a day."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.sample_organization import sample_organization
from usage_viewer.demo.api.refusal import GroupingRule, RefusedGroupings
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.period import BucketWidth

NOW = int(datetime(2026, 11, 20, 10, 30, tzinfo=UTC).timestamp())
COSTS = ("--dataset", "costs", "--from", "2026-10-01", "--to", "2026-11-15", "--format", "json")
NOT_AVAILABLE = {"available": False}
Table = Callable[..., Any]


@pytest.fixture(scope="module")
def organization() -> SyntheticOrganization:
    return sample_organization(NOW)


@pytest.fixture
def server(organization: SyntheticOrganization) -> Iterator[DemoServer]:
    with DemoServer(organization, clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def ask(table: Any) -> Any:
    table.now = lambda: NOW
    return table


def expected(organization: SyntheticOrganization, names: Sequence[str], since: int = 0) -> dict[Any, Decimal]:
    """Return the costs of each group, added row by row; before `since` (epoch seconds) as not available."""
    start, end = (int(datetime(2026, *day, tzinfo=UTC).timestamp()) for day in ((10, 1), (11, 15)))
    totals: dict[Any, Decimal] = defaultdict(Decimal)
    for row in organization.rows("costs", start, end, BucketWidth.DAY, NOW):
        values = tuple(row[name] if row["bucket"] >= since else "n/a" for name in names)
        totals[values] += row["amount"]
    return totals


def shown(printed: Any, names: Sequence[str]) -> dict[Any, Decimal]:
    return {
        tuple("n/a" if row[name] == NOT_AVAILABLE else row[name] for name in names): row["amount"]
        for row in printed.rows
    }


def moment(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("rule", "grouping", "since", "said"),
    [
        ("costs:api_key_id<2026-11-01", "line_item", "", ""),
        ("costs:api_key_id<2026-11-01", "user_id,line_item", "", ""),
        (
            "costs:api_key_id<2026-11-01",
            "api_key_id",
            "2026-11-01",
            "API key is not available before 1 Nov 2026.\n",
        ),
        ("costs:user_id+*", "user_id", "", ""),
        ("costs:user_id+*", "project_id,api_key_id", "", ""),
        ("costs:user_id<2026-10-20", "user_id", "2026-10-20", "User is not available before 20 Oct 2026.\n"),
        ("costs:user_id+project_id<2026-10-20", "user_id", "", ""),
        ("costs:user_id+project_id", "user_id,api_key_id", "", ""),
    ],
)
def test_what_is_granted_is_printed_and_the_rest_is_said(
    ask: Any, organization: SyntheticOrganization, rule: str, grouping: str, since: str, said: str
) -> None:
    names = grouping.split(",")
    refused = RefusedGroupings.of("api_source", rules=[rule])
    with DemoServer(organization, refused=refused, clock=lambda: NOW) as server:
        printed = replace(ask, server=server)(*COSTS, "--group-by", grouping)
    assert printed.err == said + "API source (api_source) is not available for this organization.\n"
    assert printed.status == (3 if said else 0)
    assert shown(printed, names) == expected(organization, names, moment(since) if since else 0)


def test_text_formats_say_not_available(ask: Any, organization: SyntheticOrganization) -> None:
    refused = RefusedGroupings.of(rules=["costs:user_id<2026-11-01"])
    with DemoServer(organization, refused=refused, clock=lambda: NOW) as server:
        printed = replace(ask, server=server)(*COSTS[:-2], "--group-by", "user_id")
    assert "\n(not available)\t" in printed.out
    assert "\nNo user\t" in printed.out or "user-" in printed.out


def test_ask_again(ask: Any, organization: SyntheticOrganization, tmp_path: Path) -> None:
    rule = GroupingRule(frozenset(["user_id"]), "costs")
    with DemoServer(organization, refused=RefusedGroupings.of(rules=[rule]), clock=lambda: NOW) as server:
        here = replace(ask, server=server, database=tmp_path / "usage.duckdb")
        assert here(*COSTS, "--group-by", "user_id").status == 3
        server.refused = RefusedGroupings()
        before = len(server.requests)
        assert here(*COSTS, "--group-by", "user_id").status == 3
        assert len(server.requests) == before
        printed = here(*COSTS, "--group-by", "user_id", "--ask-again")
        assert (printed.status, printed.err) == (0, "")
        assert shown(printed, ["user_id"]) == expected(organization, ["user_id"])


def test_what_was_learnt_is_kept(ask: Any, organization: SyntheticOrganization, tmp_path: Path) -> None:
    refused = RefusedGroupings.of("api_source", rules=["costs:user_id+*"])
    with DemoServer(organization, refused=refused, clock=lambda: NOW) as server:
        here = replace(ask, server=server, database=tmp_path / "usage.duckdb")
        assert here(*COSTS, "--group-by", "project_id").status == 0
        assert len(server.requests) <= 5
        assert here(*COSTS, "--group-by", "user_id").status == 0
        assert len(server.requests) <= 9
        for names in ("project_id,line_item", "user_id"):
            assert here(*COSTS, "--group-by", names).status == 0
        assert len(server.requests) <= 9
