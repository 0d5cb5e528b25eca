"""Checks a session of two organizations: fetching, verification, contributions and errors of one of them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.rigs.organizations import KEYS, LAST_WEEK, NOW, Servers, combined_profile, profile_of
from usage_viewer.app.profile.combined_profile import CombinedProfile
from usage_viewer.app.session.session import Session
from usage_viewer.demo.api.refusal import RefusedGroupings
from usage_viewer.domain.column_key import ChangeKind, ColumnKey
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.errors import InputError, KeyMissing, UsageViewerError
from usage_viewer.domain.table import FigureColumn, GroupColumn
from usage_viewer.domain.verification import Cell, Verdict
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import NOT_AVAILABLE

VIEW = LAST_WEEK.across(KEYS)


@pytest.fixture
def session(servers: Servers) -> Iterator[Session]:
    """Open both organizations with their keys."""
    with closing(combined_profile(servers).open_session()) as opened:
        yield opened


def _fetch(session: Session, view: ViewState = VIEW) -> list[tuple[int, int]]:
    return [(step.done, step.total) for step in session.fetch(view)]


def _total(session: Session, view: ViewState = VIEW) -> int:
    column = session.look(view).table.by_name["input_tokens"]
    assert isinstance(column, FigureColumn)
    assert isinstance(column.total, int)
    return column.total


def test_each_organization_is_fetched_from_its_own_server(session: Session) -> None:
    assert session.empty
    assert session.connected
    steps = _fetch(session)
    assert steps[0] == (0, 2)
    assert steps[-1] == (2, 2)
    assert session.look(VIEW).coverage.summary == "Complete: 7 days, 2 organizations"
    assert _fetch(session) == []
    totals = [_total(session, VIEW.only("profile", name)) for name in KEYS]
    assert min(totals) > 0
    assert sum(totals) == _total(session)
    assert session.values("completions", "profile") == tuple(KEYS)


def test_comparison_fetches_both_periods_and_adds_the_organizations(session: Session) -> None:
    view = VIEW.with_compare(Comparison.PREVIOUS)
    steps = _fetch(session, view)
    total = steps[-1][1]
    assert total >= 4  # at least one request for each period of each organization
    assert (steps[0], steps[-1]) == ((0, total), (total, total))
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    result = session.look(view)
    assert result.complete
    assert _fetch(session, view) == []
    change = result.table.figure(ColumnKey("input_tokens", change=ChangeKind.AMOUNT))
    before = result.table.figure(ColumnKey("input_tokens", compared=True))
    each = [session.look(view.only("profile", name)).table for name in KEYS]
    assert sum(table.figure(before.key).total or 0 for table in each) == before.total
    assert change.total == _total(session) - int(before.total or 0)
    assert int(before.total or 0) > 0


def test_names_of_both_organizations_are_combined(session: Session) -> None:
    _fetch(session)
    names = session.fetch_names()
    projects = session.values("completions", "project_id")
    assert all(("project", value) in names.by_id for value in projects if value is not None)
    assert names.by_id["profile", "acme"].name == "Acme"


def test_both_organizations_are_verified(session: Session) -> None:
    _fetch(session)
    assert session.completeness(VIEW).verdict is Verdict.NOT_VERIFIED
    assert session.requests_to_verify(VIEW, session.coverage(VIEW)) == 2
    outcome = session.verify(VIEW)
    assert outcome.completeness.verdict is Verdict.VERIFIED
    assert outcome.completeness.buckets == 14
    assert session.completeness(VIEW).verdict is Verdict.VERIFIED
    assert session.broken_identities(VIEW).count == 0
    assert session.changes("completions", None).count == 0


def test_contributions_of_a_cell_add_up_to_it(session: Session) -> None:
    _fetch(session)
    result = session.look(VIEW)
    both = session.contributions(result, Cell(0), ["input_tokens"])
    acme = session.contributions(result, Cell(0, (("profile", "acme"),)), ["input_tokens"])
    assert len(both) == 2 * len(acme) == 2
    figures = [contribution.figures[0] for contribution in both]
    column = session.look(VIEW.with_grouping(())).table.by_name["input_tokens"]
    assert isinstance(column, FigureColumn)
    assert sum(int(figure or 0) for figure in figures) == column.figures.at(0)


def test_an_organization_without_a_key_does_not_stop_the_others(servers: Servers) -> None:
    keys = {"acme": None, "umbrella": KEYS["umbrella"]}
    with closing(combined_profile(servers, keys).open_session()) as session:
        with pytest.raises(KeyMissing) as raised:
            _fetch(session)
        assert raised.value.title == "Acme: No admin key"
        assert session.look(VIEW).coverage.summary == "0 of 7 days loaded, 2 organizations"


def test_an_error_names_the_organization(servers: Servers) -> None:
    keys = {**KEYS, "umbrella": "sk-admin-wrong-wrong-wrong-wrong"}
    with closing(combined_profile(servers, keys).open_session()) as session:
        with pytest.raises(UsageViewerError) as raised:
            _fetch(session)
        assert raised.value.title.startswith("Umbrella: ")


def test_the_same_key_twice_is_refused(servers: Servers) -> None:
    with pytest.raises(InputError, match="same key"):
        combined_profile(servers, dict.fromkeys(KEYS, KEYS["acme"])).open_session()


def test_a_damaged_store_is_named_and_the_others_are_closed(servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "broken.duckdb").write_bytes(b"not a database at all" * 100)
    good = profile_of(servers, "acme", KEYS["acme"], tmp_path / "good.duckdb")
    bad = profile_of(servers, "umbrella", KEYS["umbrella"], tmp_path / "broken.duckdb")
    with pytest.raises(UsageViewerError, match="damaged") as raised:
        CombinedProfile([good, bad], clock=lambda: float(NOW)).open_session()
    assert raised.value.title.startswith("Umbrella: ")
    with closing(good.open_session()) as reopened:
        assert reopened.empty


def test_operations_of_one_organization_are_not_offered(session: Session) -> None:
    assert session.store_session is None
    assert not session.capabilities.can_save_snapshot
    assert not session.capabilities.can_erase
    for name in ("erase", "save_snapshot", "connect"):
        assert not hasattr(session, name)


def test_what_one_organization_does_not_grant_is_not_available_in_its_rows(servers: Servers) -> None:
    refused = RefusedGroupings.of("user_id")
    first = servers[next(iter(KEYS))]
    first.refused = refused
    try:
        with closing(combined_profile(servers).open_session()) as session:
            view = VIEW.with_grouping(["profile", "user_id"])
            _fetch(session, view)
            result = session.look(view, named=False)
            profiles, users = (column for column in result.table.columns if isinstance(column, GroupColumn))
            rows = {
                (profiles.values[a], users.values[b])
                for a, b in zip(profiles.codes.tolist(), users.codes.tolist(), strict=True)
            }
            one, other = KEYS
            assert {user for profile, user in rows if profile == one} == {NOT_AVAILABLE}
            assert NOT_AVAILABLE not in {user for profile, user in rows if profile == other}
            assert result.lacking == ("user_id",)
            assert any("User is not available" in note for note in result.notes)
            assert _total(session, view) == _total(session)
    finally:
        first.refused = RefusedGroupings()
