"""Defines `DateRange`: the range of a view, as a preset like "yesterday" or as two wall-clock times."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import Span, next_month
from usage_viewer.domain.zones import moment_of


class Preset(StrEnum):
    """Names the ranges that move with the clock.

    All end with today except *yesterday*, *last week*, *last month* and *last quarter*.
    """

    TODAY = "today"
    YESTERDAY = "yesterday"
    THIS_WEEK = "this-week"
    LAST_WEEK = "last-week"
    LAST_7_DAYS = "last-7-days"
    LAST_30_DAYS = "last-30-days"
    LAST_90_DAYS = "last-90-days"
    THIS_MONTH = "this-month"
    LAST_MONTH = "last-month"
    THIS_QUARTER = "this-quarter"
    LAST_QUARTER = "last-quarter"
    THIS_YEAR = "this-year"
    LAST_12_MONTHS = "last-12-months"

    @property
    def label(self) -> str:
        """Return the preset's name in words, like "Last 7 days"."""
        return self.value.replace("-", " ").capitalize()


_CALENDAR = frozenset(
    preset for preset in Preset if preset.value.rpartition("-")[2] in ("week", "month", "quarter")
)
_WHOLE_MONTHS = {Preset.THIS_MONTH: 1, Preset.THIS_QUARTER: 3, Preset.THIS_YEAR: 12}
"""Months in the calendar units that have begun; their presets end with today."""


@dataclass(frozen=True, slots=True)
class DateRange:
    """Describes a range of time: a preset, or a start and an end (exclusive) as naive wall-clock times.

    The wall-clock times belong to the view's zone. Raises InputError for an empty or incomplete range.
    """

    preset: Preset | None = Preset.LAST_30_DAYS
    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        if self.preset is None:
            if self.start is None or self.end is None:
                raise InputError(title="The range is incomplete", hint="Give both a start and an end.")
            if self.start.tzinfo is not None or self.end.tzinfo is not None:
                raise InputError(title="The range's times have a zone", hint="Use times without a zone.")
            if self.end <= self.start:
                raise InputError(title="The range is empty", hint="The end of the range must come after its start.")

    @classmethod
    def days(cls, first: date, last: date) -> "DateRange":
        """Return the range of the days from `first` to `last`, both included. Raises InputError."""
        if last < first or last == date.max:
            raise InputError(title="The range is empty", hint="The last day must not come before the first.")
        return cls(None, datetime.combine(first, time()), datetime.combine(last + timedelta(days=1), time()))

    def wall(self, now: int, zone: tzinfo, week_start: int = 0) -> tuple[datetime, datetime]:
        """Return the start and the end (exclusive) as naive wall-clock times in `zone`.

        `now` (epoch seconds) determines the days of a preset; `week_start` 0 is Monday.
        """
        if self.preset is None:
            assert self.start is not None
            assert self.end is not None
            return self.start, self.end
        first, last = _preset_days(self.preset, datetime.fromtimestamp(now, zone).date(), week_start)
        return datetime.combine(first, time()), datetime.combine(last + timedelta(days=1), time())

    def resolve(self, now: int, zone: tzinfo, week_start: int = 0) -> Span:
        """Return the range in epoch seconds, in `zone`.

        `now` (epoch seconds) determines a preset's days; `week_start` 0 is Monday.
        """
        start, end = self.wall(now, zone, week_start)
        return Span(moment_of(start, zone), moment_of(end, zone))


def _preset_days(preset: Preset, today: date, week_start: int) -> tuple[date, date]:
    """Return the first and the last day of a preset, both included."""
    yesterday = today - timedelta(days=1)
    week = today - timedelta(days=(today.weekday() - week_start) % 7)
    month = today.replace(day=1)
    quarter = month.replace(month=3 * ((month.month - 1) // 3) + 1)
    month_end, quarter_end = month - timedelta(days=1), quarter - timedelta(days=1)
    return {
        Preset.TODAY: (today, today),
        Preset.YESTERDAY: (yesterday, yesterday),
        Preset.THIS_WEEK: (week, today),
        Preset.LAST_WEEK: (week - timedelta(days=7), week - timedelta(days=1)),
        Preset.LAST_7_DAYS: (today - timedelta(days=6), today),
        Preset.LAST_30_DAYS: (today - timedelta(days=29), today),
        Preset.LAST_90_DAYS: (today - timedelta(days=89), today),
        Preset.THIS_MONTH: (month, today),
        Preset.LAST_MONTH: (month_end.replace(day=1), month_end),
        Preset.THIS_QUARTER: (quarter, today),
        Preset.LAST_QUARTER: (_months_later(quarter, -3).date(), quarter_end),
        Preset.THIS_YEAR: (today.replace(month=1, day=1), today),
        Preset.LAST_12_MONTHS: (next_month(month.replace(year=month.year - 1)), today),
    }[preset]


def shift_range(chosen: DateRange, step: int, now: int, zone: tzinfo, week_start: int = 0) -> DateRange | None:
    """Return `chosen` moved by `step` times its length; None if the result is outside the calendar.

    A range of whole months (or quarters or years) moves by months: October becomes November. *This week*, *this
    month*, *this quarter* and *this year* count as whole, also as the result. If the result equals a preset at
    `now` (epoch seconds), that preset is returned. `week_start` 0 is Monday.
    """
    start, end = _whole_units(chosen, now, zone, week_start)
    months = _whole_months(start, end)
    try:
        if months:
            first, last = _months_later(start, step * months), _months_later(start, (step + 1) * months)
        else:
            first, last = start + step * (end - start), end + step * (end - start)
    except (OverflowError, ValueError):
        return None
    moved = DateRange(None, first, last)
    # In November, "last 30 days" can be the whole month: then the month is meant.
    presets = map(DateRange, sorted(Preset, key=lambda preset: preset not in _CALENDAR))
    return next(
        (preset for preset in presets if _whole_units(preset, now, zone, week_start) == (first, last)), moved
    )


def length_of(chosen: DateRange, now: int, zone: tzinfo, week_start: int = 0) -> int | timedelta:
    """Return the length by which `shift_range` moves a range: a number of months, or else a length on the clock."""
    start, end = _whole_units(chosen, now, zone, week_start)
    return _whole_months(start, end) or end - start


def _whole_units(chosen: DateRange, now: int, zone: tzinfo, week_start: int) -> tuple[datetime, datetime]:
    """Return the range as `wall` does, but *this week*, *this month* and so on to the end of the week or month."""
    start, end = chosen.wall(now, zone, week_start)
    if chosen.preset is Preset.THIS_WEEK:
        end = start + timedelta(days=7)
    elif chosen.preset in _WHOLE_MONTHS:
        end = _months_later(start, _WHOLE_MONTHS[chosen.preset])
    return start, end


def has_begun(chosen: DateRange, now: int, zone: tzinfo, week_start: int = 0) -> bool:
    """Report whether the range starts at or before `now` (epoch seconds); a future range has no usage.

    `week_start` 0 is Monday.
    """
    return chosen.wall(now, zone, week_start)[0] <= datetime.fromtimestamp(now, zone).replace(tzinfo=None)


def _whole_months(start: datetime, end: datetime) -> int:
    """Return the number of months if the range consists of whole months, otherwise 0."""
    if any(moment.time() != time() or moment.day != 1 for moment in (start, end)):
        return 0
    return (end.year - start.year) * 12 + end.month - start.month


def _months_later(first: date, count: int) -> datetime:
    months = first.year * 12 + first.month - 1 + count
    return datetime.combine(date(months // 12, months % 12 + 1, 1), time())
