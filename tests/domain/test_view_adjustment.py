"""Views are adjusted to the buckets and dimensions that a dataset supports, and each change is explained."""

from datetime import UTC, date, datetime

import pytest

from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.grants import Grants, Refusal
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.pivot import Pivot
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_adjustment import adjust_view
from usage_viewer.domain.view_parts import Filter
from usage_viewer.domain.zones import iso

NOW = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp())
OCTOBER = DateRange.days(date(2026, 10, 1), date(2026, 10, 31))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"])
@pytest.mark.parametrize("per", list(Granularity))
def test_view_of_usage_is_unchanged(zone: str, per: Granularity) -> None:
    view = ViewState("completions", OCTOBER, per, zone=zone)
    adjusted = adjust_view(view, NOW)
    assert (adjusted.view, adjusted.notes) == (view, ())


@pytest.mark.parametrize(
    ("per", "zone", "expected", "changes"),
    [
        (Granularity.DAY, "UTC", Granularity.DAY, ""),
        (Granularity.HOUR, "UTC", Granularity.DAY, "by day"),
        (Granularity.MINUTE, "Asia/Tokyo", Granularity.DAY, "by day, in UTC"),
        (Granularity.TOTAL, "Asia/Tokyo", Granularity.TOTAL, "in UTC"),
        (Granularity.WEEK, "Europe/London", Granularity.WEEK, "in UTC"),  # an hour off until the 25th
    ],
)
def test_costs_are_adjusted_to_utc_days(per: Granularity, zone: str, expected: Granularity, changes: str) -> None:
    adjusted = adjust_view(ViewState("costs", OCTOBER, per, ("project_id",), zone=zone), NOW)
    assert (adjusted.view.per, adjusted.view.zone) == (expected, "UTC")
    assert adjusted.notes == ((f"Costs are only available per UTC day; shown {changes}.",) if changes else ())
    assert (adjusted.periods.bounds % BucketWidth.DAY.seconds == 0).all()
    assert (iso(adjusted.periods.span.start)[:10], iso(adjusted.periods.span.end)[:10]) == (
        "2026-10-01",
        "2026-11-01",
    )


def test_zone_with_utc_days_is_kept() -> None:
    winter = DateRange.days(date(2026, 11, 1), date(2026, 11, 20))
    adjusted = adjust_view(ViewState("costs", winter, Granularity.DAY, (), zone="Europe/London"), NOW)
    assert (adjusted.view.zone, adjusted.notes) == ("Europe/London", ())


def test_half_day_of_costs_is_extended_to_a_day() -> None:
    chosen = DateRange(None, datetime(2026, 10, 1, 10), datetime(2026, 10, 1, 11, 30))
    adjusted = adjust_view(ViewState("costs", chosen, Granularity.TOTAL, ()), NOW)
    assert adjusted.notes == ("Costs are only available per UTC day; shown in whole days.",)
    assert (iso(adjusted.periods.span.start)[:10], iso(adjusted.periods.span.end)[:10]) == (
        "2026-10-01",
        "2026-10-02",
    )


def test_refused_dimensions_are_removed_and_named() -> None:
    chosen = (Filter("user_id", frozenset(["u"])), Filter("project_id", frozenset(["p"])))
    view = ViewState("costs", OCTOBER, Granularity.TOTAL, ("user_id", "line_item", "api_key_id"), chosen)
    refused = [Refusal(frozenset([name]), name) for name in ("user_id", "api_key_id", "api_source")]
    adjusted = adjust_view(view, NOW, grants=Grants(tuple(refused)))
    assert (adjusted.view.grouping, adjusted.view.filters) == (("line_item",), chosen[1:])
    assert adjusted.notes == (
        "User and API key are not available for this organization's costs; shown without them.",
    )


def test_dimension_that_is_refused_beside_another_is_removed_only_there() -> None:
    grants = Grants((Refusal(frozenset(["user_id", "project_id"]), "user_id"),))
    view = ViewState("costs", OCTOBER, Granularity.TOTAL, ("project_id", "user_id"))
    adjusted = adjust_view(view, NOW, grants=grants)
    assert (adjusted.view.grouping, adjusted.removed) == (("project_id",), ("user_id",))
    assert adjusted.notes == (
        "User together with Project is not available for this organization's costs; shown without User.",
    )
    assert adjust_view(view.with_grouping(["user_id"]), NOW, grants=grants).notes == ()


def test_week_start_is_used() -> None:
    view = ViewState("costs", OCTOBER, Granularity.WEEK, (), zone="Asia/Tokyo")
    sundays = adjust_view(view, NOW, week_start=6).periods.bounds[1:-1].tolist()
    assert {datetime.fromtimestamp(moment, UTC).weekday() for moment in sundays} == {6}


def test_refused_dimension_across_leaves_figures_as_columns() -> None:
    grants = Grants((Refusal(frozenset(["user_id"]), "user_id"),))
    pivoted = ViewState("completions", OCTOBER).with_pivot(Pivot("user_id", "input_tokens"))
    adjusted = adjust_view(pivoted, NOW, grants=grants)
    assert (adjusted.view.pivot, adjusted.view.grouping) == (None, ("model",))
    assert adjusted.removed == ("user_id",)
    assert adjusted.notes == ("User is not available for this organization's completions; shown without it.",)
