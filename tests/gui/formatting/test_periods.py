"""Tests the labels of periods, also where the clock changes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import QLocale

from usage_viewer.domain.period import Granularity, Span, periods
from usage_viewer.gui.formatting.periods import period_bounds, period_label


def _label(per: Granularity, locale: str, start: str, end: str, index: int = 0, zone: str = "UTC") -> str:
    clock = ZoneInfo(zone)
    first, last = (int(datetime.fromisoformat(text).replace(tzinfo=clock).timestamp()) for text in (start, end))
    return period_label(periods(Span(first, last), per, clock), index, QLocale(locale))


@pytest.mark.parametrize(
    ("per", "locale", "label"),
    [
        (Granularity.DAY, "C", "Tue, 3 Nov 2026"),
        (Granularity.DAY, "en_US", "Tue, Nov 3, 2026"),
        (Granularity.DAY, "de_DE", "Di., 3. Nov. 2026"),
        (Granularity.DAY, "ja_JP", "2026年11月3日火"),
        (Granularity.HOUR, "C", "Tue, 3 Nov 2026 00:00"),
        (Granularity.MINUTE, "C", "Tue, 3 Nov 2026 00:00"),
        (Granularity.MONTH, "C", "November 2026"),
        (Granularity.MONTH, "de_DE", "November 2026"),
        (Granularity.MONTH, "ja_JP", "2026年11月"),
        (Granularity.WEEK, "C", "3 Nov – 8 Nov 2026"),
        (Granularity.WEEK, "en_US", "Nov 3 – Nov 8, 2026"),
        (Granularity.WEEK, "es_ES", "3 de nov – 8 de nov de 2026"),
    ],
)
def test_period_label_follows_locale(per: Granularity, locale: str, label: str) -> None:
    assert _label(per, locale, "2026-11-03", "2026-12-01") == label


def test_week_across_new_year_names_both_years() -> None:
    assert _label(Granularity.WEEK, "C", "2026-12-28", "2027-01-04") == "28 Dec 2026 – 3 Jan 2027"


def test_week_of_one_day_is_labelled_as_day() -> None:
    assert _label(Granularity.WEEK, "C", "2026-11-01", "2026-11-09") == "1 Nov 2026"


def test_label_uses_time_zone_of_periods() -> None:
    assert _label(Granularity.HOUR, "C", "2026-11-03", "2026-11-04", 14, "Asia/Kolkata") == "Tue, 3 Nov 2026 14:00"


def test_repeated_hour_has_utc_offset() -> None:
    labels = [
        _label(Granularity.HOUR, "C", "2026-10-25", "2026-10-26", hour, "Europe/Berlin") for hour in range(25)
    ]
    assert len(set(labels)) == 25
    assert labels[2:4] == ["Sun, 25 Oct 2026 02:00 (UTC+0200)", "Sun, 25 Oct 2026 02:00 (UTC+0100)"]
    assert labels[4] == "Sun, 25 Oct 2026 03:00"


def test_period_bounds_are_iso_times() -> None:
    start = int(datetime(2026, 11, 3, tzinfo=UTC).timestamp())
    days = periods(Span(start, start + 86400), Granularity.DAY, UTC)
    assert period_bounds(days, 0) == "2026-11-03T00:00:00Z – 2026-11-04T00:00:00Z"
