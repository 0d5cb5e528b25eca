from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QDate, QLocale

from usage_viewer.domain.date_parsing import parse_day_or_time
from usage_viewer.domain.date_range import DateRange
from usage_viewer.gui.formatting.ranges import date_order, date_style, range_text

BRITISH, AMERICAN, GERMAN, SWEDISH = (QLocale(name) for name in ("en_GB", "en_US", "de_DE", "sv_SE"))
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("start", "end", "locale", "expected"),
    [
        ("2026-10-24", "2026-11-23", BRITISH, "24 Oct – 22 Nov 2026"),
        ("2026-11-03", "2026-11-04", BRITISH, "3 Nov 2026"),
        ("2026-11-01", "2026-11-23", BRITISH, "1 – 22 Nov 2026"),
        ("2025-12-01", "2026-11-23", BRITISH, "1 Dec 2025 – 22 Nov 2026"),
        ("2025-11-01", "2026-11-23", BRITISH, "1 Nov 2025 – 22 Nov 2026"),
        ("2026-11-03T14:00", "2026-11-03T16:00", BRITISH, "3 Nov 2026, 14:00 – 16:00"),
        ("2026-11-03T14:00", "2026-11-04", BRITISH, "3 Nov 2026, 14:00 – 24:00"),
        ("2026-11-03T14:00", "2026-11-05T06:30", BRITISH, "3 Nov 2026, 14:00 – 5 Nov 2026, 06:30"),
        ("2026-10-24", "2026-11-23", AMERICAN, "Oct 24 – Nov 22, 2026"),
        ("2026-11-03", "2026-11-04", AMERICAN, "Nov 3, 2026"),
        ("2026-10-24", "2026-11-23", SWEDISH, "2026-10-24 – 2026-11-22"),
        ("2026-11-03T14:00", "2026-11-03T16:00", AMERICAN, "Nov 3, 2026, 2:00 PM – 4:00 PM"),
    ],
)
def test_range_text_follows_locale(start: str, end: str, locale: QLocale, expected: str) -> None:
    text = range_text(datetime.fromisoformat(start), datetime.fromisoformat(end), locale)
    assert text.replace("\N{NARROW NO-BREAK SPACE}", " ") == expected


def test_date_order_is_order_of_short_dates() -> None:
    assert [date_order(locale) for locale in (BRITISH, AMERICAN, GERMAN, SWEDISH, QLocale.c())] == [
        "dmy",
        "mdy",
        "dmy",
        "ymd",
        "dmy",
    ]


@pytest.mark.parametrize("name", ["en_GB", "en_US", "de_DE", "fr_FR", "sv_SE", "pl_PL", "C"])
@given(st.dates(date(2000, 1, 1), date(2999, 1, 1)))
def test_displayed_date_can_be_typed(name: str, day: date) -> None:
    locale = QLocale(name)
    displayed = range_text(*DateRange.days(day, day).wall(0, UTC), locale)
    assert parse_day_or_time(displayed, TODAY, date_style(locale)) == day
    short = locale.toString(QDate(day.year, day.month, day.day), QLocale.FormatType.ShortFormat)
    if str(day.year) in short:
        assert parse_day_or_time(short, TODAY, date_style(locale)) == day


def test_range_of_last_supported_day_is_one_date() -> None:
    start = datetime.fromisoformat("2999-12-31")
    assert range_text(start, start + timedelta(days=1), BRITISH) == "31 Dec 2999"
