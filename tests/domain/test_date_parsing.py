from contextlib import suppress
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.domain.date_parsing import DateStyle, parse_day_or_time, parse_range
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import InputError


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


TODAY = date(2026, 11, 23)
DAYS = st.dates(date(2000, 1, 1), date(2999, 12, 31))
US = DateStyle("mdy")
GERMAN = DateStyle("dmy", ("Jan", "Feb", "März", "Apr", "Mai", "Juni", "Juli", "Aug", "Sept", "Okt", "Nov", "Dez"))
FRENCH = DateStyle(
    "dmy", ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juillet", "août", "sept.", "oct.", "nov.", "déc.")
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-03", date(2026, 11, 3)),
        ("  2026-11-03 ", date(2026, 11, 3)),
        ("2026/11/3", date(2026, 11, 3)),
        ("3 Nov 2026", date(2026, 11, 3)),
        ("3. november 2026", date(2026, 11, 3)),
        ("Nov 3", date(2026, 11, 3)),
        ("Nov 3rd, 2025", date(2025, 11, 3)),
        ("24 Dec", date(2025, 12, 24)),
        ("29 feb", date(2024, 2, 29)),
        ("Sept 1", date(2026, 9, 1)),
        ("03.11.2026", date(2026, 11, 3)),
        ("3/11/26", date(2026, 11, 3)),
        ("today", TODAY),
        ("Yesterday", date(2026, 11, 22)),
        ("-7d", date(2026, 11, 16)),
        ("−2w", date(2026, 11, 9)),
        ("-1m", date(2026, 10, 23)),
        ("-1y", date(2025, 11, 23)),
        ("2026-11-03T14:00", wall("2026-11-03 14:00")),
        ("2026-11-03 14:05:00", wall("2026-11-03 14:05")),
        ("3 Nov 2026, 14:00", wall("2026-11-03 14:00")),
        ("today 2:30 pm", wall("2026-11-23 14:30")),
        ("2026-11-03 12:00am", wall("2026-11-03 00:00")),
        ("2026-11-03T24:00", wall("2026-11-04 00:00")),
    ],
)
def test_parses_common_ways_to_type_a_date(text: str, expected: date | datetime) -> None:
    parsed = parse_day_or_time(text, TODAY)
    assert parsed == expected
    assert type(parsed) is type(expected)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "   ",
            "soon",
            "2026-13-01",
            "2026-02-30",
            "30 Feb",
            "3 Foo 2026",
            "Ju 3",
            "25:00",
            "2026-11-03T25:00",
        ),
        *("2026-11-03T14:60", "2026-11-03T24:01", "2026-11-03T14:00Z", "2026-11-03T14:00+02:00"),
        *("2026-11-03T14:00:30", "1999-12-31", "3000-01-01", "-99999m", "-9999y", "13:00 pm", "1/2", "2026-11-03x"),
        *("2026-11-03 13:00 pm", "0/0/00", "11/2026/03", "<b>1</b>", "1" * 500),
    ],
)
def test_other_texts_raise_an_error_with_title_and_hint(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_day_or_time(text, TODAY)
    assert caught.value.title
    assert caught.value.hint != InputError.default_hint
    assert len(caught.value.title) < 60


def test_locale_determines_the_order_of_numbers() -> None:
    assert parse_day_or_time("11/3/2026", TODAY, US) == date(2026, 11, 3)
    assert parse_day_or_time("11/3/2026", TODAY) == date(2026, 3, 11)
    assert parse_day_or_time("26-11-03", TODAY, DateStyle("ymd")) == date(2026, 11, 3)
    with pytest.raises(InputError):
        parse_day_or_time("13/1/2026", TODAY, US)


def test_month_names_of_the_locale_are_accepted() -> None:
    assert parse_day_or_time("3. Okt. 2026", TODAY, GERMAN) == date(2026, 10, 3)
    assert parse_day_or_time("3 Oct 2026", TODAY, GERMAN) == date(2026, 10, 3)
    assert parse_day_or_time("3 juil 2026", TODAY, FRENCH) == date(2026, 7, 3)
    with pytest.raises(InputError):
        parse_day_or_time("3 jui 2026", TODAY, FRENCH)  # June or July


def test_month_before_the_31st_is_the_last_day_of_a_shorter_month() -> None:
    assert parse_day_or_time("-1m", date(2026, 3, 31)) == date(2026, 2, 28)
    assert parse_day_or_time("-1y", date(2024, 2, 29)) == date(2023, 2, 28)


@given(DAYS, DAYS)
def test_every_day_is_parsed_in_every_format(day: date, today: date) -> None:
    for text in (day.isoformat(), f"{day:%d.%m.%Y}", f"{day:%d %b %Y}", f"{day:%B %d, %Y}", f"{day:%Y/%m/%d}"):
        assert parse_day_or_time(text, today) == day
    assert parse_day_or_time(f"{day:%m/%d/%Y}", today, US) == day


@given(DAYS, st.dates(date(2010, 1, 1), date(2900, 1, 1)))
def test_day_without_year_is_the_latest_one_not_after_today(day: date, today: date) -> None:
    parsed = parse_day_or_time(f"{day:%d %b}", today)
    assert (parsed.month, parsed.day) == (day.month, day.day)
    assert not isinstance(parsed, datetime)
    assert timedelta() <= today - parsed <= timedelta(days=366 * 8)


@given(st.datetimes(wall("2000-01-01 00:00"), wall("2999-12-31 00:00")))
def test_every_minute_is_parsed(moment: datetime) -> None:
    moment = moment.replace(second=0, microsecond=0)
    assert parse_day_or_time(moment.isoformat(timespec="minutes"), TODAY) == moment


@given(st.text(max_size=40) | st.text(alphabet="0123456789-/.: TZdwmyNov+apm", max_size=24), DAYS)
def test_parse_returns_a_date_or_raises_input_error(text: str, today: date) -> None:
    with suppress(InputError):
        assert 2000 <= parse_day_or_time(text, today).year <= 3000


def test_range_includes_an_end_day_but_not_an_end_time() -> None:
    assert parse_range("2026-11-03", "2026-11-03", TODAY) == DateRange.days(date(2026, 11, 3), date(2026, 11, 3))
    assert parse_range("2026-11-03T14:00", "2026-11-03T16:00", TODAY) == DateRange(
        None, wall("2026-11-03 14:00"), wall("2026-11-03 16:00")
    )
    assert parse_range("2026-11-03", "2026-11-04T06:00", TODAY) == DateRange(
        None, wall("2026-11-03 00:00"), wall("2026-11-04 06:00")
    )


@pytest.mark.parametrize(("start", "end"), [("2026-11-04", "2026-11-03"), ("2026-11-03T14:00", "2026-11-03T14:00")])
def test_end_before_the_start_is_refused(start: str, end: str) -> None:
    with pytest.raises(InputError, match="not after the start"):
        parse_range(start, end, TODAY)


@given(DAYS, DAYS)
def test_range_of_days_includes_both_days(first: date, last: date) -> None:
    first, last = sorted((first, last))
    chosen = parse_range(first.isoformat(), last.isoformat(), TODAY)
    assert chosen.start == datetime.combine(first, time())
    assert chosen.end == datetime.combine(last, time()) + timedelta(days=1)
