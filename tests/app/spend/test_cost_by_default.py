"""Usage shows its cost unasked where costs are stored, and says of which days cost is not known."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.app.test_unavailable import failing
from tests.rigs.sessions import NOW, SessionRig, days, fetch, sums
from usage_viewer.app.export.provenance import provenance_of
from usage_viewer.app.session.combined import CombinedSession
from usage_viewer.app.session.result import ViewResult
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.domain.catalog import API_DATASETS
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.cost_figures import COST, has_costs, with_costs
from usage_viewer.domain.coverage import Refresh
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.pivot import Pivot
from usage_viewer.domain.view_parts import PERIOD, Filter

WEEK = days("10-21", "10-27", grouping=("model",))
SPEND = WEEK.with_dataset("spend").with_grouping(("model",))
THREE_DAYS = days("10-21", "10-23", dataset_name="spend", grouping=())
BILLED = [name for name, data in API_DATASETS.items() if has_costs(with_costs(data))]
PER_UNIT = ("cost", "cost_per_request", "cost_per_million_tokens")


def figures(result: ViewResult) -> list[str]:
    return [column.name for column in result.table.figures]


@pytest.mark.parametrize("name", BILLED)
def test_every_billed_dataset_shows_cost_where_costs_are_stored(rig: SessionRig, name: str) -> None:
    session = rig.session()
    fetch(session, SPEND)
    view = WEEK.with_dataset(name)
    rig.take_requests()
    result = session.look(view)
    assert figures(result) == [*view.dataset.default_columns, COST]
    assert result.view == view
    chosen = Filter("service", frozenset([name]))
    spend = session.look(SPEND.with_grouping(()).with_filter(chosen)).table.figure("amount")
    assert result.table.figure(COST).total == spend.total
    assert session.look(view.with_columns(view.dataset.default_columns)).table.figures[-1].name != COST
    assert figures(session.look(view.with_columns(view.dataset.default_columns[:1]))) == [
        view.dataset.default_columns[0]
    ]


def test_without_costs_nothing_is_shown_or_requested(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, WEEK)
    assert {request.path for request in rig.take_requests()} == {API_DATASETS["completions"].path}
    result = session.look(WEEK)
    assert figures(result) == list(WEEK.shown_columns)
    assert result.cost is None
    assert not result.to_fetch


def test_cost_that_is_shown_unasked_requests_nothing(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, THREE_DAYS)
    fetch(session, WEEK)
    rig.take_requests()
    result = session.look(WEEK)
    assert COST in figures(result)
    assert result.cost is not None
    assert not result.cost.days.complete
    assert not result.to_fetch
    fetch(session, WEEK)
    session.look(WEEK)
    assert rig.take_requests() == []
    asked = WEEK.with_columns(result.effective_view.columns)
    assert session.look(asked).to_fetch
    fetch(session, asked)
    assert API_DATASETS["costs"].path in {request.path for request in rig.take_requests()}
    assert session.look(WEEK).cost is not None
    assert provenance(session.look(WEEK)).endswith(" · cost: Complete: 7 days")


def test_cost_is_not_shown_unasked_where_none_can_be_known(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, SPEND)
    hours, kolkata = WEEK.with_per(Granularity.HOUR), WEEK.with_zone("Asia/Kolkata")
    sizes = WEEK.with_dataset("images").with_grouping(("size",))
    later = replace(WEEK, range=days("11-01", "11-03").range)
    for view in (hours, kolkata, sizes, later):
        fetch(session, view)
        assert COST not in figures(session.look(view))


def provenance(result: ViewResult) -> str:
    coverage, compared = result.coverage, result.compared_coverage
    return provenance_of(result.effective_view, coverage, Names(), compared, result.cost).text


def test_days_without_cost_are_counted_and_have_no_price(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, THREE_DAYS)
    fetch(session, WEEK)
    view = WEEK.with_columns((*WEEK.shown_columns, *PER_UNIT))
    result = session.look(view)
    assert result.coverage.summary == "Complete: 7 days"
    assert result.cost is not None
    assert result.cost.summary == "3 of 7 days loaded"
    assert "cost: 3 of 7 days loaded" in provenance(result)
    for name in PER_UNIT[1:]:
        assert set(sums(result, name).values()) == {None}, "cost of 3 days, requests of 7"
        assert result.table.figure(name).total is None
    by_day = session.look(view.with_per(Granularity.DAY).with_grouping(()))
    for name in PER_UNIT:
        known = [value is not None for value in by_day.table.figure(name).figures.listed()]
        assert sorted(known, reverse=True) == [True] * 3 + [False] * 4
    fetch(session, view)
    assert all(isinstance(session.look(view).table.figure(name).total, Decimal) for name in PER_UNIT)


@pytest.mark.parametrize("name", PER_UNIT[1:])
def test_pivot_has_no_price_of_days_without_whole_cost(rig: SessionRig, name: str) -> None:
    session = rig.session()
    fetch(session, THREE_DAYS)
    fetch(session, WEEK)
    by_day = WEEK.with_per(Granularity.DAY)
    across = session.look(by_day.with_pivot(Pivot(PERIOD, name))).table
    flat = session.look(by_day.with_grouping(()).with_columns([name])).table.figure(name)
    assert [column.total for column in across.figures[:-1]] == flat.figures.listed()
    for column in across.figures:
        is_known = column.total is not None
        assert any(value is not None for value in column.figures.listed()) == is_known
    assert across.figures[-1].total is None
    models = session.look(by_day.with_pivot(Pivot("model", name))).table
    assert {column.total for column in models.figures} == {None}
    known = [value is not None for value in models.figures[-1].figures.listed()]
    assert sorted(known, reverse=True) == [True] * 3 + [False] * 4


def test_open_days_of_cost_are_counted(rig: SessionRig) -> None:
    session = rig.session()
    view = days("11-16", "11-20", grouping=("model",))
    fetch(session, view.with_dataset("spend"))
    result = session.look(view)
    assert result.cost is not None
    assert result.cost.summary == "Complete: 5 days, 4 days may still change"
    assert not result.cost.days.stale
    rig.now += 4 * 3600
    list(session.fetch(view, refresh=Refresh.GROWING))
    result = session.look(view)
    assert result.cost is not None
    assert len(result.cost.days.stale) == 1, "costs are older than usage"
    assert not result.to_fetch


def test_refused_costs_leave_usage_and_stored_cost(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, THREE_DAYS)
    rig.server.faults = failing("costs", 403)
    view = WEEK.with_columns((*WEEK.shown_columns, COST))
    with pytest.raises(UsageViewerError):
        fetch(session, view)
    result = session.look(view)
    assert result.coverage.complete
    assert result.cost is not None
    assert result.cost.refused
    assert not result.to_fetch
    assert result.cost.summary == "3 of 7 days loaded"
    never = session.look(replace(view, range=days("11-01", "11-03").range))
    assert never.cost is not None
    assert never.cost.summary == "not available"


def test_comparison_says_when_cost_of_one_period_is_missing(rig: SessionRig) -> None:
    session = rig.session()
    view = replace(WEEK, compare=Comparison.PREVIOUS)
    fetch(session, SPEND)
    fetch(session, view)
    result = session.look(view)
    assert COST in figures(result)
    assert result.compared is not None
    assert result.compared.cost is not None
    assert result.compared.cost.summary == "0 of 7 days loaded"
    assert "Cost of the compared period: 0 of 7 days loaded." in result.notes
    assert not result.to_fetch


@pytest.mark.parametrize("name", ["completions", "spend"])
def test_compared_cost_is_fetched_and_is_that_of_its_period(rig: SessionRig, name: str) -> None:
    session = rig.session()
    asked = replace(SPEND if name == "spend" else WEEK.with_columns((*WEEK.shown_columns, COST)))
    view, earlier = replace(asked, compare=Comparison.PREVIOUS), replace(asked, range=days("10-14", "10-20").range)
    fetch(session, view)
    result = session.look(view)
    assert not result.to_fetch
    figure = "amount" if name == "spend" else COST
    now, before = (session.look(side).table.figure(figure).total for side in (asked, earlier))
    assert result.table.figure(figure).total == now
    assert result.table.figure(ColumnKey(figure, compared=True)).total == before
    assert isinstance(before, Decimal)
    assert not any("day in its place" in note or "Cost of" in note for note in result.notes)


def test_open_period_is_compared_by_the_hour_without_cost_and_by_whole_days_with_it(rig: SessionRig) -> None:
    session = rig.session()
    view = replace(days("11-14", "11-20", grouping=("model",)), compare=Comparison.PREVIOUS)
    fetch(session, view.with_dataset("spend").with_compare(Comparison.NONE))
    fetch(session, view)
    result = session.look(view)
    assert COST not in figures(result)
    assert any("Compared up to 10:00 today" in note for note in result.notes)
    asked = view.with_columns((*view.shown_columns, COST))
    fetch(session, asked)
    result = session.look(asked)
    assert isinstance(result.table.figure(ColumnKey(COST, compared=True)).total, Decimal)
    assert "Today has not ended: the compared period has a whole day in its place." in result.notes


def test_organizations_together_show_cost_if_one_has_it(rig: SessionRig) -> None:
    rig.path = None
    sessions: dict[str, StoreSession] = {"a": rig.session(), "b": rig.session()}
    combined = CombinedSession(sessions, {"a": "A", "b": "B"}, clock=lambda: NOW)
    view = WEEK.across(("a", "b"))
    fetch(combined, view)
    assert COST not in figures(combined.look(view))
    fetch(sessions["a"], SPEND)
    result = combined.look(view)
    assert COST in figures(result)
    assert result.coverage.summary == "Complete: 7 days, 2 organizations"
    assert result.cost is not None
    assert result.cost.summary == "0 of 7 days loaded, 2 organizations"
    assert result.table.figure(COST).total == sessions["a"].look(WEEK).table.figure(COST).total
    assert result.table.figure("num_model_requests").total == sum(
        session.look(WEEK).table.figure("num_model_requests").total or 0 for session in sessions.values()
    )


def test_identities_of_usage_are_checked_beside_its_cost(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, SPEND)
    for view in (WEEK, WEEK.with_columns((*WEEK.shown_columns, *PER_UNIT))):
        assert session.broken_identities(view).count == 0
