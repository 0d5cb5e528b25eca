"""Tests that every view shows what an organization grants, wherever it refuses combinations of dimensions."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.rigs.sessions import DAY, NOW, SessionRig, fetch, open_store_session, sums
from usage_viewer.app.fetch.grant_learner import MAX_EXTRA_REQUESTS
from usage_viewer.app.session.result import ViewResult
from usage_viewer.app.snapshot.archive import SnapshotProfile, save_snapshot
from usage_viewer.demo.api.refusal import GroupingRule, RefusedGroupings
from usage_viewer.demo.server.faults import Fault, LoggedRequest
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.catalog import dataset_named
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.grants import LEARNT_FOR
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import FigureColumn, GroupColumn, PeriodColumn
from usage_viewer.domain.verification import Cell, Verdict
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import NOT_AVAILABLE

COSTS = dataset_named("costs")
KEYS_FROM = int(datetime(2026, 11, 6, tzinfo=UTC).timestamp())
AS_LIVE = ("costs:api_key_id<2026-11-06",)
SILENT = "This grouping is not supported."


@contextmanager
def granting(
    organization: SyntheticOrganization, *rules: GroupingRule | str, refused: Sequence[str] = ()
) -> Iterator[SessionRig]:
    refusals = RefusedGroupings.of(*refused, rules=rules)
    with DemoServer(organization, refused=refusals, clock=lambda: NOW) as server:
        rig = SessionRig(server)
        try:
            yield rig
        finally:
            for session in rig.sessions:
                session.close()


def costs(first: str, last: str, *grouping: str, per: Granularity = Granularity.TOTAL) -> ViewState:
    """Return a view of costs from the day `first` to the day `last` ("10-31"), both included."""
    start, end = (datetime.fromisoformat(f"2026-{day}").date() for day in (first, last))
    return ViewState("costs", DateRange.days(start, end), per, grouping, columns=("amount",))


def figures_of(result: ViewResult) -> NumberColumn:
    column = result.table.by_name["amount"]
    assert isinstance(column, FigureColumn)
    return column.figures


def groups_of(result: ViewResult) -> list[GroupColumn]:
    return [column for column in result.table.columns if isinstance(column, GroupColumn)]


def amounts(result: ViewResult) -> dict[tuple[Any, ...], Any]:
    """Return the amount of each group; without groups, that of ()."""
    if result.effective_view.grouping:
        return sums(result, "amount")
    return {(): figures_of(result).at(0)}


@dataclass(frozen=True)
class Oracle:
    """The organization's costs, row by row, in the days of a view."""

    rows: list[dict[str, Any]]

    @classmethod
    def of(cls, organization: SyntheticOrganization, view: ViewState) -> "Oracle":
        span = view.range.resolve(NOW, UTC)
        return cls(list(organization.rows("costs", span.start, span.end, BucketWidth.DAY, NOW)))

    def sums(self, grouping: Sequence[str], since: int = 0, until: int = 2**62) -> dict[tuple[Any, ...], Decimal]:
        totals: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
        for row in self.rows:
            if since <= row["bucket"] < until:
                totals[tuple(row[name] for name in grouping)] += row["amount"]
        return totals

    @property
    def total(self) -> Decimal:
        return sum((row["amount"] for row in self.rows), Decimal())


def requests_for_nothing(requests: Sequence[LoggedRequest], rules: Sequence[GroupingRule]) -> int:
    """Count the requests that were refused, and those for one bucket that another accepted request has too."""
    refused, spans = 0, []
    for request in requests:
        start, end = int(request.query["start_time"][0]), int(request.query["end_time"][0])
        if any(rule.refuses("costs", request.query.get("group_by", []), start) for rule in rules):
            refused += 1
        else:
            spans.append((start, end))
    probes = [
        at
        for at, (start, end) in enumerate(spans)
        if end - start == DAY and any(a <= start and end <= b for a, b in spans[at + 1 :])
    ]
    return refused + len(probes)


