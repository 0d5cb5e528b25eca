"""Dates and times as people type them: ISO, with a month's name, in the locale's short form, relative to today."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import InputError

EXAMPLES = "Write 2026-11-03, 3 Nov 2026, Nov 3, yesterday, -7d or 2026-11-03T14:00."
FIRST_YEAR, LAST_YEAR = 2000, 2999

_ENGLISH = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WORDS = {"today": 0, "yesterday": -1, "tomorrow": 1}
_TIME = re.compile(r"(?:t|,? )(\d{1,2}):(\d{2})(?::(\d{2}))? ?(am|pm)?(z|utc|[+−-]\d{2}:?\d{2})?$")
_BACK = re.compile(r"[-−](\d{1,5}) ?([dwmy])")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_NUMBERS = re.compile(r"(\d{1,4})[-/. ] ?(\d{1,2})[-/. ] ?(\d{1,4})\.?")
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)? ?([^\W\d_]+)\.?,?(?: (\d{4}))?")
_MONTH_DAY = re.compile(r"([^\W\d_]+)\.? (\d{1,2})(?:st|nd|rd|th|\.)?,?(?: (\d{4}))?")


@dataclass(frozen=True, slots=True)
class DateStyle:
    """How a locale writes dates: the order of day, month and year in its short form, and its months' names."""

    order: str = "dmy"
    months: tuple[str, ...] = ()  # none, or a multiple of twelve, each twelve beginning with January


_PLAIN = DateStyle()


def parse_day_or_time(text: str, today: date, style: DateStyle = _PLAIN) -> date | datetime:
    """A day, or a naive wall-clock time on a whole minute. Raises InputError with a hint.

    A day without a year is the latest such day that is not after `today`.
    """
    plain = " ".join(text.split()).casefold()
    if not plain:
        raise InputError(title="A date is missing", hint=EXAMPLES)
    found = _TIME.search(plain)
    if found is None:
        return _day(plain, text, today, style)
    day = _day(plain[: found.start()], text, today, style)
    return _at(day, found, text)


def parse_range(start_text: str, end_text: str, today: date, style: DateStyle = _PLAIN) -> DateRange:
    """The range between two typed texts: an end that is a day is part of it, an end that is a time is not.

    Raises InputError.
    """
    start = parse_day_or_time(start_text, today, style)
    end = parse_day_or_time(end_text, today, style)
    begin = start if isinstance(start, datetime) else datetime.combine(start, time())
    finish = end if isinstance(end, datetime) else datetime.combine(end + timedelta(days=1), time())
    if finish <= begin:
        raise InputError(title="The end comes before the start", hint="Choose an end after the start.")
    return DateRange(None, begin, finish)


def _refused(text: str) -> InputError:
    shown = " ".join(text.split())
    shown = shown if len(shown) <= 32 else f"{shown[:31]}…"
    return InputError(text, title=f"“{shown}” is not a date", hint=EXAMPLES)


def _at(day: date, found: re.Match[str], text: str) -> datetime:
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[5]:
        raise InputError(text, title="A time has no zone here", hint="Leave it out: times are in the zone in use.")
    if second:
        raise InputError(text, title="Times are on whole minutes", hint="Leave out the seconds.")
    if found[4]:
        if not 1 <= hour <= 12:
            raise _refused(text)
        hour = hour % 12 + (12 if found[4] == "pm" else 0)
    if minute > 59 or hour > 24 or (hour == 24 and minute):
        raise InputError(text, title="There is no such time", hint="Write hours and minutes: 14:00.")
    return datetime.combine(day, time()) + timedelta(hours=hour, minutes=minute)


def _day(plain: str, text: str, today: date, style: DateStyle) -> date:
    if plain in _WORDS:
        return _checked(today + timedelta(days=_WORDS[plain]), text)
    if back := _BACK.fullmatch(plain):
        return _before(today, int(back[1]), back[2], text)
    if iso := _YEAR_FIRST.fullmatch(plain):
        return _built(int(iso[1]), int(iso[2]), int(iso[3]), text)
    if numbers := _NUMBERS.fullmatch(plain):
        by = dict(zip(style.order, numbers.groups(), strict=True))
        if len(by["d"]) > 2 or len(by["m"]) > 2 or len(by["y"]) not in (2, 4):
            raise _refused(text)
        return _built(int(by["y"]) + (2000 if len(by["y"]) == 2 else 0), int(by["m"]), int(by["d"]), text)
    if named := _DAY_MONTH.fullmatch(plain):
        return _named(int(named[1]), _month(named[2], style.months), named[3], text, today)
    if named := _MONTH_DAY.fullmatch(plain):
        return _named(int(named[2]), _month(named[1], style.months), named[3], text, today)
    raise _refused(text)


def _month(word: str, names: Sequence[str]) -> int | None:
    """1 to 12: a name as written, or a beginning of three letters or more that only one month has."""
    months = [name.casefold().strip(". ") for name in (*_ENGLISH, *names)]
    exact = {index % 12 + 1 for index, name in enumerate(months) if name == word}
    begun = {index % 12 + 1 for index, name in enumerate(months) if len(word) >= 3 and name.startswith(word)}
    found = exact or begun
    return found.pop() if len(found) == 1 else None


def _named(day: int, month: int | None, year: str | None, text: str, today: date) -> date:
    if month is None:
        raise _refused(text)
    if year is not None:
        return _built(int(year), month, day, text)
    # The latest one that has been; 29 February may be eight years back (around 2100).
    for candidate in range(today.year, today.year - 9, -1):
        try:
            found = date(candidate, month, day)
        except ValueError:
            continue
        if found <= today:
            return _checked(found, text)
    raise _no_such_day(text)


def _before(today: date, count: int, unit: str, text: str) -> date:
    try:
        if unit in "dw":
            return _checked(today - timedelta(days=count * (7 if unit == "w" else 1)), text)
        months = today.year * 12 + today.month - 1 - count * (12 if unit == "y" else 1)
        first = date(months // 12, months % 12 + 1, 1)
    except (ValueError, OverflowError):
        raise _out_of_reach(text) from None
    # A month back from the 31st is the last day of a shorter month.
    for day in range(today.day, 27, -1):
        try:
            return _checked(first.replace(day=day), text)
        except ValueError:
            continue
    return _checked(first.replace(day=today.day), text)


def _built(year: int, month: int, day: int, text: str) -> date:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise _out_of_reach(text)
    try:
        return date(year, month, day)
    except ValueError:
        raise _no_such_day(text) from None


def _checked(day: date, text: str) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise _out_of_reach(text)
    return day


def _no_such_day(text: str) -> InputError:
    return InputError(text, title="There is no such day", hint=f"Check the day and the month. {EXAMPLES}")


def _out_of_reach(text: str) -> InputError:
    return InputError(text, title="The date is out of reach", hint=f"Use a year from {FIRST_YEAR} to {LAST_YEAR}.")
