"""Formats the periods of a table with the locale's names and order, as short as is unambiguous."""

import re
from datetime import datetime, timedelta

from PySide6.QtCore import QDate, QLocale, QTime

from usage_viewer.domain.period import Granularity, Periods
from usage_viewer.domain.zones import iso

_LONG = QLocale.FormatType.LongFormat
_SEPARATOR = r"(?:[\s,،./-]|'[^']*')*"
"""Matches the text between two fields of a date pattern: spaces, punctuation and quoted words."""


def period_label(periods: Periods, index: int, locale: QLocale) -> str:
    """Return the label of one period in its time zone.

    Days read `Tue, 3 Nov 2026`, hours and minutes have the time too, weeks read `2 Nov – 8 Nov 2026`, and months
    `November 2026`.
    """
    start, end = (datetime.fromtimestamp(int(moment), periods.zone) for moment in periods.bounds[index : index + 2])
    match periods.per:
        case Granularity.DAY:
            return day_text(start, locale)
        case Granularity.MONTH:
            return _month_text(start, locale)
        case Granularity.WEEK | Granularity.TOTAL:
            return _days_text(start, end - timedelta(seconds=1), locale)
        case _:
            return minute_text(start, locale)


def period_bounds(periods: Periods, index: int) -> str:
    """Return the start and end of a period as exact ISO 8601 times, for the tooltip of a label."""
    start, end = periods.bounds[index : index + 2].tolist()
    return f"{iso(start, periods.zone)} – {iso(end, periods.zone)}"


def day_text(day: datetime, locale: QLocale) -> str:
    """Return a day with its weekday: `Tue, 3 Nov 2026`."""
    return _date_text(day, _short_pattern(locale), locale)


def minute_text(moment: datetime, locale: QLocale) -> str:
    """Return a day and the time of day: `Tue, 3 Nov 2026 14:05`."""
    return f"{day_text(moment, locale)} {_clock_text(moment, locale)}"


def _clock_text(moment: datetime, locale: QLocale) -> str:
    """Return the time of day, with its UTC offset if the zone's clock shows this time twice on that day."""
    text = locale.toString(QTime(moment.hour, moment.minute), QLocale.FormatType.ShortFormat)
    if moment.replace(fold=0).utcoffset() == moment.replace(fold=1).utcoffset():
        return text
    return f"{text} (UTC{moment:%z})"


def _month_text(day: datetime, locale: QLocale) -> str:
    pattern = locale.dateFormat(_LONG)
    if pattern.find("y") < pattern.find("M"):  # year, month, day: the part before the day is the month's pattern
        return _date_text(day, pattern[: pattern.find("d")].rstrip(" ,./-"), locale)
    return f"{locale.standaloneMonthName(day.month, _LONG)} {_date_text(day, 'yyyy', locale)}"


def _days_text(first: datetime, last: datetime, locale: QLocale) -> str:
    pattern = _without(_short_pattern(locale), "ddd")
    if first.date() == last.date():
        return _date_text(last, pattern, locale)
    # If the year stands at the end of a date and both days share it, only the last day shows it.
    year_is_last = pattern.find("d") < pattern.find("y")
    first_pattern = _without(pattern, "y+") if first.year == last.year and year_is_last else pattern
    return f"{_date_text(first, first_pattern, locale)} – {_date_text(last, pattern, locale)}"


def _date_text(day: datetime, pattern: str, locale: QLocale) -> str:
    return locale.toString(QDate(day.year, day.month, day.day), pattern)


def _short_pattern(locale: QLocale) -> str:
    """Return the locale's pattern of long dates, with short names of weekday and month."""
    return locale.dateFormat(_LONG).replace("dddd", "ddd").replace("MMMM", "MMM")


def _without(pattern: str, field: str) -> str:
    """Remove a field at the beginning or end of a date pattern, together with its separator."""
    return re.sub(f"^{field}{_SEPARATOR}|{_SEPARATOR}{field}$", "", pattern)