def test_keys_that_are_granted_from_a_day_on_lose_no_day_before(organization: SyntheticOrganization) -> None:
    with granting(organization, *AS_LIVE, refused=["api_source"]) as rig:
        session = rig.session()
        for view in (
            costs("10-01", "11-19"),
            costs("10-01", "11-19", "line_item"),
            costs("10-01", "11-19", "user_id"),
        ):
            fetch(session, view)
            result, oracle = session.look(view, named=False), Oracle.of(organization, view)
            assert amounts(result) == oracle.sums(view.grouping)
            assert (result.coverage.summary, result.notes, result.lacking) == ("Complete: 50 days", (), ())


def test_days_before_are_not_available(organization: SyntheticOrganization) -> None:
    view = costs("10-01", "11-19", "api_key_id")
    with granting(organization, *AS_LIVE) as rig:
        session, oracle = rig.session(), Oracle.of(organization, view)
        fetch(session, view)
        result = session.look(view, named=False)
        found = amounts(result)
        before = found.pop((NOT_AVAILABLE,))
        assert before == sum(oracle.sums((), until=KEYS_FROM).values())
        assert found == oracle.sums(["api_key_id"], since=KEYS_FROM)
        assert result.notes == ("API key is not available before 6 Nov 2026.",)
        assert result.lacking == ("api_key_id",)
        assert result.coverage.complete
        assert "(not available)" in groups_of(result)[0].labels
        rig.take_requests()
        fetch(session, view)
        assert all(int(request.query["start_time"][0]) >= KEYS_FROM for request in rig.take_requests())


@pytest.mark.parametrize("message", ["", SILENT])
def test_dimension_that_is_granted_alone(organization: SyntheticOrganization, message: str) -> None:
    rule = GroupingRule(frozenset(["user_id"]), "costs", beside=True, message=message)
    with granting(organization, rule, refused=["api_source"]) as rig:
        session, view = rig.session(), costs("10-01", "10-31", "project_id", "line_item", "api_key_id")
        fetch(session, view)
        oracle = Oracle.of(organization, view)
        assert amounts(session.look(view, named=False)) == oracle.sums(view.grouping)
        by_user = costs("10-01", "10-31", "user_id")
        fetch(session, by_user)
        result = session.look(by_user, named=False)
        assert amounts(result) == oracle.sums(["user_id"])
        assert (result.notes, result.lacking, result.unavailable_dimensions) == ((), (), ("api_source",))
        both = costs("10-01", "10-31", "project_id", "user_id")
        fetch(session, both)
        result = session.look(both, named=False)
        assert amounts(result) == oracle.sums(["project_id"])
        assert result.notes == (
            "User together with Project is not available for this organization's costs; shown without User.",
        )
        assert result.lacking == ("user_id",)
        rig.take_requests()
        for known in (view, by_user, both):
            fetch(session, known)
        assert rig.take_requests() == []


def test_each_grain_is_verified(organization: SyntheticOrganization) -> None:
    with granting(organization, "costs:user_id+*") as rig:
        session = rig.session()
        for grouping in (["project_id"], ["user_id"]):
            view = costs("10-01", "10-10", *grouping)
            fetch(session, view)
            assert session.completeness(view).pending == 10
            assert session.verify(view).completeness.verdict.value == "verified"
        assert session.completeness(costs("10-01", "10-10", "project_id")).verdict.value == "verified"


def test_grain_whose_sums_differ_is_reported(organization: SyntheticOrganization) -> None:
    def too_much(page: Any) -> Any:
        if len(page.get("data", ())) == 10:
            amount = page["data"][3]["results"][0]["amount"]
            amount["value"] = str(Decimal(str(amount["value"])) + 1000)
        return page

    with granting(organization, "costs:user_id+*") as rig:
        session = rig.session()
        by_project, by_user = costs("10-01", "10-10", "project_id"), costs("10-01", "10-10", "user_id")
        fetch(session, by_project)
        rig.server.faults = lambda request: Fault(edit=too_much)
        fetch(session, by_user)
        rig.server.faults = None
        session.verify(by_project)
        session.verify(by_user)
        assert session.completeness(by_project).verdict is Verdict.VERIFIED
        completeness = session.completeness(by_user)
        assert completeness.verdict is Verdict.DIFFERS
        (difference,) = completeness.differences
        assert difference.excess == 1000
        outcome = session.verify(by_user, refetch=[difference.bucket])
        assert outcome.completeness.verdict is Verdict.VERIFIED


