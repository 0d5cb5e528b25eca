from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.range_steps import starts_by, stepped

NOW = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp())


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
        (days("2026-01-01", "2026-03-31"), 2, days("2026-07-01", "2026-09-30")),
        (
            DateRange(None, wall("2026-11-03 14:00"), wall("2026-11-03 16:00")),
            1,
            DateRange(None, wall("2026-11-03 16:00"), wall("2026-11-03 18:00")),
        ),
    ],
)
def test_a_range_moves_by_its_own_length(chosen: DateRange, step: int, expected: DateRange) -> None:
    assert stepped(chosen, step, NOW, UTC) == expected


def test_there_is_nothing_beyond_the_calendar() -> None:
    assert stepped(days("0001-01-05", "0001-02-05"), -1, NOW, UTC) is None
    assert stepped(days("0001-01-01", "0001-01-31"), -1, NOW, UTC) is None


@given(st.dates(date(2001, 1, 1), date(2900, 1, 1)), st.integers(0, 4000))
def test_back_and_forward_again_is_at_the_same_start(first: date, length: int) -> None:
    chosen = DateRange.days(first, date.fromordinal(first.toordinal() + length))
    back = stepped(chosen, -1, NOW, UTC)
    assert back is not None
    assert back.wall(NOW, UTC)[1] == chosen.start
    again = stepped(back, 1, NOW, UTC)
    assert again is not None
    assert again.wall(NOW, UTC)[0] == chosen.start


def test_what_lies_in_the_future_has_not_begun() -> None:
    assert starts_by(DateRange(Preset.TODAY), NOW, UTC)
    assert not starts_by(days("2026-11-24", "2026-11-25"), NOW, UTC)
