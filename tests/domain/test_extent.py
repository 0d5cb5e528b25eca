"""Counts of days: in the zone of the range, complete ones only, and never thousands of minutes."""

from datetime import UTC, datetime, tzinfo

import pytest

from usage_viewer.domain.extent import Extent, duration_text, extent_of
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity, Span, periods
from usage_viewer.domain.zones import moment_of, zone_of

MINUTE, HOUR, DAY = BucketWidth.MINUTE, BucketWidth.HOUR, BucketWidth.DAY


def moment(text: str, zone: tzinfo = UTC) -> int:
    return moment_of(datetime.fromisoformat(text), zone)


def extent(
    first: str,
    last: str,
    unit: BucketWidth,
    *missing: tuple[str, str],
    begun_until: str = "2026-12-01",
    zone: tzinfo = UTC,
) -> Extent:
    """Return the extent of a range from `first` to before `last`; each of `missing` has a start and an end."""
    cut = periods(Span(moment(first, zone), moment(last, zone)), Granularity.TOTAL, zone)
    runs = [BucketRun(unit, moment(start, zone), moment(end, zone)) for start, end in missing]
    return extent_of(cut, unit, moment(begun_until, zone), runs)


def test_a_month_of_minutes_is_counted_in_days() -> None:
    assert extent("2026-11-01", "2026-12-01", MINUTE) == Extent("day", 30, 30, 0)
    assert extent("2026-11-01", "2026-12-01", MINUTE).text == "30 days"


def test_a_day_with_a_missing_minute_is_not_loaded() -> None:
    hole = ("2026-11-03T23:59", "2026-11-04T00:00")
    assert extent("2026-11-01", "2026-12-01", MINUTE, hole).share == "29 of 30 days"
    across_midnight = ("2026-11-03T23:59", "2026-11-04T00:01")
    again = ("2026-11-04T05:00", "2026-11-04T06:00")
    assert extent("2026-11-01", "2026-12-01", MINUTE, across_midnight, again).share == "28 of 30 days"


def test_future_days_are_counted_apart_and_today_has_begun() -> None:
    assert extent("2026-11-01", "2026-12-01", HOUR, begun_until="2026-11-20T11:00") == Extent("day", 20, 20, 10)
    assert extent("2026-11-01", "2026-12-01", DAY, begun_until="2026-10-01") == Extent("day", 0, 0, 30)


def test_missing_buckets_of_the_future_do_not_count() -> None:
    hole = ("2026-11-20", "2026-11-25")
    assert extent("2026-11-01", "2026-12-01", DAY, hole, begun_until="2026-11-21") == Extent("day", 20, 19, 10)


@pytest.mark.parametrize("name", ["Asia/Kolkata", "America/New_York", "Europe/Berlin", "Pacific/Auckland"])
def test_days_are_those_of_the_zone(name: str) -> None:
    zone = zone_of(name)
    hole = ("2026-10-31T23:00", "2026-11-01T01:00")
    assert extent("2026-10-20", "2026-11-20", HOUR, hole, zone=zone) == Extent("day", 31, 29, 0)


def test_short_ranges_are_counted_in_hours_or_minutes() -> None:
    hole = ("2026-11-03T12:30", "2026-11-03T12:31")
    assert extent("2026-11-03T09:00", "2026-11-03T17:00", MINUTE, hole).share == "7 of 8 hours"
    assert extent("2026-11-03T12:00", "2026-11-03T12:45", MINUTE, hole).share == "44 of 45 minutes"
    assert extent("2026-11-03T09:00", "2026-11-03T17:00", HOUR, begun_until="2026-11-03T12:00").future == 5


def test_longer_ranges_with_times_are_counted_in_the_days_that_they_touch() -> None:
    assert extent("2026-11-01T12:00", "2026-11-05T12:00", HOUR) == Extent("day", 5, 5, 0)


def test_a_single_day_that_lacks_hours_is_counted_in_hours() -> None:
    hole = ("2026-11-03T12:00", "2026-11-03T15:00")
    assert extent("2026-11-03", "2026-11-04", HOUR, hole).share == "21 of 24 hours"
    assert extent("2026-11-03", "2026-11-04", DAY, ("2026-11-03", "2026-11-04")).share == "0 of 1 day"
    assert extent("2026-11-03", "2026-11-04", HOUR).text == "1 day"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (86400, "1 day"),
        (3 * 86400, "3 days"),
        (42090 * 60, "29 days 5 hours 30 minutes"),
        (7200, "2 hours"),
        (0, "0 minutes"),
    ],
)
def test_duration_is_written_in_days_first(seconds: int, text: str) -> None:
    assert duration_text(seconds) == text
