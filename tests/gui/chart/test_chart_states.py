"""Tests that every state of the data is drawn as what it is: twenty of them, on pictures."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PySide6.QtCore import Qt

from tests.rigs.charts import DAY, OCTOBER, DrawnChart, chart_of, days, stored, surface
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import SortKey
from usage_viewer.gui.chart.chart_colours import HATCH, LACKING, MISSING, ChartColours
from usage_viewer.gui.chart.chart_texts import FAILED, LOADING, NOT_LOADED
from usage_viewer.query.chart_buckets import BucketState
from usage_viewer.query.chart_series import GroupKind

pytestmark = pytest.mark.usefixtures("qapp")
DAILY = ViewState(range=days(1, 4), per=Granularity.DAY, columns=("input_tokens",))
NOON = OCTOBER + 2 * DAY + DAY // 2


def test_full_days_are_plain() -> None:
    with stored([[50], [60], [70], [100]]) as session:
        drawn = DrawnChart(chart_of(session, DAILY))
    assert not any(map(drawn.is_hatched, range(3)))
    assert drawn.legend == ["m0"]
    assert drawn.say(0) == "Thu, 1 Oct 2026, 50"


@pytest.mark.parametrize("missing", [NOT_LOADED, LOADING, FAILED])
def test_missing_day_is_hatched_and_named_never_zero(missing: str) -> None:
    with stored([[50], [60], [70], [100]], skipped=[1]) as session:
        drawn = DrawnChart(chart_of(session, DAILY), missing=missing)
    assert drawn.is_hatched(1)
    assert not drawn.is_hatched(0)
    assert drawn.legend == ["m0", missing]
    assert drawn.say(1) == f"Fri, 2 Oct 2026, {missing}"
    assert [line.label for line in drawn.texts.readout(1)] == ["Fri, 2 Oct 2026", missing]


def test_nothing_loaded_at_all_has_no_bar_and_no_zero() -> None:
    with stored([[50]], start=OCTOBER - 30 * DAY) as session:
        drawn = DrawnChart(chart_of(session, DAILY))
    assert all(map(drawn.is_hatched, range(4)))
    assert drawn.legend == [NOT_LOADED]


def test_today_is_hatched_as_in_progress_and_the_rest_is_still_to_come() -> None:
    with stored([[50], [60], [70]], now=NOON, fetched=NOON) as session:
        drawn = DrawnChart(chart_of(session, DAILY))
    assert drawn.is_hatched(2)
    assert drawn.height(2) > 0
    assert drawn.is_hatched(3)
    assert drawn.legend == ["m0", "In progress", "Still to come"]
    assert drawn.say(2) == "Sat, 3 Oct 2026, 70, In progress"
    assert drawn.say(3) == "Sun, 4 Oct 2026, Still to come"


def test_open_bar_differs_from_a_final_one() -> None:
    with stored([[100], [100], [100]], now=NOON, fetched=NOON) as session:
        drawn = DrawnChart(chart_of(session, DAILY))
    colours = ChartColours.of(drawn.surface.palette)
    fill = colours.fill(0, drawn.texts.series.groups[0]).name()
    final, open_day = drawn.colours(1), drawn.colours(2)
    assert drawn.height(1) == drawn.height(2)
    assert open_day[fill] < final[fill] * 0.95


def test_each_state_has_a_pattern_of_its_own() -> None:
    assert len({HATCH, MISSING, LACKING, Qt.BrushStyle.Dense7Pattern}) == 4
    with stored([[100], [100], [100]], skipped=[1], now=NOON, fetched=NOON) as session:
        drawn = DrawnChart(chart_of(session, DAILY))
    assert {"Not loaded", "In progress"} <= set(drawn.legend)


def test_day_that_may_change_is_said_and_not_hatched() -> None:
    with stored([[50], [60], [70], [80]], now=NOON + 2 * DAY, fetched=NOON + 2 * DAY) as session:
        drawn = DrawnChart(chart_of(session, DAILY))
    assert not drawn.is_hatched(0)
    assert drawn.say(3).endswith("May still change")


def test_idle_day_is_a_plain_zero() -> None:
    with stored([[50], [], [70], [100]]) as session:
        drawn = DrawnChart(chart_of(session, DAILY))
    assert not drawn.is_hatched(1)
    assert drawn.height(1) == 0
    assert drawn.say(1) == "Fri, 2 Oct 2026, 0"


def test_longer_bucket_with_a_missing_day_is_partly_loaded() -> None:
    view = ViewState(range=days(1, 31), per=Granularity.WEEK, columns=("input_tokens",))
    with stored([[9]] * 31, skipped=[8]) as session:
        drawn = DrawnChart(chart_of(session, view))
    assert drawn.legend == ["m0", "Partly loaded"]
    assert drawn.say(1).endswith("54, Partly loaded")


def test_empty_range_without_any_usage_is_zero() -> None:
    with stored([[], [], [], []]) as session:
        drawn = DrawnChart(chart_of(session, DAILY))
    assert [drawn.height(bucket) for bucket in range(4)] == [0] * 4
    assert drawn.legend == []
    assert not drawn.is_hatched(0)


def test_one_bucket_fills_the_plot() -> None:
    view = ViewState(range=days(1, 1), per=Granularity.DAY, columns=("input_tokens",))
    with stored([[50]]) as session:
        drawn = DrawnChart(chart_of(session, view))
    box, plot = drawn.face.layout.bucket_box(0, 0), drawn.face.layout.frame.plot
    assert box.width > plot.width * 0.8
    assert drawn.say(0) == "Thu, 1 Oct 2026, 50"


def test_credits_hang_below_zero() -> None:
    view = ViewState("costs", range=days(1, 2), per=Granularity.DAY, grouping=("line_item",))
    with stored(
        [[Decimal(5), Decimal(-3)], [Decimal(-4), Decimal(0)]], dataset="costs", figure="amount"
    ) as session:
        drawn = DrawnChart(chart_of(session, view))
    layout = drawn.face.layout
    assert layout.bottom[:, 0].max() > layout.zero > layout.top[:, 0].min()
    assert layout.top[:, 1].min() == layout.zero
    assert "−4.00" in drawn.say(1)


def test_all_zero_has_bars_without_height() -> None:
    with stored([[0], [0], [0], [0]]) as session:
        drawn = DrawnChart(chart_of(session, DAILY))
    assert sum(drawn.height(bucket) for bucket in range(4)) == 0
    assert drawn.say(0) == "Thu, 1 Oct 2026, 0"


def test_huge_values_are_drawn_and_read_exactly() -> None:
    view = ViewState("costs", range=days(1, 2), per=Granularity.DAY, grouping=("line_item",))
    amount = Decimal(10) ** 12 + Decimal("0.01")
    with stored([[amount], [amount / 2]], dataset="costs", figure="amount") as session:
        drawn = DrawnChart(chart_of(session, view))
    assert abs(drawn.height(0) - 2 * drawn.height(1)) <= 1
    assert drawn.say(0) == "Thu, 1 Oct 2026, 1,000,000,000,000.01"


def test_figure_that_was_not_reported_is_a_gap_and_never_not_a_number() -> None:
    view = DAILY.with_columns(["cached_share"]).with_order([SortKey("cached_share")])
    with stored([[100], [0], [100], [100]], input_cached_tokens=[[50], [0], [None], [25]]) as session:
        drawn = DrawnChart(chart_of(session, view))
    assert np.isnan(drawn.face.layout.points).tolist() == [False, True, True, False]
    assert drawn.say(0) == "Thu, 1 Oct 2026, 50.0 %"
    assert drawn.say(1) == "Fri, 2 Oct 2026, –"
    assert "does not add up" in " ".join(drawn.texts.notes)
    assert "nan" not in drawn.say(1)


@pytest.mark.parametrize(("day", "hours"), [(datetime(2026, 3, 29), 23), (datetime(2026, 10, 25), 25)])
def test_days_of_23_and_25_hours_have_that_many_bars(day: datetime, hours: int) -> None:
    start = int(day.replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp())
    view = ViewState(
        range=DateRange.days(day.date(), day.date()),
        per=Granularity.HOUR,
        zone="Europe/Berlin",
        columns=("input_tokens",),
    )
    later = start + 400 * DAY
    with stored([[hour + 1] for hour in range(hours)], width=BucketWidth.HOUR, start=start, now=later) as session:
        drawn = DrawnChart(chart_of(session, view))
    series = drawn.texts.series
    assert series.totals == tuple(range(1, hours + 1))
    said = [drawn.say(bucket) for bucket in range(hours)]
    assert len(set(said)) == hours
    assert not any(map(drawn.is_hatched, range(hours - 3)))


def test_minutes_of_a_day_are_summed_to_hours_and_the_chart_says_so() -> None:
    view = ViewState(range=days(1, 1), per=Granularity.MINUTE, columns=("input_tokens",))
    with stored([[1]] * 1440, width=BucketWidth.MINUTE) as session:
        drawn = DrawnChart(chart_of(session, view, most_buckets=300))
    assert drawn.texts.series.totals == (60,) * 24
    assert drawn.texts.notes == ["Summed to hours: this range has too many minutes for the width."]


def test_minutes_of_an_hour_are_bars_of_their_own() -> None:
    hour = DateRange(None, datetime(2026, 10, 1, 10), datetime(2026, 10, 1, 11))
    view = ViewState(range=hour, per=Granularity.MINUTE, columns=("input_tokens",))
    with stored([[1]] * 60, width=BucketWidth.MINUTE, start=OCTOBER + 36000) as session:
        drawn = DrawnChart(chart_of(session, view))
    assert drawn.texts.series.totals == (1,) * 60
    assert drawn.say(5) == "Thu, 1 Oct 2026 10:05, 1"


def test_more_groups_than_can_be_told_apart_become_others() -> None:
    with stored([list(range(1, 21))] * 4) as session:
        drawn = DrawnChart(chart_of(session, DAILY))
    assert len(drawn.legend) == 9
    assert drawn.legend[-1] == "Others (12)"
    assert drawn.texts.series.values[-1][0] == sum(range(1, 13))


def test_range_in_the_future_is_still_to_come() -> None:
    with stored([[1]], start=OCTOBER - 10 * DAY, now=OCTOBER - 8 * DAY) as session:
        drawn = DrawnChart(chart_of(session, DAILY))
    assert drawn.legend == ["Still to come"]
    assert all(state == BucketState.FUTURE for state in drawn.texts.series.buckets.states)


def test_dark_and_mirrored_charts_hatch_the_same_days() -> None:
    with stored([[50], [60], [70], [100]], skipped=[1]) as session:
        chart = chart_of(session, DAILY)
        for on in (surface(dark=True), surface(mirrored=True)):
            drawn = DrawnChart(chart, on)
            assert drawn.is_hatched(1)
            assert not drawn.is_hatched(0)


def test_mirrored_time_goes_to_the_left() -> None:
    with stored([[50], [60], [70], [100]]) as session:
        layout = DrawnChart(chart_of(session, DAILY), surface(mirrored=True)).face.layout
    assert (np.diff(layout.left) < 0).all()
    assert layout.frame.legend[0].box.x < layout.frame.plot.x


@pytest.mark.parametrize("dark", [False, True])
def test_fills_have_enough_contrast_and_differ_without_colour(dark: bool) -> None:
    from usage_viewer.gui.widgets.contrast import contrast

    with stored([list(range(1, 21))] * 4) as session:
        drawn = DrawnChart(chart_of(session, DAILY), surface(dark=dark))
    colours, groups = ChartColours.of(drawn.surface.palette), drawn.texts.series.groups
    fills = colours.fills(groups)
    assert min(contrast(fill, colours.ground) for fill in fills) >= 3
    assert min(contrast(colours.on_fill(fill), colours.ground) for fill in fills) >= 3
    assert min(contrast(colours.heat(step / 10), colours.ground) for step in range(11)) >= 3
    named = [(place, group) for place, group in enumerate(groups) if group.kind is GroupKind.GROUP]
    assert len({colours.pattern(place, group) for place, group in named}) == len(named)
