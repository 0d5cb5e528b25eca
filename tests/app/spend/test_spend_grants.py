"""Spend by model and user is what it really cost, also where the server refuses user, key or both for some days."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.rigs.sessions import NOW, SessionRig, days, fetch, sums
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.demo.api.refusal import RefusedGroupings
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.demo.world.truth import truth_lines
from usage_viewer.domain.catalog import API_DATASETS
from usage_viewer.domain.view_parts import NOT_AVAILABLE

FIRST, LAST = "10-21", "10-25"
SPEND = days(FIRST, LAST, dataset_name="spend", grouping=(), columns=("amount",))
QUANTUM = Decimal("1e-12")
WITHOUT_KEY = ("costs:api_key_id", "costs:api_key_id<2026-10-23", "costs:user_id+api_key_id")
WITHOUT_USER = (
    ("costs:user_id",),
    ("costs:user_id+*",),
    ("costs:user_id<2026-10-23",),
    ("costs:user_id", "costs:api_key_id"),
    ("costs:user_id<2026-10-23", "costs:api_key_id<2026-10-24"),
)

Rows = dict[tuple[Any, ...], Decimal]


@pytest.fixture(scope="module")
def parts(organization: SyntheticOrganization) -> list[dict[str, Any]]:
    """What each part of the bill of these days really cost."""
    start, end = (int(datetime.fromisoformat(f"2026-{day}T00:00+00:00").timestamp()) for day in ("10-20", "10-27"))
    lines = (json.loads(line) for block in truth_lines(organization, start, end) for line in block)
    return [line for line in lines if f"2026-{FIRST}" <= line["day"] <= f"2026-{LAST}"]


def true_amounts(parts: list[dict[str, Any]], *names: str) -> Rows:
    amounts: Rows = defaultdict(Decimal)
    for part in (part for part in parts if part["fact"] != "free"):
        amounts[tuple(part[name] for name in names)] += Decimal(part["amount"])
    return dict(amounts)


@contextmanager
def refusing(organization: SyntheticOrganization, *rules: str) -> Iterator[StoreSession]:
    with DemoServer(organization, refused=RefusedGroupings.of(rules=rules), clock=lambda: NOW) as server:
        session = SessionRig(server).session()
        try:
            fetch(session, SPEND)
            fetch(session, SPEND)  # what was in doubt is asked for again
            assert session.coverage(SPEND).complete
            yield session
        finally:
            session.close()


def check(session: StoreSession, expected: Rows, *names: str) -> None:
    found = {
        key: amount or Decimal() for key, amount in sums(session.look(SPEND.with_grouping(names)), "amount").items()
    }
    assert found.keys() == expected.keys()
    for key, amount in expected.items():
        assert abs(found[key] - amount) <= QUANTUM * 1000, key


@pytest.mark.parametrize("rule", ["", *WITHOUT_KEY])
def test_spend_by_user_and_model_is_true_without_the_key(
    organization: SyntheticOrganization, parts: list[dict[str, Any]], rule: str
) -> None:
    with refusing(organization, *filter(None, [rule])) as session:
        for names in (("model",), ("user_id",), ("model", "user_id")):
            check(session, true_amounts(parts, *names), *names)


@pytest.mark.parametrize("rules", WITHOUT_USER)
def test_spend_by_model_is_true_and_usage_tells_the_user_without_the_user(
    organization: SyntheticOrganization, parts: list[dict[str, Any]], rules: tuple[str, ...]
) -> None:
    """What is not split has no user: no usage is reported for it, or its usage lacks the source of the costs.

    Without user and key, usage does not tell which of its tokens were free, or in a long context.
    """
    with refusing(organization, *rules) as session:
        check(session, true_amounts(parts, "model"), "model")
        rows = sums(session.look(SPEND.with_grouping(("line_item", "user_id"))), "amount")
        assert sum(rows.values()) == sum(true_amounts(parts).values())
        expected = true_amounts(parts, "line_item", "user_id")
        not_split = {line for line, user in rows if user == NOT_AVAILABLE}
        doubtful = (part for part in parts if part["fact"] == "free" or "long context" in part["line_item"])
        models = {part["model"] for part in doubtful}
        unknown = not_split | {part["line_item"] for part in parts if part["model"] in models}
        split = {key: amount for key, amount in rows.items() if key[0] not in unknown}
        assert len(split) > 200
        for key, amount in split.items():
            assert abs(amount - expected[key]) <= QUANTUM * 1000, key
        services = {part["service"] for part in parts if part["line_item"] in not_split}
        with_source = {name for name, data in API_DATASETS.items() if data.has_dimension("api_source")}
        assert services.isdisjoint(with_source - {"costs"})
