"""Periods and their buckets, compared with `zoneinfo`."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity, Span, periods
from usage_viewer.domain.zones import iso, moment_of, zone_of

NOON = int(datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp())
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Casablanca",
)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)]
)
def test_days_have_23_24_or_25_hours(day: date, hours: int) -> None:
    berlin = zone_of("Europe/Berlin")
    span = DateRange.days(day, day).resolve(NOON, berlin)
    assert (span.end - span.start) // 3600 == hours
    assert len(periods(span, Granularity.HOUR, berlin)) == hours
    assert len(periods(span, Granularity.DAY, berlin)) == 1


def test_first_and_last_week_or_month_are_shortened() -> None:
    span = DateRange.days(date(2026, 10, 28), date(2026, 11, 10)).resolve(NOON, UTC)
    weeks = periods(span, Granularity.WEEK, UTC)
    assert [iso(moment)[:10] for moment in weeks.bounds.tolist()] == [
        "2026-10-28",
        "2026-11-02",
        "2026-11-09",
        "2026-11-11",
    ]
    sundays = periods(span, Granularity.WEEK, UTC, week_start=6)
    assert [iso(moment)[:10] for moment in sundays.bounds.tolist()] == [
        "2026-10-28",
        "2026-11-01",
        "2026-11-08",
        "2026-11-11",
    ]
    months = periods(span, Granularity.MONTH, UTC)
    assert [iso(moment)[:10] for moment in months.bounds.tolist()] == ["2026-10-28", "2026-11-01", "2026-11-11"]


def test_coarsest_matching_buckets_are_used() -> None:
    days = DateRange.days(date(2026, 11, 1), date(2026, 11, 3))
    assert periods(days.resolve(NOON, UTC), Granularity.DAY, UTC).segments() == [
        BucketRun(BucketWidth.DAY, *_moments("2026-11-01", "2026-11-04"))
    ]
    tokyo = zone_of("Asia/Tokyo")
    assert {part.width for part in periods(days.resolve(NOON, tokyo), Granularity.DAY, tokyo).segments()} == {
        BucketWidth.HOUR
    }
    kolkata = zone_of("Asia/Kolkata")
    parts = periods(days.resolve(NOON, kolkata), Granularity.DAY, kolkata).segments()
    # Minutes from the half hour to the full hour, then hours, then minutes to the next day's half hour.
    assert [(part.width, part.buckets) for part in parts] == [
        (BucketWidth.MINUTE, 30),
        *[(BucketWidth.HOUR, 23), (BucketWidth.MINUTE, 60)] * 2,
        (BucketWidth.HOUR, 23),
        (BucketWidth.MINUTE, 30),
    ]


def test_whole_utc_days_inside_a_period_are_day_buckets() -> None:
    berlin = zone_of("Europe/Berlin")
    span = DateRange.days(date(2026, 9, 1), date(2026, 10, 31)).resolve(NOON, berlin)
    months = [(part.width, part.buckets) for part in periods(span, Granularity.MONTH, berlin).segments()]
    assert months == [
        *[
            (BucketWidth.HOUR, 2),
            (BucketWidth.DAY, 29),
            (BucketWidth.HOUR, 24),
            (BucketWidth.DAY, 30),
            (BucketWidth.HOUR, 23),
        ],
    ]
    total = [part.width for part in periods(span, Granularity.TOTAL, berlin).segments()]
    assert total == [BucketWidth.HOUR, BucketWidth.DAY, BucketWidth.HOUR]
    weeks = {part.width for part in periods(span, Granularity.WEEK, berlin).segments()}
    assert weeks == {BucketWidth.HOUR, BucketWidth.DAY}


def test_minute_buckets_are_used_only_for_half_hour_offsets() -> None:
    zone = zone_of("Australia/Lord_Howe")  # +10:30 in winter, +11 in summer
    span = DateRange.days(date(2026, 1, 1), date(2026, 12, 31)).resolve(NOON, zone)
    parts = periods(span, Granularity.DAY, zone).segments()
    widths = [part.width for part in parts]
    assert (widths[0], widths[-1]) == (BucketWidth.HOUR, BucketWidth.HOUR)
    winter = [part for part in parts if part.width is BucketWidth.MINUTE]
    assert (iso(winter[0].start)[:7], iso(winter[-1].start)[:7]) == ("2026-04", "2026-10")
    assert BucketWidth.DAY not in widths


def test_day_buckets_refuse_other_bounds() -> None:
    zone = zone_of("Asia/Tokyo")
    span = DateRange.days(date(2026, 11, 1), date(2026, 11, 3)).resolve(NOON, zone)
    with pytest.raises(InputError):
        periods(span, Granularity.DAY, zone).segments((BucketWidth.DAY,))


def test_too_many_periods_are_refused() -> None:
    span = DateRange.days(date(2020, 1, 1), date(2026, 1, 1)).resolve(NOON, UTC)
    with pytest.raises(InputError):
        periods(span, Granularity.MINUTE, UTC)


@given(
    zone_name=st.sampled_from(ZONES),
    start=st.datetimes(datetime(2005, 1, 1), datetime(2027, 1, 1)),
    hours=st.integers(1, 24 * 70),
    per=st.sampled_from(
        [Granularity.HOUR, Granularity.DAY, Granularity.WEEK, Granularity.MONTH, Granularity.TOTAL]
    ),
)
def test_periods_follow_the_wall_clock_of_the_zone(
    zone_name: str, start: datetime, hours: int, per: Granularity
) -> None:
    zone = zone_of(zone_name)
    first = moment_of(start.replace(minute=0, second=0, microsecond=0), zone)
    span = Span(first, first + hours * 3600)
    cut = periods(span, per, zone)
    bounds = cut.bounds.tolist()
    assert bounds[0] == span.start
    assert bounds[-1] == span.end
    assert (np.diff(cut.bounds) > 0).all()
    # Expected: each quarter of an hour belongs to the hour, day, week or month of its wall-clock time.
    quarters = range(span.start, span.end, 900)
    owner = np.searchsorted(cut.bounds, np.array(quarters), side="right") - 1
    labels = [_label(datetime.fromtimestamp(moment, zone), per) for moment in quarters]
    for left, right in zip(range(len(labels) - 1), range(1, len(labels)), strict=True):
        assert (owner[left] == owner[right]) == (labels[left] == labels[right])


@given(
    zone_name=st.sampled_from(ZONES),
    start=st.dates(date(2010, 1, 1), date(2026, 12, 1)),
    days=st.integers(1, 40),
    per=st.sampled_from(list(Granularity)[1:]),
)
def test_segments_cover_the_range_exactly(zone_name: str, start: date, days: int, per: Granularity) -> None:
    zone = zone_of(zone_name)
    span = DateRange.days(start, start + timedelta(days=days - 1)).resolve(NOON, zone)
    cut = periods(span, per, zone)
    parts = cut.segments()
    assert [parts[0].start, *(part.end for part in parts)] == [*(part.start for part in parts), span.end]
    for part in parts:
        assert part.start % part.width.seconds == 0
        inside = cut.bounds[(cut.bounds >= part.start) & (cut.bounds <= part.end)]
        assert (inside % part.width.seconds == 0).all()


def _label(wall: datetime, per: Granularity) -> object:
    match per:
        case Granularity.HOUR:
            return wall.date(), wall.hour, wall.utcoffset()
        case Granularity.DAY:
            return wall.date()
        case Granularity.WEEK:
            return wall.isocalendar()[:2]
        case Granularity.MONTH:
            return wall.year, wall.month
        case _:
            return None


def _moments(*days: str) -> list[int]:
    return [int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) for day in days]