def test_sources_of_a_cell_come_from_the_grain_that_is_shown(organization: SyntheticOrganization) -> None:
    with granting(organization, *AS_LIVE) as rig:
        session, view = rig.session(), costs("10-30", "11-12", "api_key_id")
        fetch(session, view)
        result = session.look(view, named=False)
        for value, amount in amounts(result).items():
            cell = Cell(None, (("api_key_id", value[0]),))
            records = session.contributions(result, cell, ["amount"])
            assert sum(Decimal(item.figures[0] or 0) for item in records) == amount
            assert len(records) == 14


def test_snapshot_keeps_every_grain(organization: SyntheticOrganization, tmp_path: Path) -> None:
    views = [
        costs("10-30", "11-12", *grouping)
        for grouping in (["api_key_id"], ["user_id"], ["project_id", "line_item"], ["user_id", "api_key_id"])
    ]
    with granting(organization, *AS_LIVE, "costs:user_id+*") as rig:
        session = rig.session()
        for view in views:
            fetch(session, view)
        save_snapshot(session, views[0], tmp_path / "costs.zip", organization="Acme")
        with closing(open_store_session(SnapshotProfile(tmp_path / "costs.zip"))) as opened:
            for view in views:
                before, after = session.look(view, named=False), opened.look(view, named=False)
                assert amounts(after) == amounts(before)
                assert (after.notes, after.lacking) == (before.notes, before.lacking)
                assert after.coverage.complete


def test_refusals_are_asked_again_after_a_week_and_on_request(organization: SyntheticOrganization) -> None:
    view = costs("10-01", "10-31", "api_key_id")
    with granting(organization, "costs:api_key_id<2026-11-06") as rig:
        session = rig.session()
        fetch(session, view)
        rig.server.refused = RefusedGroupings()
        rig.take_requests()
        fetch(session, view)
        assert rig.take_requests() == []
        rig.now += LEARNT_FOR
        fetch(session, view)
        assert amounts(session.look(view, named=False)) == Oracle.of(organization, view).sums(["api_key_id"])
    with granting(organization, "costs:api_key_id<2026-11-06") as rig:
        session = rig.session()
        fetch(session, view)
        rig.server.refused = RefusedGroupings()
        session.ask_again("costs")
        fetch(session, view)
        assert session.look(view).lacking == ()


def test_usage_fetched_before_a_grouping_was_refused_for_ever_stays_visible(
    organization: SyntheticOrganization,
) -> None:
    early, both = costs("10-01", "10-31", "api_key_id"), costs("10-01", "11-10", "api_key_id")
    with granting(organization) as rig:
        session = rig.session()
        fetch(session, early)
        rig.server.refused = RefusedGroupings.of(rules=[GroupingRule(frozenset(["api_key_id"]), "costs")])
        fetch(session, both)
        result, oracle = session.look(both, named=False), Oracle.of(organization, both)
        day = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
        later = {(NOT_AVAILABLE,): oracle.sums([], since=day)[()]}
        assert amounts(result) == {**oracle.sums(["api_key_id"], until=day), **later}
        assert result.coverage.complete
        late = costs("11-01", "11-10", "api_key_id")
        shown = session.look(late, named=False)
        assert shown.effective_view.grouping == ()
        assert shown.notes == ("API key is not available for this organization's costs; shown without it.",)


RULES = (
    (["user_id"], True),
    (["user_id", "project_id"], False),
    (["api_key_id"], False),
    (["api_source"], False),
    (["project_id", "api_key_id"], False),
    (["user_id"], False),
    (["line_item"], False),
)


def random_rules(random: Random) -> list[GroupingRule]:
    """Return some combinations that are refused, always or before a day."""
    rules = []
    for names, beside in random.sample(RULES, random.choice([0, 1, 1, 2])):
        day = NOW - NOW % DAY - random.randrange(2, 100) * DAY
        before = random.choice([None, day])
        message = random.choice(["", SILENT]) if before is None else random.choice(["", "", SILENT])
        rules.append(GroupingRule(frozenset(names), "costs", beside, before, message))
    return rules


