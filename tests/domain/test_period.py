"""Ranges, presets, zones and the periods cut from them, against `zoneinfo` alone as the oracle."""

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import (
    DateRange,
    Per,
    Preset,
    Segment,
    Span,
    Width,
    end_of_day,
    iso,
    local_zone,
    moment_of,
    periods,
    zone_name,
    zone_of,
)

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
    ("preset", "first", "last"),
    [
        (Preset.TODAY, "2026-11-23", "2026-11-23"),
        (Preset.YESTERDAY, "2026-11-22", "2026-11-22"),
        (Preset.LAST_7_DAYS, "2026-11-17", "2026-11-23"),
        (Preset.LAST_30_DAYS, "2026-10-25", "2026-11-23"),
        (Preset.LAST_90_DAYS, "2026-08-26", "2026-11-23"),
        (Preset.THIS_MONTH, "2026-11-01", "2026-11-23"),
        (Preset.LAST_MONTH, "2026-10-01", "2026-10-31"),
        (Preset.THIS_YEAR, "2026-01-01", "2026-11-23"),
        (Preset.LAST_12_MONTHS, "2025-12-01", "2026-11-23"),
    ],
)
def test_presets_are_whole_days_in_the_zone(preset: Preset, first: str, last: str) -> None:
    for name in ("UTC", "Asia/Kolkata"):
        span = DateRange(preset).resolve(NOON, zone_of(name))
        assert datetime.fromtimestamp(span.start, zone_of(name)).isoformat()[:19] == f"{first}T00:00:00"
        end = datetime.fromtimestamp(span.end, zone_of(name)) - timedelta(seconds=1)
        assert end.isoformat()[:19] == f"{last}T23:59:59"


def test_today_begins_where_the_zone_says() -> None:
    late = int(datetime(2026, 11, 23, 23, 30, tzinfo=UTC).timestamp())
    span = DateRange(Preset.TODAY).resolve(late, zone_of("Europe/Berlin"))
    assert iso(span.start) == "2026-11-23T23:00:00Z"


def test_a_day_ends_at_the_zones_midnight() -> None:
    late = int(datetime(2026, 11, 23, 23, 30, tzinfo=UTC).timestamp())
    assert iso(end_of_day(late, UTC)) == "2026-11-24T00:00:00Z"
    assert iso(end_of_day(late, zone_of("Asia/Kolkata"))) == "2026-11-24T18:30:00Z"


def test_a_range_of_days_includes_its_last() -> None:
    span = DateRange.days(date(2026, 2, 27), date(2026, 3, 1)).resolve(NOON, UTC)
    assert (span.end - span.start) // 86400 == 3


@pytest.mark.parametrize(
    "make",
    [
        lambda: DateRange(None),
        lambda: DateRange(None, datetime(2026, 1, 2), datetime(2026, 1, 2)),
        lambda: DateRange(None, datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)),
        lambda: DateRange.days(date(2026, 1, 2), date(2026, 1, 1)),
        lambda: DateRange.days(date(2026, 1, 2), date.max),
        lambda: Span(5, 5),
    ],
)
def test_empty_or_broken_ranges_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(InputError) as caught:
        make()
    assert caught.value.hint


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_unknown_zones_are_refused(name: str) -> None:
    with pytest.raises(InputError):
        zone_of(name)


def test_the_local_zone_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert local_zone() == ZoneInfo("Asia/Tokyo")
    monkeypatch.setenv("TZ", ":Europe/Berlin")
    assert local_zone() == ZoneInfo("Europe/Berlin")


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has no TZ of this form")
def test_a_local_zone_without_a_name_keeps_its_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XYZ-3:30")
    time.tzset()
    try:
        assert zone_name(local_zone(), 0) == "UTC+03:30"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_rules_without_a_name_are_called_by_their_offset() -> None:
    rules = next(path for root in TZPATH if (path := Path(root, "Asia", "Tokyo")).exists())
    with rules.open("rb") as file:
        assert zone_name(ZoneInfo.from_file(file, key="local"), 0) == "UTC+09:00"


def test_a_skipped_time_is_the_end_of_the_gap() -> None:
    berlin = zone_of("Europe/Berlin")
    assert iso(moment_of(datetime(2026, 3, 29, 2, 30), berlin)) == "2026-03-29T01:00:00Z"


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)]
)
def test_days_have_23_24_or_25_hours(day: date, hours: int) -> None:
    berlin = zone_of("Europe/Berlin")
    span = DateRange.days(day, day).resolve(NOON, berlin)
    assert (span.end - span.start) // 3600 == hours
    assert len(periods(span, Per.HOUR, berlin)) == hours
    assert len(periods(span, Per.DAY, berlin)) == 1


def test_weeks_and_months_are_cut_short_at_the_edges() -> None:
    span = DateRange.days(date(2026, 10, 28), date(2026, 11, 10)).resolve(NOON, UTC)
    weeks = periods(span, Per.WEEK, UTC)
    assert [iso(moment)[:10] for moment in weeks.bounds.tolist()] == [
        "2026-10-28",
        "2026-11-02",
        "2026-11-09",
        "2026-11-11",
    ]
    sundays = periods(span, Per.WEEK, UTC, week_start=6)
    assert [iso(moment)[:10] for moment in sundays.bounds.tolist()] == [
        "2026-10-28",
        "2026-11-01",
        "2026-11-08",
        "2026-11-11",
    ]
    months = periods(span, Per.MONTH, UTC)
    assert [iso(moment)[:10] for moment in months.bounds.tolist()] == ["2026-10-28", "2026-11-01", "2026-11-11"]


