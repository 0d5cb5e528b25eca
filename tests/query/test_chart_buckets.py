"""Tests the choice of a chart's buckets and their states."""

from datetime import UTC, datetime

import pytest

from tests.rigs.charts import DAY, OCTOBER, chart_of, days, stored
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity, Span, periods
from usage_viewer.domain.view import ViewState
from usage_viewer.query.chart_buckets import BucketState, _overlap, choose_periods

STATES = BucketState
VIEW = ViewState(range=days(1, 6), per=Granularity.DAY)


def states(session_values: list[list[int]], **stored_as: object) -> list[BucketState]:
    with stored(session_values, **stored_as) as session:  # type: ignore[arg-type]
        series = chart_of(session, VIEW, "input_tokens").series
    assert series is not None
    return [BucketState(state) for state in series.buckets.states.tolist()]


def test_skipped_days_are_not_loaded_and_later_ones_are_still_to_come() -> None:
    noon = OCTOBER + 3 * DAY + DAY // 2
    found = states([[5], [5], [5], [5]], skipped=[1], now=noon, fetched=noon)
    assert found == [
        STATES.MAY_CHANGE,
        STATES.NOT_LOADED,
        STATES.MAY_CHANGE,
        STATES.IN_PROGRESS,
        STATES.FUTURE,
        STATES.FUTURE,
    ]


def test_settled_days_are_final() -> None:
    assert states([[5]] * 6) == [STATES.FINAL] * 6


def test_month_with_a_missing_day_is_partly_loaded() -> None:
    view = ViewState(range=days(1, 31), per=Granularity.MONTH)
    with stored([[5]] * 31, skipped=[7]) as session:
        series = chart_of(session, view, "input_tokens").series
    assert series is not None
    assert series.buckets.states.tolist() == [STATES.PARTLY_LOADED]
    assert series.totals == (150,)


@pytest.mark.parametrize(
    ("most", "per", "count"),
    [
        (400, "day", 365),
        (364, "week", 53),
        (53, "week", 53),
        (52, "month", 12),
        (12, "month", 12),
        (2, "month", 12),
    ],
)
def test_too_many_days_become_weeks_or_months(most: int, per: str, count: int) -> None:
    start = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
    chosen = choose_periods(periods(Span(start, start + 365 * DAY), Granularity.DAY, UTC), most)
    assert (chosen.per.value, len(chosen)) == (per, count)
    assert chosen.span == Span(start, start + 365 * DAY)


def test_minutes_become_hours() -> None:
    day = periods(Span(OCTOBER, OCTOBER + DAY), Granularity.MINUTE, UTC)
    assert choose_periods(day, 400).per is Granularity.HOUR


def test_weeks_are_not_divided_into_months() -> None:
    year = periods(Span(OCTOBER, OCTOBER + 365 * DAY), Granularity.WEEK, UTC)
    assert choose_periods(year, 10) is year


def test_overlapping_runs_count_once() -> None:
    bounds = periods(Span(OCTOBER, OCTOBER + 3 * DAY), Granularity.DAY, UTC).bounds
    runs = [
        BucketRun(BucketWidth.HOUR, OCTOBER + 3600, OCTOBER + 7200),
        BucketRun(BucketWidth.DAY, OCTOBER, OCTOBER + DAY),
        BucketRun(BucketWidth.HOUR, OCTOBER + DAY + 3600, OCTOBER + 2 * DAY + 3600),
    ]
    assert _overlap(bounds, runs).tolist() == [DAY, DAY - 3600, 3600]
    assert _overlap(bounds, runs, OCTOBER + DAY + 7200).tolist() == [DAY, 3600, 0]
