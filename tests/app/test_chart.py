"""Tests what a chart is loaded from: the table, one more look at the store, never the network."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from tests.rigs.charts import DAY, OCTOBER, chart_of, days, put_hours, stored
from tests.rigs.organizations import KEYS, LAST_WEEK, Servers, combined_profile, running_servers
from usage_viewer.app.chart import ChartFace, ChartRequest, charted_figure, load_chart
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, SortKey
from usage_viewer.query.chart_buckets import BucketState
from usage_viewer.query.chart_series import GroupKind

VALUES = [[10 * day, day, 1] for day in range(1, 8)]
PEAK = "usage_bytes_peak"
WEEK = ViewState(range=days(1, 7), order=(SortKey("input_tokens", descending=True),))


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """Run the servers of two organizations."""
    with running_servers() as running:
        yield running


def test_total_is_charted_by_day_and_adds_up_to_it() -> None:
    with stored(VALUES) as session:
        chart = chart_of(session, WEEK)
        table = session.look(WEEK).table
    assert chart.series is not None
    assert chart.series.totals == tuple(map(sum, VALUES))
    assert sum(map(sum, VALUES)) == table.figure("input_tokens").total
    assert not chart.is_of_table
    assert chart.summed is None


def test_table_with_periods_is_charted_without_another_look() -> None:
    with stored(VALUES) as session:
        view = WEEK.with_per(Granularity.DAY)
        result = session.look(view)
        chart = load_chart(session, result, ChartRequest("input_tokens"))
    assert chart.result is result
    assert chart.is_of_table


def test_line_of_the_compared_period_is_its_total_by_bucket() -> None:
    with stored(VALUES) as session:
        for per in (Granularity.TOTAL, Granularity.DAY):
            view = replace(WEEK, range=days(4, 6), per=per, compare=Comparison.PREVIOUS)
            series = chart_of(session, view).series
            assert series is not None
            assert series.totals == tuple(map(sum, VALUES[3:6]))
            assert series.compared == tuple(map(sum, VALUES[:3]))


def test_days_of_the_compared_period_that_are_not_loaded_are_gaps_in_the_line() -> None:
    with stored(VALUES) as session:
        view = replace(WEEK, range=days(2, 4), per=Granularity.DAY, compare=Comparison.PREVIOUS)
        series = chart_of(session, view).series
        assert series is not None
        assert series.totals == tuple(map(sum, VALUES[1:4]))
        assert series.compared == (None, None, sum(VALUES[0]))
        quotient = chart_of(session, replace(view, columns=("cached_share",), order=())).series
    assert quotient is not None
    assert quotient.compared == ()


def test_day_with_rows_of_the_compared_period_only_is_not_partly_loaded() -> None:
    with stored(VALUES) as session:
        view = replace(WEEK, range=days(7, 10), per=Granularity.DAY, compare=Comparison.PREVIOUS)
        result = session.look(view)
        assert not result.coverage.complete
        series = load_chart(session, result, ChartRequest("input_tokens")).series
    assert series is not None
    assert [BucketState(state) for state in series.buckets.states[1:]] == [BucketState.NOT_LOADED] * 3
    assert series.compared == tuple(map(sum, VALUES[2:6]))


def test_filters_and_search_hold_in_the_chart() -> None:
    with stored(VALUES) as session:
        kept = chart_of(session, WEEK.with_filter(Filter("model", frozenset(["m1"])))).series
        found = chart_of(session, WEEK.with_search("m2")).series
    assert kept is not None
    assert found is not None
    assert kept.totals == tuple(range(1, 8))
    assert found.totals == (1,) * 7


def test_share_is_the_quotient_of_the_sums_with_a_search_too() -> None:
    cached = [[day, 0, 1] for day in range(1, 8)]
    with stored(VALUES, input_cached_tokens=cached) as session:
        view = WEEK.with_per(Granularity.DAY).with_order([SortKey("cached_share")])
        whole = chart_of(session, view).series
        found = chart_of(session, view.with_search("m0")).series
    assert whole is not None
    assert found is not None
    assert whole.totals == tuple((day + 1) / (11 * day + 1) for day in range(1, 8))
    assert found.totals == (0.1,) * 7
    assert not whole.is_stacked


def test_total_of_another_zone_is_charted_in_days_of_utc_if_only_these_are_stored() -> None:
    """A total from midnight to midnight of Berlin needs days of UTC, and hours at its ends alone."""
    view = ViewState(
        range=DateRange(None, datetime(2026, 10, 2), datetime(2026, 10, 5)),
        zone="Europe/Berlin",
        columns=("input_tokens",),
    )
    with stored(VALUES) as session:
        put_hours(session, OCTOBER + DAY - 2 * 3600, 2)
        put_hours(session, OCTOBER + 3 * DAY, 22)
        result = session.look(view)
        assert result.coverage.complete
        chart = load_chart(session, result, ChartRequest("input_tokens"))
    assert chart.series is not None
    assert sum(number for number in chart.series.totals if number is not None) == result.table.figures[0].total
    assert "Days of UTC" in chart.notes[0]


def test_heat_map_without_stored_hours_says_so() -> None:
    with stored(VALUES) as session:
        chart = chart_of(session, WEEK, face=ChartFace.HEAT_MAP)
    assert chart.lacks_hours


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (ViewState("costs", range=days(1, 3), grouping=()), "has no hours"),
        (WEEK.with_order([SortKey("cached_share")]), "can't be added up"),
    ],
)
def test_what_a_heat_map_cannot_show_is_said(view: ViewState, words: str) -> None:
    with stored([[1]] * 3) as session:
        chart = chart_of(session, view, face=ChartFace.HEAT_MAP)
    assert words in chart.problem


def test_peak_of_a_search_is_refused_with_a_reason() -> None:
    view = ViewState("vector_stores", range=days(1, 3), grouping=("project_id",), columns=(PEAK,))
    with stored([[1], [2], [3]], dataset="vector_stores", figure="usage_bytes") as session:
        chart = chart_of(session, view.with_search("m"))
    assert "search" in chart.problem


def test_peaks_and_means_are_those_of_the_total() -> None:
    view = ViewState("vector_stores", range=days(1, 3), per=Granularity.DAY, grouping=("project_id",))
    with stored([[1, 10], [2, 20], [3, 30]], dataset="vector_stores", figure="usage_bytes") as session:
        series = chart_of(session, view.with_columns([PEAK])).series
    assert series is not None
    assert series.totals == (11, 22, 33)
    assert not series.is_stacked


def test_costs_are_exact_and_credits_are_negative() -> None:
    amounts = [[Decimal("0.1"), Decimal("-0.3")], [Decimal("1E-30"), Decimal(2)]]
    with stored(amounts, dataset="costs", figure="amount") as session:
        view = ViewState("costs", range=days(1, 2), per=Granularity.DAY, grouping=("line_item",))
        series = chart_of(session, view).series
    assert series is not None
    assert series.totals == (Decimal("-0.2"), Decimal("2") + Decimal("1E-30"))
    assert series.measure == "USD"


def test_charted_figure_is_the_chosen_sorted_or_first_one_that_is_shown() -> None:
    view = WEEK.with_order([SortKey("model"), SortKey("output_tokens")])
    assert charted_figure(view) == "output_tokens"
    assert charted_figure(view, "input_tokens") == "input_tokens"
    assert charted_figure(view, "num_images") == "output_tokens"
    assert charted_figure(WEEK.with_order(())) == WEEK.dataset.default_columns[0]
    assert charted_figure(WEEK.with_order(()), last="output_tokens") == "output_tokens"
    assert charted_figure(view.with_order(()), last="num_images") == WEEK.dataset.default_columns[0]
    assert charted_figure(WEEK.with_columns(["output_tokens"])) == "output_tokens"


def test_combined_organizations_are_added_up(servers: Servers) -> None:
    with closing(combined_profile(servers).open_session()) as session:
        view = LAST_WEEK.across(KEYS).with_grouping(["profile"])
        for _ in session.fetch(view):
            pass
        result = session.look(view)
        requests = [len(server.requests) for server in servers.values()]
        series = load_chart(session, result, ChartRequest("input_tokens")).series
    assert series is not None
    assert [len(server.requests) for server in servers.values()] == requests
    assert sum(number or 0 for number in series.totals) == result.table.figure("input_tokens").total
    assert [group.kind for group in series.groups] == [GroupKind.GROUP] * 2
