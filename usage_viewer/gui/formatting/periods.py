"""Periods as a person reads them, in the locale's words and order, short while unambiguous."""

import re
from datetime import datetime, timedelta

from PySide6.QtCore import QDate, QLocale, QTime

from usage_viewer.domain.period import Granularity, Periods
from usage_viewer.domain.zones import iso

_LONG = QLocale.FormatType.LongFormat
_BETWEEN = r"(?:[\s,،./-]|'[^']*')*"
"""What stands between the fields of a date: spaces, marks and quoted words."""


def period_label(periods: Periods, index: int, locale: QLocale) -> str:
    """`Tue, 3 Nov 2026`, with the time for hours and minutes; `2 Nov – 8 Nov 2026` for weeks; `November 2026`."""
    start, end = (datetime.fromtimestamp(int(moment), periods.zone) for moment in periods.bounds[index : index + 2])
    match periods.per:
        case Granularity.DAY:
            return day_text(start, locale)
        case Granularity.MONTH:
            return _month_text(start, locale)
        case Granularity.WEEK | Granularity.TOTAL:
            return _days_text(start, end - timedelta(seconds=1), locale)
        case _:
            return f"{day_text(start, locale)} {_clock_text(start, locale)}"


def period_bounds(periods: Periods, index: int) -> str:
    """ISO 8601 start and end of a period: what a label leaves out."""
    start, end = periods.bounds[index : index + 2].tolist()
    return f"{iso(start, periods.zone)} – {iso(end, periods.zone)}"


def day_text(day: datetime, locale: QLocale) -> str:
    return _date_text(day, _short_pattern(locale), locale)


def _clock_text(moment: datetime, locale: QLocale) -> str:
    """The time; where the clock shows it twice in a night, with its distance from UTC."""
    text = locale.toString(QTime(moment.hour, moment.minute), QLocale.FormatType.ShortFormat)
    if moment.replace(fold=0).utcoffset() == moment.replace(fold=1).utcoffset():
        return text
    return f"{text} (UTC{moment:%z})"


def _month_text(day: datetime, locale: QLocale) -> str:
    pattern = locale.dateFormat(_LONG)
    if pattern.find("y") < pattern.find("M"):  # the year first: what comes before the day, as it is
        until = pattern.find("d")
        return _date_text(day, pattern[:until].rstrip(" ,./-"), locale)
    return f"{locale.standaloneMonthName(day.month, _LONG)} {_date_text(day, 'yyyy', locale)}"


def _days_text(first: datetime, last: datetime, locale: QLocale) -> str:
    pattern = _without(_short_pattern(locale), "ddd")
    if first.date() == last.date():
        return _date_text(last, pattern, locale)
    shorter = _without(pattern, "y+")
    from_year = shorter if first.year == last.year and pattern.find("d") < pattern.find("y") else pattern
    return f"{_date_text(first, from_year, locale)} – {_date_text(last, pattern, locale)}"


def _date_text(day: datetime, pattern: str, locale: QLocale) -> str:
    return locale.toString(QDate(day.year, day.month, day.day), pattern)


def _short_pattern(locale: QLocale) -> str:
    """The locale's long date with short names: their order and marks are its own."""
    return locale.dateFormat(_LONG).replace("dddd", "ddd").replace("MMMM", "MMM")


def _without(pattern: str, field: str) -> str:
    """A date pattern without a field at its beginning or end, and without what joined it to the rest."""
    return re.sub(f"^{field}{_BETWEEN}|{_BETWEEN}{field}$", "", pattern)