def test_the_coarsest_buckets_that_fit_are_chosen() -> None:
    days = DateRange.days(date(2026, 11, 1), date(2026, 11, 3))
    assert periods(days.resolve(NOON, UTC), Per.DAY, UTC).segments() == [
        Segment(Width.DAY, *_moments("2026-11-01", "2026-11-04"))
    ]
    tokyo = zone_of("Asia/Tokyo")
    assert {part.width for part in periods(days.resolve(NOON, tokyo), Per.DAY, tokyo).segments()} == {Width.HOUR}
    kolkata = zone_of("Asia/Kolkata")
    parts = periods(days.resolve(NOON, kolkata), Per.DAY, kolkata).segments()
    # From half past the hour to the full one, and on to the next day's half hour.
    assert [(part.width, part.buckets) for part in parts] == [
        (Width.MINUTE, 30),
        *[(Width.HOUR, 23), (Width.MINUTE, 60)] * 2,
        (Width.HOUR, 23),
        (Width.MINUTE, 30),
    ]


def test_whole_utc_days_within_a_period_are_days() -> None:
    berlin = zone_of("Europe/Berlin")
    span = DateRange.days(date(2026, 9, 1), date(2026, 10, 31)).resolve(NOON, berlin)
    months = [(part.width, part.buckets) for part in periods(span, Per.MONTH, berlin).segments()]
    assert months == [
        *[(Width.HOUR, 2), (Width.DAY, 29), (Width.HOUR, 24), (Width.DAY, 30), (Width.HOUR, 23)],
    ]
    total = [part.width for part in periods(span, Per.TOTAL, berlin).segments()]
    assert total == [Width.HOUR, Width.DAY, Width.HOUR]
    weeks = {part.width for part in periods(span, Per.WEEK, berlin).segments()}
    assert weeks == {Width.HOUR, Width.DAY}


def test_minutes_are_needed_only_where_the_zone_is_off_by_half_an_hour() -> None:
    zone = zone_of("Australia/Lord_Howe")  # +10:30 in winter, +11 in summer
    span = DateRange.days(date(2026, 1, 1), date(2026, 12, 31)).resolve(NOON, zone)
    parts = periods(span, Per.DAY, zone).segments()
    widths = [part.width for part in parts]
    assert (widths[0], widths[-1]) == (Width.HOUR, Width.HOUR)
    winter = [part for part in parts if part.width is Width.MINUTE]
    assert (iso(winter[0].start)[:7], iso(winter[-1].start)[:7]) == ("2026-04", "2026-10")
    assert Width.DAY not in widths


def test_a_dataset_of_days_alone_can_not_serve_other_edges() -> None:
    zone = zone_of("Asia/Tokyo")
    span = DateRange.days(date(2026, 11, 1), date(2026, 11, 3)).resolve(NOON, zone)
    with pytest.raises(InputError):
        periods(span, Per.DAY, zone).segments((Width.DAY,))


def test_too_many_periods_are_refused() -> None:
    span = DateRange.days(date(2020, 1, 1), date(2026, 1, 1)).resolve(NOON, UTC)
    with pytest.raises(InputError):
        periods(span, Per.MINUTE, UTC)


@given(
    zone_name=st.sampled_from(ZONES),
    start=st.datetimes(datetime(2005, 1, 1), datetime(2027, 1, 1)),
    hours=st.integers(1, 24 * 70),
    per=st.sampled_from([Per.HOUR, Per.DAY, Per.WEEK, Per.MONTH, Per.TOTAL]),
)
def test_periods_partition_the_range_as_the_zones_clock_does(
    zone_name: str, start: datetime, hours: int, per: Per
) -> None:
    zone = zone_of(zone_name)
    first = moment_of(start.replace(minute=0, second=0, microsecond=0), zone)
    span = Span(first, first + hours * 3600)
    cut = periods(span, per, zone)
    bounds = cut.bounds.tolist()
    assert bounds[0] == span.start
    assert bounds[-1] == span.end
    assert (np.diff(cut.bounds) > 0).all()
    # The oracle: each quarter of an hour belongs to the wall-clock hour, day, week or month that it shows.
    quarters = range(span.start, span.end, 900)
    owner = np.searchsorted(cut.bounds, np.array(quarters), side="right") - 1
    shown = [_label(datetime.fromtimestamp(moment, zone), per) for moment in quarters]
    for left, right in zip(range(len(shown) - 1), range(1, len(shown)), strict=True):
        assert (owner[left] == owner[right]) == (shown[left] == shown[right])


@given(
    zone_name=st.sampled_from(ZONES),
    start=st.dates(date(2010, 1, 1), date(2026, 12, 1)),
    days=st.integers(1, 40),
    per=st.sampled_from(list(Per)[1:]),
)
def test_segments_make_up_the_range_exactly(zone_name: str, start: date, days: int, per: Per) -> None:
    zone = zone_of(zone_name)
    span = DateRange.days(start, start + timedelta(days=days - 1)).resolve(NOON, zone)
    cut = periods(span, per, zone)
    parts = cut.segments()
    assert [parts[0].start, *(part.end for part in parts)] == [*(part.start for part in parts), span.end]
    for part in parts:
        assert part.start % part.width.seconds == 0
        inside = cut.bounds[(cut.bounds >= part.start) & (cut.bounds <= part.end)]
        assert (inside % part.width.seconds == 0).all()


def _label(wall: datetime, per: Per) -> object:
    match per:
        case Per.HOUR:
            return wall.date(), wall.hour, wall.utcoffset()
        case Per.DAY:
            return wall.date()
        case Per.WEEK:
            return wall.isocalendar()[:2]
        case Per.MONTH:
            return wall.year, wall.month
        case _:
            return None


def _moments(*days: str) -> list[int]:
    return [int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) for day in days]
