"""Presets and ranges of days in zones, compared with `datetime`; ranges that are shifted by their length."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.domain.date_range import DateRange, Preset, has_begun, shift_range
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import Span
from usage_viewer.domain.zones import iso, zone_of

NOON = int(datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("preset", "first", "last"),
    [
        (Preset.TODAY, "2026-11-23", "2026-11-23"),
        (Preset.YESTERDAY, "2026-11-22", "2026-11-22"),
        (Preset.THIS_WEEK, "2026-11-23", "2026-11-23"),  # a Monday
        (Preset.LAST_WEEK, "2026-11-16", "2026-11-22"),
        (Preset.LAST_7_DAYS, "2026-11-17", "2026-11-23"),
        (Preset.LAST_30_DAYS, "2026-10-25", "2026-11-23"),
        (Preset.LAST_90_DAYS, "2026-08-26", "2026-11-23"),
        (Preset.THIS_MONTH, "2026-11-01", "2026-11-23"),
        (Preset.LAST_MONTH, "2026-10-01", "2026-10-31"),
        (Preset.THIS_QUARTER, "2026-10-01", "2026-11-23"),
        (Preset.LAST_QUARTER, "2026-07-01", "2026-09-30"),
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


@pytest.mark.parametrize("preset", list(Preset))
def test_every_preset_ends_today_or_before(preset: Preset) -> None:
    for day in range(800):
        now = NOON + day * 86400
        for week_start in range(7):
            start, end = DateRange(preset).wall(now, UTC, week_start)
            today = datetime.fromtimestamp(now, UTC).replace(tzinfo=None, hour=0)
            assert start < end <= today + timedelta(days=1)
            if preset in (Preset.THIS_WEEK, Preset.LAST_WEEK):
                assert start.weekday() == week_start
                assert (end - start).days <= 7
            if preset in (Preset.THIS_QUARTER, Preset.LAST_QUARTER):
                assert (start.day, start.month % 3) == (1, 1)


@pytest.mark.parametrize("unit", ["week", "month", "quarter"])
def test_shift_goes_from_this_unit_to_the_last_and_back(unit: str) -> None:
    this, last = DateRange(Preset(f"this-{unit}")), DateRange(Preset(f"last-{unit}"))
    for day in range(1, 100, 3):  # not yesterday's Monday: a week of one day is "today"
        for week_start in (0, 6):
            now = NOON + day * 86400
            assert shift_range(this, -1, now, UTC, week_start) == last
            assert shift_range(last, 1, now, UTC, week_start) == this
            before = shift_range(last, -1, now, UTC, week_start)
            assert before is not None
            assert shift_range(before, 1, now, UTC, week_start) == last


def test_today_starts_at_midnight_of_the_zone() -> None:
    late = int(datetime(2026, 11, 23, 23, 30, tzinfo=UTC).timestamp())
    span = DateRange(Preset.TODAY).resolve(late, zone_of("Europe/Berlin"))
    assert iso(span.start) == "2026-11-23T23:00:00Z"


def test_range_of_days_includes_the_last_day() -> None:
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
def test_empty_or_invalid_ranges_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(InputError) as caught:
        make()
    assert caught.value.hint


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def days(first: str, last: str) -> DateRange:
    return DateRange.days(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("chosen", "step", "expected"),
    [
        (DateRange(Preset.LAST_7_DAYS), -1, days("2026-11-10", "2026-11-16")),
        (days("2026-11-10", "2026-11-16"), 1, DateRange(Preset.LAST_7_DAYS)),
        (DateRange(Preset.TODAY), -1, DateRange(Preset.YESTERDAY)),
        (DateRange(Preset.THIS_MONTH), -1, DateRange(Preset.LAST_MONTH)),
        (DateRange(Preset.LAST_MONTH), -1, days("2026-09-01", "2026-09-30")),
        (DateRange(Preset.THIS_YEAR), -1, days("2025-01-01", "2025-12-31")),
        (days("2026-02-01", "2026-02-28"), 1, days("2026-03-01", "2026-03-31")),
        (days("2026-01-01", "2026-03-31"), 2, DateRange(Preset.LAST_QUARTER)),
        (
            DateRange(None, wall("2026-11-03 14:00"), wall("2026-11-03 16:00")),
            1,
            DateRange(None, wall("2026-11-03 16:00"), wall("2026-11-03 18:00")),
        ),
    ],
)
def test_shift_moves_a_range_by_its_length(chosen: DateRange, step: int, expected: DateRange) -> None:
    assert shift_range(chosen, step, NOON, UTC) == expected


def test_shift_beyond_the_calendar_returns_none() -> None:
    assert shift_range(days("0001-01-05", "0001-02-05"), -1, NOON, UTC) is None
    assert shift_range(days("0001-01-01", "0001-01-31"), -1, NOON, UTC) is None


@given(st.dates(date(2001, 1, 1), date(2900, 1, 1)), st.integers(0, 4000))
def test_shift_back_and_forward_returns_to_the_same_start(first: date, length: int) -> None:
    chosen = DateRange.days(first, date.fromordinal(first.toordinal() + length))
    back = shift_range(chosen, -1, NOON, UTC)
    assert back is not None
    assert back.wall(NOON, UTC)[1] == chosen.start
    again = shift_range(back, 1, NOON, UTC)
    assert again is not None
    assert again.wall(NOON, UTC)[0] == chosen.start


def test_future_range_has_not_begun() -> None:
    assert has_begun(DateRange(Preset.TODAY), NOON, UTC)
    assert not has_begun(days("2026-11-24", "2026-11-25"), NOON, UTC)
