"""Parses dates that a user types: ISO, with a month's name, in the locale's short form, or relative to today."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.errors import InputError

EXAMPLES = "Write 2026-11-03, 3 Nov 2026, Nov 3, yesterday, -7d, last week or 2026-11-03T14:00."
FIRST_YEAR, LAST_YEAR = 2000, 2999

_ENGLISH = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WORDS = {"today": 0, "yesterday": -1, "tomorrow": 1}
_PRESETS = {preset.label.casefold(): preset for preset in Preset if preset.value not in _WORDS}
_TIME = re.compile(r"(?:t|,? )(\d{1,2}):(\d{2})(?::(\d{2}))? ?(am|pm)?(z|utc|[+−-]\d{2}:?\d{2})?$")
_BACK = re.compile(r"[-−](\d{1,5}) ?([dwmy])")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_NUMBERS = re.compile(r"(\d{1,4})[-/. ] ?(\d{1,2})[-/. ] ?(\d{1,4})\.?")
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)? ?([^\W\d_]+)\.?,?(?: (\d{4}))?")
_MONTH_DAY = re.compile(r"([^\W\d_]+)\.? (\d{1,2})(?:st|nd|rd|th|\.)?,?(?: (\d{4}))?")


@dataclass(frozen=True, slots=True)
class DateStyle:
    """Describes how a locale writes dates: the order of day, month and year, and the months' names.

    `order` is a permutation of "dmy". `months` is empty or holds a multiple of twelve names; each twelve begin with
    January.
    """

    order: str = "dmy"
    months: tuple[str, ...] = ()


_PLAIN = DateStyle()


def parse_day_or_time(text: str, today: date, style: DateStyle = _PLAIN) -> date | datetime:
    """Return a day, or a naive wall-clock time on a whole minute.

    A day without a year is the latest such day that is not after `today`. Raises InputError.
    """
    plain = " ".join(text.split()).casefold()
    if not plain:
        raise InputError(title="A date is missing", hint=EXAMPLES)
    time_match = _TIME.search(plain)
    if time_match is None:
        return _parse_day(plain, text, today, style)
    day = _parse_day(plain[: time_match.start()], text, today, style)
    return _add_time(day, time_match, text)


def preset_named(text: str) -> Preset | None:
    """Return the preset with this name, like "last week"; None for a text that names none, or a single day."""
    return _PRESETS.get(" ".join(text.replace("-", " ").split()).casefold())


def parse_range(start_text: str, end_text: str, today: date, style: DateStyle = _PLAIN) -> DateRange:
    """Return the range between two typed texts, in wall-clock times without a zone.

    If the end is a day, the range includes that day. If it is a time, the range ends before it. If either text is
    the name of a preset, like "last week", the range is that preset. Raises InputError.
    """
    preset = preset_named(start_text) or preset_named(end_text)
    if preset is not None:
        return DateRange(preset)
    start = parse_day_or_time(start_text, today, style)
    end = parse_day_or_time(end_text, today, style)
    begin = start if isinstance(start, datetime) else datetime.combine(start, time())
    finish = end if isinstance(end, datetime) else datetime.combine(end + timedelta(days=1), time())
    if finish <= begin:
        raise InputError(title="The end is not after the start", hint="Choose an end after the start.")
    return DateRange(None, begin, finish)


def _not_a_date(text: str) -> InputError:
    quoted = " ".join(text.split())
    quoted = quoted if len(quoted) <= 32 else f"{quoted[:31]}…"
    return InputError(text, title=f"“{quoted}” is not a date", hint=EXAMPLES)


def _add_time(day: date, time_match: re.Match[str], text: str) -> datetime:
    hour, minute, second = int(time_match[1]), int(time_match[2]), int(time_match[3] or 0)
    if time_match[5]:
        raise InputError(
            text, title="A time zone is not allowed here", hint="Leave it out: times are in the view's time zone."
        )
    if second:
        raise InputError(text, title="Seconds are not allowed", hint="Leave out the seconds.")
    if time_match[4]:
        if not 1 <= hour <= 12:
            raise _not_a_date(text)
        hour = hour % 12 + (12 if time_match[4] == "pm" else 0)
    if minute > 59 or hour > 24 or (hour == 24 and minute):
        raise InputError(text, title="This time does not exist", hint="Write hours and minutes: 14:00.")
    return datetime.combine(day, time()) + timedelta(hours=hour, minutes=minute)


def _parse_day(plain: str, text: str, today: date, style: DateStyle) -> date:
    if plain in _WORDS:
        return _check_year(today + timedelta(days=_WORDS[plain]), text)
    if back := _BACK.fullmatch(plain):
        return _subtract(today, int(back[1]), back[2], text)
    if iso := _YEAR_FIRST.fullmatch(plain):
        return _build_date(int(iso[1]), int(iso[2]), int(iso[3]), text)
    if numbers := _NUMBERS.fullmatch(plain):
        by = dict(zip(style.order, numbers.groups(), strict=True))
        if len(by["d"]) > 2 or len(by["m"]) > 2 or len(by["y"]) not in (2, 4):
            raise _not_a_date(text)
        return _build_date(int(by["y"]) + (2000 if len(by["y"]) == 2 else 0), int(by["m"]), int(by["d"]), text)
    if named := _DAY_MONTH.fullmatch(plain):
        return _date_with_month(int(named[1]), _find_month(named[2], style.months), named[3], text, today)
    if named := _MONTH_DAY.fullmatch(plain):
        return _date_with_month(int(named[2]), _find_month(named[1], style.months), named[3], text, today)
    raise _not_a_date(text)


def _find_month(word: str, names: Sequence[str]) -> int | None:
    """Return the month (1 to 12) of a name, or of a prefix of at least 3 letters that only one month has.

    Returns None if no month, or more than one, matches.
    """
    months = [name.casefold().strip(". ") for name in (*_ENGLISH, *names)]
    exact = {index % 12 + 1 for index, name in enumerate(months) if name == word}
    with_prefix = {index % 12 + 1 for index, name in enumerate(months) if len(word) >= 3 and name.startswith(word)}
    matches = exact or with_prefix
    return matches.pop() if len(matches) == 1 else None


def _date_with_month(day: int, month: int | None, year: str | None, text: str, today: date) -> date:
    if month is None:
        raise _not_a_date(text)
    if year is not None:
        return _build_date(int(year), month, day, text)
    # The latest such day that is not after today. 29 February can be eight years back (around 2100).
    for candidate in range(today.year, today.year - 9, -1):
        try:
            candidate_day = date(candidate, month, day)
        except ValueError:
            continue
        if candidate_day <= today:
            return _check_year(candidate_day, text)
    raise _no_such_day(text)


def _subtract(today: date, count: int, unit: str, text: str) -> date:
    """Return the day `count` days, weeks, months or years (`unit` "d", "w", "m", "y") before today."""
    try:
        if unit in "dw":
            return _check_year(today - timedelta(days=count * (7 if unit == "w" else 1)), text)
        months = today.year * 12 + today.month - 1 - count * (12 if unit == "y" else 1)
        first = date(months // 12, months % 12 + 1, 1)
    except (ValueError, OverflowError):
        raise _year_out_of_range(text) from None
    # One month before the 31st is the last day of a shorter month.
    for day in range(today.day, 27, -1):
        try:
            return _check_year(first.replace(day=day), text)
        except ValueError:
            continue
    return _check_year(first.replace(day=today.day), text)


def _build_date(year: int, month: int, day: int, text: str) -> date:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise _year_out_of_range(text)
    try:
        return date(year, month, day)
    except ValueError:
        raise _no_such_day(text) from None


def _check_year(day: date, text: str) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise _year_out_of_range(text)
    return day


def _no_such_day(text: str) -> InputError:
    return InputError(text, title="This day does not exist", hint=f"Check the day and the month. {EXAMPLES}")


def _year_out_of_range(text: str) -> InputError:
    return InputError(text, title=f"Choose a date between {FIRST_YEAR} and {LAST_YEAR}", hint="Check the year.")
