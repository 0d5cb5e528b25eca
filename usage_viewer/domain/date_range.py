"""Defines `DateRange`: the range of a view, as a preset like "yesterday" or as two wall-clock times."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import Span, next_month
from usage_viewer.domain.zones import moment_of


class Preset(StrEnum):
    """Names the ranges that move with the clock. All end with today except *yesterday* and *last month*."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    LAST_7_DAYS = "last-7-days"
    LAST_30_DAYS = "last-30-days"
    LAST_90_DAYS = "last-90-days"
    THIS_MONTH = "this-month"
    LAST_MONTH = "last-month"
    THIS_YEAR = "this-year"
    LAST_12_MONTHS = "last-12-months"

    @property
    def label(self) -> str:
        """Return the preset's name in words, like "Last 7 days"."""
        return self.value.replace("-", " ").capitalize()


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

    def wall(self, now: int, zone: tzinfo) -> tuple[datetime, datetime]:
        """Return the start and the end (exclusive) as naive wall-clock times in `zone`.

        `now` (epoch seconds) determines the days of a preset.
        """
        if self.preset is None:
            assert self.start is not None
            assert self.end is not None
            return self.start, self.end
        first, last = _preset_days(self.preset, datetime.fromtimestamp(now, zone).date())
        return datetime.combine(first, time()), datetime.combine(last + timedelta(days=1), time())

    def resolve(self, now: int, zone: tzinfo) -> Span:
        """Return the range in epoch seconds, in `zone`; `now` (epoch seconds) determines a preset's days."""
        start, end = self.wall(now, zone)
        return Span(moment_of(start, zone), moment_of(end, zone))


def _preset_days(preset: Preset, today: date) -> tuple[date, date]:
    """Return the first and the last day of a preset, both included."""
    month = today.replace(day=1)
    match preset:
        case Preset.TODAY:
            return today, today
        case Preset.YESTERDAY:
            return today - timedelta(days=1), today - timedelta(days=1)
        case Preset.LAST_7_DAYS:
            return today - timedelta(days=6), today
        case Preset.LAST_30_DAYS:
            return today - timedelta(days=29), today
        case Preset.LAST_90_DAYS:
            return today - timedelta(days=89), today
        case Preset.THIS_MONTH:
            return month, today
        case Preset.LAST_MONTH:
            end = month - timedelta(days=1)
            return end.replace(day=1), end
        case Preset.THIS_YEAR:
            return today.replace(month=1, day=1), today
        case Preset.LAST_12_MONTHS:
            return next_month(month.replace(year=month.year - 1)), today


def shift_range(chosen: DateRange, step: int, now: int, zone: tzinfo) -> DateRange | None:
    """Return `chosen` moved by `step` times its length; None if the result is outside the calendar.

    A range of whole months (or years) moves by months: October becomes November. *This month* and *this year* count
    as whole. If the result equals a preset at `now` (epoch seconds), that preset is returned.
    """
    start, end = chosen.wall(now, zone)
    months = _whole_months(start, end)
    if chosen.preset is Preset.THIS_MONTH:
        months = 1
    elif chosen.preset is Preset.THIS_YEAR:
        months = 12
    try:
        if months:
            first, last = _months_later(start, step * months), _months_later(start, (step + 1) * months)
        else:
            first, last = start + step * (end - start), end + step * (end - start)
    except (OverflowError, ValueError):
        return None
    moved = DateRange(None, first, last)
    return next((preset for preset in map(DateRange, Preset) if preset.wall(now, zone) == (first, last)), moved)


def has_begun(chosen: DateRange, now: int, zone: tzinfo) -> bool:
    """Report whether the range starts at or before `now` (epoch seconds); a future range has no usage."""
    return chosen.wall(now, zone)[0] <= datetime.fromtimestamp(now, zone).replace(tzinfo=None)


def _whole_months(start: datetime, end: datetime) -> int:
    """Return the number of months if the range consists of whole months, otherwise 0."""
    if any(moment.time() != time() or moment.day != 1 for moment in (start, end)):
        return 0
    return (end.year - start.year) * 12 + end.month - start.month


def _months_later(first: datetime, count: int) -> datetime:
    months = first.year * 12 + first.month - 1 + count
    return datetime.combine(date(months // 12, months % 12 + 1, 1), time())