def check_random_grants(organization: SyntheticOrganization, seed: int) -> None:
    """Ask several views of costs under random grants, which change once, and compare with the rows."""
    random = Random(seed)
    rules = random_rules(random)
    with granting(organization, *rules) as rig:
        session = rig.session()
        for step in range(random.choice([2, 3])):
            if step == 2:
                rules = random_rules(random)
                rig.server.refused = RefusedGroupings.of(rules=rules)
                session.ask_again("costs")
            first = NOW - NOW % DAY - random.randrange(20, 110) * DAY
            last = min(first + random.randrange(1, 60) * DAY, NOW - NOW % DAY - DAY)
            span = [datetime.fromtimestamp(moment, UTC).date() for moment in (first, last)]
            grouping = tuple(random.sample([item.name for item in COSTS.dimensions if item.requested], 2))
            view = ViewState("costs", DateRange.days(*span), Granularity.DAY, grouping, columns=("amount",))
            oracle = Oracle.of(organization, view)
            rounds = 6 if any(rule.message for rule in rules) else 1
            for _ in range(rounds):
                rig.take_requests()
                fetch(session, view)
                extra = requests_for_nothing(rig.take_requests(), rules)
                assert extra <= MAX_EXTRA_REQUESTS, (seed, step, extra)
                check_result(session.look(view, named=False), oracle, seed)
            check_granted(session.look(view, named=False), rules, oracle, seed)


def by_day(result: ViewResult) -> dict[tuple[int, tuple[Any, ...]], Decimal]:
    """Return the amount of each day and group."""
    periods = result.table.by_name["period"]
    assert isinstance(periods, PeriodColumn)
    starts = [int(result.coverage.periods.bounds[code]) for code in periods.codes.tolist()]
    heads = groups_of(result)
    keys = zip(*([head.values[code] for code in head.codes.tolist()] for head in heads), strict=True)
    amounts = [Decimal(amount or 0) for amount in figures_of(result).listed()]
    groups = list(keys) if heads else [()] * len(starts)
    return {(start, key): amount for start, key, amount in zip(starts, groups, amounts, strict=True)}


def check_result(result: ViewResult, oracle: Oracle, seed: int) -> None:
    """Check that no day and no sum is lost, whatever is available."""
    assert result.coverage.complete, (seed, result.coverage.summary)
    totals: dict[int, Decimal] = defaultdict(Decimal)
    for (start, _), amount in by_day(result).items():
        totals[start] += amount
    expected = {start: amount for (start,), amount in oracle.sums(["bucket"]).items()}
    assert totals == expected, seed


def check_granted(result: ViewResult, rules: Sequence[GroupingRule], oracle: Oracle, seed: int) -> None:
    """Check that what is granted has arrived exactly, and that the rest is said."""
    asked, shown = result.view.grouping, result.effective_view.grouping
    found = by_day(result)
    rows_of = defaultdict(list)
    for row in oracle.rows:
        rows_of[row["bucket"]].append(row)
    for start, rows in rows_of.items():
        granted = not any(rule.refuses("costs", asked, start) for rule in rules)
        assert not granted or shown == asked, (seed, start)
        groups = {key: amount for (day, key), amount in found.items() if day == start}
        has_all = shown == asked and not any(NOT_AVAILABLE in key for key in groups)
        if granted or has_all:  # what was fetched before it was refused stays
            assert groups == Oracle(rows).sums(asked), (seed, start)
        else:
            assert result.lacking, (seed, start)
            assert result.notes, (seed, start)
            known = [name for name in shown if not any(key[shown.index(name)] == NOT_AVAILABLE for key in groups)]
            reduced: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
            for key, amount in groups.items():
                reduced[tuple(key[shown.index(name)] for name in known)] += amount
            assert reduced == Oracle(rows).sums(known), (seed, start)


@pytest.mark.parametrize("seed", range(10))
def test_random_grants(organization: SyntheticOrganization, seed: int) -> None:
    for number in range(3):
        check_random_grants(organization, 3 * seed + number)


@pytest.mark.fuzz
def test_random_grants_500_times(organization: SyntheticOrganization) -> None:
    for seed in range(500):
        check_random_grants(organization, 1000 + seed)
