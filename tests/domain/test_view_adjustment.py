"""What a dataset can show of a view, and what is said where that is something else."""

from datetime import UTC, date, datetime

import pytest

from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.view import Filter, ViewState
from usage_viewer.domain.view_adjustment import adjust_view
from usage_viewer.domain.zones import iso

NOW = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp())
OCTOBER = DateRange.days(date(2026, 10, 1), date(2026, 10, 31))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"])
@pytest.mark.parametrize("per", list(Granularity))
def test_usage_is_shown_as_asked_for(zone: str, per: Granularity) -> None:
    view = ViewState("completions", OCTOBER, per, zone=zone)
    found = adjust_view(view, NOW)
    assert (found.view, found.notes) == (view, ())


@pytest.mark.parametrize(
    ("per", "zone", "shown", "said"),
    [
        (Granularity.DAY, "UTC", Granularity.DAY, ""),
        (Granularity.HOUR, "UTC", Granularity.DAY, "by day"),
        (Granularity.MINUTE, "Asia/Tokyo", Granularity.DAY, "by day, in UTC"),
        (Granularity.TOTAL, "Asia/Tokyo", Granularity.TOTAL, "in UTC"),
        (Granularity.WEEK, "Europe/London", Granularity.WEEK, "in UTC"),  # an hour off until the 25th
    ],
)
def test_costs_are_shown_by_utc_days(per: Granularity, zone: str, shown: Granularity, said: str) -> None:
    found = adjust_view(ViewState("costs", OCTOBER, per, ("project_id",), zone=zone), NOW)
    assert (found.view.per, found.view.zone) == (shown, "UTC")
    assert found.notes == ((f"Costs are only available per UTC day; shown {said}.",) if said else ())
    assert (found.periods.bounds % BucketWidth.DAY.seconds == 0).all()
    assert (iso(found.periods.span.start)[:10], iso(found.periods.span.end)[:10]) == ("2026-10-01", "2026-11-01")


def test_a_zone_whose_days_are_utcs_is_no_other() -> None:
    winter = DateRange.days(date(2026, 11, 1), date(2026, 11, 20))
    found = adjust_view(ViewState("costs", winter, Granularity.DAY, (), zone="Europe/London"), NOW)
    assert (found.view.zone, found.notes) == ("Europe/London", ())


def test_half_a_day_of_costs_is_a_whole_one() -> None:
    chosen = DateRange(None, datetime(2026, 10, 1, 10), datetime(2026, 10, 1, 11, 30))
    found = adjust_view(ViewState("costs", chosen, Granularity.TOTAL, ()), NOW)
    assert found.notes == ("Costs are only available per UTC day; shown in whole days.",)
    assert (iso(found.periods.span.start)[:10], iso(found.periods.span.end)[:10]) == ("2026-10-01", "2026-10-02")


def test_refused_dimensions_are_left_out_and_named() -> None:
    chosen = (Filter("user_id", frozenset(["u"])), Filter("project_id", frozenset(["p"])))
    view = ViewState("costs", OCTOBER, Granularity.TOTAL, ("user_id", "line_item", "api_key_id"), chosen)
    found = adjust_view(view, NOW, refused=("user_id", "api_key_id", "api_source"))
    assert (found.view.grouping, found.view.filters) == (("line_item",), chosen[1:])
    assert found.notes == ("User and API key are not available for this organization's costs; shown without them.",)


def test_weeks_begin_as_told() -> None:
    view = ViewState("costs", OCTOBER, Granularity.WEEK, (), zone="Asia/Tokyo")
    sundays = adjust_view(view, NOW, week_start=6).periods.bounds[1:-1].tolist()
    assert {datetime.fromtimestamp(moment, UTC).weekday() for moment in sundays} == {6}
