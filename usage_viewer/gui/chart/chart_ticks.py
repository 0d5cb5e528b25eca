"""Labels the time axis of a chart in the user's locale."""

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtCore import QDate, QLocale, QTime

from usage_viewer.domain.period import Granularity, Periods
from usage_viewer.gui.formatting.ranges import date_order

_SHORT = QLocale.FormatType.ShortFormat
_DAY_PATTERNS = {"dmy": "d MMM", "mdy": "MMM d", "ymd": "MM-dd"}

Walls = Sequence[datetime]
TickSet = list[tuple[int, str]]
_Begins = Callable[[datetime, datetime | None], bool]


def tick_sets(periods: Periods, locale: QLocale, week_start: int) -> list[TickSet]:
    """Return sets of buckets with their labels, the finest first; `week_start` 0 is Monday."""
    walls = [datetime.fromtimestamp(start, periods.zone) for start in periods.bounds[:-1].tolist()]
    per = periods.per
    sets: list[TickSet] = []
    if per in (Granularity.MINUTE, Granularity.HOUR):
        minutes = (1, 5, 10, 15, 30) if per is Granularity.MINUTE else ()
        steps = (*minutes, *(60 * hours for hours in (1, 2, 3, 6, 12)))
        sets += [_labelled(walls, _at_minutes(step), lambda wall: _clock(wall, locale)) for step in steps]
    if per is not Granularity.MONTH:
        begins: tuple[_Begins, ...] = (
            _new_day,
            _every_second_day,
            _new_week(week_start),
            _every_second_week(week_start),
        )
        if per is Granularity.WEEK:
            begins = (_new_day, _every_second_week(walls[0].weekday()))
        sets += [_labelled(walls, begin, lambda wall: _day(wall, locale)) for begin in begins]
    for months in (1, 3, 12):
        sets.append(_labelled(walls, _new_month(months), _month_writer(locale)))
    return [ticks for ticks in sets if ticks]


def months_in(periods: Periods) -> list[int]:
    """Return the buckets that begin a month, without the first bucket."""
    if periods.per in (Granularity.MONTH, Granularity.WEEK):
        return []
    walls = [datetime.fromtimestamp(start, periods.zone) for start in periods.bounds[:-1].tolist()]
    return [place for place in range(1, len(walls)) if walls[place].month != walls[place - 1].month]


def months_between(periods: Periods) -> int:
    """Return how many buckets a month has, about: the step of a jump by a month."""
    length = max(1, int(periods.bounds[-1] - periods.bounds[0]) // len(periods))
    return max(1, round(30.4 * 86400 / length))


def _labelled(walls: Walls, begins: _Begins, write: Callable[[datetime], str]) -> TickSet:
    before: Sequence[datetime | None] = [None, *walls[:-1]]
    return [
        (place, write(wall))
        for place, (wall, last) in enumerate(zip(walls, before, strict=True))
        if begins(wall, last)
    ]


def _at_minutes(step: int) -> _Begins:
    return lambda wall, last: (wall.hour * 60 + wall.minute) % step == 0


def _new_day(wall: datetime, last: datetime | None) -> bool:
    return last is None or wall.date() != last.date()


def _every_second_day(wall: datetime, last: datetime | None) -> bool:
    return _new_day(wall, last) and wall.toordinal() % 2 == 0


def _new_week(week_start: int) -> _Begins:
    return lambda wall, last: _new_day(wall, last) and wall.weekday() == week_start


def _every_second_week(week_start: int) -> _Begins:
    return lambda wall, last: _new_week(week_start)(wall, last) and wall.toordinal() // 7 % 2 == 0


def _new_month(months: int) -> _Begins:
    def begins(wall: datetime, last: datetime | None) -> bool:
        is_new = last is None if months == 1 else False
        return is_new or ((last is None or wall.month != last.month) and (wall.month - 1) % months == 0)

    return begins


def _clock(wall: datetime, locale: QLocale) -> str:
    if wall.hour == wall.minute == 0:
        return _day(wall, locale)
    return locale.toString(QTime(wall.hour, wall.minute), _SHORT)


def _day(wall: datetime, locale: QLocale) -> str:
    return locale.toString(QDate(wall.year, wall.month, wall.day), _DAY_PATTERNS[date_order(locale)])


def _month_writer(locale: QLocale) -> Callable[[datetime], str]:
    years: set[int] = set()

    def write(wall: datetime) -> str:
        """Write the year with its first month alone."""
        name = locale.standaloneMonthName(wall.month, _SHORT)
        if wall.year in years:
            return name
        years.add(wall.year)
        return f"{name} {locale.toString(QDate(wall.year, 1, 1), 'yyyy')}"

    return write
