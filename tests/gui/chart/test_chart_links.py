"""Tests the views and rows that places of a chart stand for."""

from datetime import datetime

import pytest

from tests.rigs.charts import DAY, OCTOBER, chart_of, days, stored
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.row_keys import RowKeys, keys_of
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter
from usage_viewer.gui.chart.chart_emphasis import Place
from usage_viewer.gui.chart.chart_links import filtered_view, opened_view, ranged_view, rows_of, selected_parts

DAILY = ViewState(range=days(1, 3), per=Granularity.DAY, columns=("input_tokens",))
MANY = [list(range(20, 0, -1))] * 3


def test_filter_to_a_group_replaces_or_adds() -> None:
    with stored(MANY) as session:
        series = chart_of(session, DAILY).series
    assert series is not None
    first = filtered_view(DAILY, series, 0)
    assert first is not None
    assert first.filters == (Filter("model", frozenset(["m0"])),)
    both = filtered_view(first, series, 1, add=True)
    assert both is not None
    assert both.filters == (Filter("model", frozenset(["m0", "m1"])),)
    second = filtered_view(first, series, 1)
    assert second is not None
    assert second.filters == (Filter("model", frozenset(["m1"])),)
    back = filtered_view(DAILY.excluding("model", "m0"), series, 0, add=True)
    assert back is not None
    assert back.filters == ()


def test_others_exclude_the_named_groups_within_the_present_filter() -> None:
    with stored(MANY) as session:
        series = chart_of(session, DAILY).series
        assert series is not None
        view = filtered_view(DAILY, series, len(series.groups) - 1)
        assert view is not None
        total = session.look(view).table.figures[0].total
    assert total == sum(number or 0 for number in series.values[-1])


def test_total_and_unavailable_have_no_filter() -> None:
    with stored(MANY) as session:
        series = chart_of(session, DAILY.with_grouping([])).series
    assert series is not None
    assert filtered_view(DAILY, series, 0) is None


@pytest.mark.parametrize(
    ("per", "finer"),
    [
        (Granularity.MONTH, Granularity.DAY),
        (Granularity.WEEK, Granularity.DAY),
        (Granularity.DAY, Granularity.HOUR),
    ],
)
def test_opened_bucket_is_shown_by_the_next_finer_period(per: Granularity, finer: Granularity) -> None:
    view = ViewState(range=days(1, 31), per=per, columns=("input_tokens",))
    with stored([[1]] * 31) as session:
        opened = opened_view(view, chart_of(session, view), 0)
    assert opened.per is finer
    assert opened.range.start == datetime(2026, 10, 1)


def test_costs_have_no_hours_to_open() -> None:
    view = ViewState("costs", range=days(1, 3), per=Granularity.DAY, grouping=())
    with stored([[1]] * 3, dataset="costs", figure="amount") as session:
        opened = opened_view(view, chart_of(session, view), 1)
    assert opened.per is Granularity.DAY
    assert opened.range == days(2, 2)


def test_range_of_the_repeated_hour_is_never_empty() -> None:
    """The clocks of Berlin show 02:00 twice on 25 October 2026."""
    view = ViewState(range=days(25, 25), per=Granularity.HOUR, zone="Europe/Berlin", columns=("input_tokens",))
    start = OCTOBER + 24 * DAY - 2 * 3600
    with stored([[1]] * 25, width=BucketWidth.HOUR, start=start) as session:
        chart = chart_of(session, view)
    for bucket in range(25):
        chosen = ranged_view(view, chart, bucket, bucket).range
        span = chosen.resolve(0, view.tzinfo)
        assert span.start <= start + bucket * 3600
        assert span.end >= start + (bucket + 1) * 3600


def test_rows_of_a_part_and_parts_of_rows_are_the_same() -> None:
    with stored(MANY) as session:
        chart = chart_of(session, DAILY)
        table = chart.result.table
    assert chart.series is not None
    keys = rows_of(table, chart, Place(1, 2))
    assert keys.parts == ((OCTOBER + DAY, "m2"),)
    parts = selected_parts(chart, keys)
    assert parts is not None
    assert [place.tolist() for place in parts.nonzero()] == [[2], [1]]
    others = rows_of(table, chart, Place(0, len(chart.series.groups) - 1))
    assert len(others.parts) == 12
    marked = selected_parts(chart, others)
    assert marked is not None
    assert marked.sum() == 1


def test_rows_of_a_newer_table_are_not_guessed() -> None:
    with stored(MANY) as session:
        chart = chart_of(session, DAILY)
        newer = session.look(DAILY.only("model", "m1")).table
    assert rows_of(newer, chart, Place(0, 0)) == RowKeys((), ())


def test_selected_rows_outside_the_chart_are_ignored() -> None:
    with stored(MANY) as session:
        chart = chart_of(session, DAILY)
        keys = keys_of(session.look(DAILY).table, [0])
    outside = RowKeys(keys.names, ((OCTOBER + 90 * DAY, "m1"),))
    assert selected_parts(chart, outside) is None
    assert selected_parts(chart, RowKeys((), ())) is None
