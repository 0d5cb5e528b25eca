"""Runs every operation of the session protocol on one organization, several organizations and a snapshot."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rigs.organizations import KEYS, LAST_WEEK, NOW, Servers, combined_profile, profile_of
from tests.rigs.sessions import fetch, open_store_session
from usage_viewer.app.session.capabilities import COMBINED, ORGANIZATION, SNAPSHOT, Capabilities
from usage_viewer.app.session.session import Session
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.app.snapshot.archive import SnapshotProfile, save_snapshot
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.coverage import Refresh
from usage_viewer.domain.errors import Cancelled, KeyMissing
from usage_viewer.domain.period_status import PeriodStatus
from usage_viewer.domain.table import FigureColumn
from usage_viewer.domain.verification import Cell, Verdict
from usage_viewer.domain.view import ViewState


@dataclass(frozen=True)
class Case:
    """A session that is connected and empty, a view for it, and what is expected of it."""

    session: Session
    view: ViewState
    organizations: int
    capabilities: Capabilities


@pytest.fixture(params=["one organization", "several organizations"])
def case(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Case]:
    """Return a case for each implementation of the protocol."""
    if request.param == "one organization":
        profile = profile_of(servers, "acme", KEYS["acme"])
        with closing(open_store_session(profile)) as session:
            session.connect(profile.source(AdminKey.parse(KEYS["acme"])))
            yield Case(session, LAST_WEEK, 1, ORGANIZATION)
    else:
        with closing(combined_profile(servers).open_session()) as combined:
            yield Case(combined, LAST_WEEK.across(KEYS), 2, COMBINED)


def test_look_shows_fetched_data(case: Case) -> None:
    session, view = case.session, case.view
    assert (session.now, session.empty, session.connected) == (NOW, True, True)
    before = session.look(view)
    assert (before.table.rows, before.coverage.stored) == (0, 0)
    assert before.coverage.expected == 7 * case.organizations
    steps = fetch(session, view)
    assert (steps[0].done, steps[-1].done, steps[-1].total) == (0, case.organizations, case.organizations)
    assert not session.empty
    after = session.look(view, Cancellation(), named=False)
    assert after.coverage == session.coverage(view)
    assert after.coverage.complete
    assert after.table.rows > 0
    assert after.effective_view == view
    assert (after.unavailable_dimensions, after.notes) == ((), ())
    assert after.now == NOW
    assert after.statuses is not None
    assert [PeriodStatus(status) for status in after.statuses.tolist()] == [
        *[PeriodStatus.FINAL] * 3,
        *[PeriodStatus.MAY_CHANGE] * 3,
        PeriodStatus.IN_PROGRESS,
    ]
    models = session.values("completions", "model")
    assert len(models) > 1


def test_a_second_fetch_requests_only_open_buckets(case: Case) -> None:
    session, view = case.session, case.view
    fetch(session, view)
    assert fetch(session, view) == []
    assert session.coverage(view).to_fetch == ()
    assert session.coverage(view, refresh=Refresh.GROWING, now=NOW).stale
    assert fetch(session, view, refresh=Refresh.GROWING)[-1].total == case.organizations


def test_names_are_fetched(case: Case) -> None:
    session = case.session
    fetch(session, case.view)
    names = session.fetch_names()
    assert names == session.names
    projects = session.values("completions", "project_id")
    assert all(("project", value) in names.by_id for value in projects if value is not None)


def test_fetched_data_is_verified(case: Case) -> None:
    session, view = case.session, case.view
    fetch(session, view)
    coverage = session.coverage(view)
    assert session.completeness(view, coverage).verdict is Verdict.NOT_VERIFIED
    assert session.requests_to_verify(view, coverage) == case.organizations
    outcome = session.verify(view, refetch=())
    assert outcome.completeness.verdict is Verdict.VERIFIED
    assert outcome.completeness.buckets == 7 * case.organizations
    assert not outcome.fetched
    assert session.completeness(view) == outcome.completeness


def test_identities_hold_and_nothing_has_changed(case: Case) -> None:
    session, view = case.session, case.view
    fetch(session, view)
    assert session.broken_identities(view, Cancellation()).count == 0
    assert session.changes("completions", None, Cancellation()).count == 0
    assert session.changes("completions", session.coverage(view).periods.span).count == 0


def test_contributions_add_up_to_the_cell(case: Case) -> None:
    session, view = case.session, case.view
    fetch(session, view)
    result = session.look(view.with_grouping(()))
    column = result.table.by_name["input_tokens"]
    assert isinstance(column, FigureColumn)
    contributions = session.contributions(result, Cell(0), ["input_tokens"], Cancellation())
    assert len(contributions) == case.organizations
    assert sum(int(item.figures[0] or 0) for item in contributions) == column.figures.at(0)


def test_cancelled_operations_raise_cancelled(case: Case) -> None:
    session, view = case.session, case.view
    fetch(session, view)
    result = session.look(view)
    cancellation = Cancellation()
    cancellation.cancel()
    for operation in (
        lambda: session.look(view.with_search("other"), cancellation),
        lambda: list(session.fetch(view, cancellation, refresh=Refresh.GROWING)),
        lambda: session.fetch_names(cancellation),
        lambda: session.verify(view, cancellation),
        lambda: session.broken_identities(view, cancellation),
        lambda: session.changes("completions", None, cancellation),
        lambda: session.contributions(result, Cell(0), ["input_tokens"], cancellation),
    ):
        with pytest.raises(Cancelled):
            operation()


def test_unavailable_datasets_can_be_forgotten(case: Case) -> None:
    assert case.session.unavailable_datasets == {}
    case.session.forget_unavailable()
    assert case.session.unavailable_datasets == {}


def test_capabilities_agree_with_the_operations(case: Case, tmp_path: Path) -> None:
    session = case.session
    assert session.capabilities == case.capabilities
    single = session.store_session
    assert (single is not None) == session.capabilities.can_erase == session.capabilities.can_save_snapshot
    if single is not None:
        fetch(session, case.view)
        assert sum(single.save_snapshot(case.view, tmp_path).values()) > 0
        single.erase()
        assert session.empty


def test_every_operation_of_the_protocol_exists(case: Case) -> None:
    operations = [name for name in vars(Session) if not name.startswith("_")]
    assert len(operations) > 15
    assert [name for name in operations if not hasattr(case.session, name)] == []


def test_a_snapshot_is_a_session_that_cannot_fetch(servers: Servers, tmp_path: Path) -> None:
    profile = profile_of(servers, "acme", KEYS["acme"])
    with closing(open_store_session(profile)) as original:
        original.connect(profile.source(AdminKey.parse(KEYS["acme"])))
        fetch(original, LAST_WEEK)
        save_snapshot(original, LAST_WEEK, tmp_path / "week.zip")
        rows = original.look(LAST_WEEK).table.rows
    snapshot: Session = SnapshotProfile(tmp_path / "week.zip").open_session()
    with closing(snapshot):
        assert snapshot.capabilities == SNAPSHOT
        assert isinstance(snapshot, StoreSession)
        assert snapshot.look(LAST_WEEK).table.rows == rows
        assert (snapshot.now, snapshot.connected) == (NOW, False)
        assert fetch(snapshot, LAST_WEEK) == []
        assert snapshot.fetch_names() == snapshot.names
        assert "costs" in snapshot.unavailable_datasets
        assert "completions" not in snapshot.unavailable_datasets
        with pytest.raises(KeyMissing):
            snapshot.verify(LAST_WEEK)
