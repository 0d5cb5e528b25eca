"""Formats ranges of dates in the user's locale, and describes the date format of the locale."""

from datetime import datetime, time, timedelta

from PySide6.QtCore import QDate, QLocale, QTime

from usage_viewer.domain.date_parsing import DateStyle

_WITH_YEAR = {"dmy": "d MMM yyyy", "mdy": "MMM d, yyyy", "ymd": "yyyy-MM-dd"}
_WITHOUT_YEAR = {"dmy": "d MMM", "mdy": "MMM d", "ymd": "yyyy-MM-dd"}


def date_order(locale: QLocale) -> str:
    """Return `dmy`, `mdy` or `ymd`: the order of day, month and year in the locale's short dates."""
    pattern = locale.dateFormat(QLocale.FormatType.ShortFormat).lower()
    order = "".join(sorted("dmy", key=pattern.find))
    return order if order in _WITH_YEAR else "dmy"


def date_style(locale: QLocale) -> DateStyle:
    """Return the order and the names of months in which the locale's users type dates."""
    forms = (QLocale.FormatType.LongFormat, QLocale.FormatType.ShortFormat)
    months = (
        *(locale.monthName(month, form) for form in forms for month in range(1, 13)),
        *(locale.standaloneMonthName(month, form) for form in forms for month in range(1, 13)),
    )
    return DateStyle(date_order(locale), months)


def range_text(start_wall: datetime, end_wall: datetime, locale: QLocale) -> str:
    """Return a range as short as possible; both ends are wall-clock times and `end_wall` is exclusive.

    Examples: `24 Oct – 22 Nov 2026`, `3 Nov 2026`, `3 Nov 2026, 14:00 – 16:00`.
    """
    if start_wall.time() == time() and end_wall.time() == time():
        return _days_text(start_wall, end_wall - timedelta(days=1), locale)
    start = f"{_day(start_wall, locale)}, {_clock(start_wall, locale)}"
    if start_wall.date() == end_wall.date():
        return f"{start} – {_clock(end_wall, locale)}"
    if end_wall.time() == time() and start_wall.date() == end_wall.date() - timedelta(days=1):
        midnight = _clock(end_wall, locale) if "AP" in _clock_pattern(locale) else _clock_24(locale)
        return f"{start} – {midnight}"
    return f"{start} – {_day(end_wall, locale)}, {_clock(end_wall, locale)}"


def _days_text(first: datetime, last: datetime, locale: QLocale) -> str:
    if first.date() == last.date():
        return _day(first, locale)
    order = date_order(locale)
    if first.year != last.year or order == "ymd":
        return f"{_day(first, locale)} – {_day(last, locale)}"
    if order == "dmy" and first.month == last.month:
        return f"{_format_date(first, 'd', locale)} – {_day(last, locale)}"
    return f"{_format_date(first, _WITHOUT_YEAR[order], locale)} – {_day(last, locale)}"


def _day(moment: datetime, locale: QLocale) -> str:
    return _format_date(moment, _WITH_YEAR[date_order(locale)], locale)


def _format_date(moment: datetime, pattern: str, locale: QLocale) -> str:
    return locale.toString(QDate(moment.year, moment.month, moment.day), pattern)


def _clock_pattern(locale: QLocale) -> str:
    return "h:mm AP" if "ap" in locale.timeFormat(QLocale.FormatType.ShortFormat).lower() else "HH:mm"


def _clock(moment: datetime, locale: QLocale) -> str:
    return locale.toString(QTime(moment.hour, moment.minute), _clock_pattern(locale))


def _clock_24(locale: QLocale) -> str:
    """Return midnight at the end of a day, 24:00, in the locale's digits."""
    return f"{locale.toString(24)}:{locale.zeroDigit() * 2}"


def file_name_range(start_wall: datetime, end_wall: datetime) -> str:
    """Return a range as a part of a file name: `2026-10-24_2026-11-22`, with times unless it is whole days.

    `end_wall` is exclusive; the last day is not.
    """
    if start_wall.time() == end_wall.time() == time():
        return f"{start_wall:%Y-%m-%d}_{end_wall - timedelta(days=1):%Y-%m-%d}"
    return f"{start_wall:%Y-%m-%dT%H%M}_{end_wall:%Y-%m-%dT%H%M}"
