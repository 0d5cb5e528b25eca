"""`DateRange`: what a person means by "October", "yesterday" or two dates, as moments."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import Span, next_month
from usage_viewer.domain.zones import moment_of


class Preset(StrEnum):
    """Ranges that move with the clock. Each ends with today, but for *yesterday* and *last month*."""

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
        return self.value.replace("-", " ").capitalize()


@dataclass(frozen=True, slots=True)
class DateRange:
    """What a person asks for: a preset, or wall-clock times of the view's zone (end exclusive)."""

    preset: Preset | None = Preset.LAST_30_DAYS
    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        if self.preset is None:
            if self.start is None or self.end is None:
                raise InputError(title="The range is incomplete", hint="Give both a start and an end.")
            if self.start.tzinfo is not None or self.end.tzinfo is not None:
                raise InputError(title="The range has a zone of its own", hint="Use times without a zone.")
            if self.end <= self.start:
                raise InputError(title="The range is empty", hint="The end of the range must come after its start.")

    @classmethod
    def days(cls, first: date, last: date) -> "DateRange":
        """The days from `first` to `last`, both included."""
        if last < first or last == date.max:
            raise InputError(title="The range is empty", hint="The last day must not come before the first.")
        return cls(None, datetime.combine(first, time()), datetime.combine(last + timedelta(days=1), time()))

    def wall(self, now: int, zone: tzinfo) -> tuple[datetime, datetime]:
        """Start and end (exclusive) as naive wall-clock times in `zone`."""
        if self.preset is None:
            assert self.start is not None
            assert self.end is not None
            return self.start, self.end
        first, last = _preset_days(self.preset, datetime.fromtimestamp(now, zone).date())
        return datetime.combine(first, time()), datetime.combine(last + timedelta(days=1), time())

    def resolve(self, now: int, zone: tzinfo) -> Span:
        start, end = self.wall(now, zone)
        return Span(moment_of(start, zone), moment_of(end, zone))


def _preset_days(preset: Preset, today: date) -> tuple[date, date]:
    """First and last day, both included."""
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
    """`chosen` moved by `step` times its length; None where that leaves the calendar.

    Whole months (years too) move by months: October is followed by November. *This month* and *this year* count
    as whole. Where the result is what a preset means now, it is that preset.
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
    return next((preset for preset in _presets() if preset.wall(now, zone) == (first, last)), moved)


def has_begun(chosen: DateRange, now: int, zone: tzinfo) -> bool:
    """Whether any of the range has begun: what lies wholly in the future has no usage."""
    return chosen.wall(now, zone)[0] <= datetime.fromtimestamp(now, zone).replace(tzinfo=None)


def _presets() -> tuple[DateRange, ...]:
    return tuple(DateRange(preset) for preset in Preset)


def _whole_months(start: datetime, end: datetime) -> int:
    """How many whole months the range is; 0 if it is not."""
    if any(moment.time() != time() or moment.day != 1 for moment in (start, end)):
        return 0
    return (end.year - start.year) * 12 + end.month - start.month


def _months_later(first: datetime, count: int) -> datetime:
    total = first.year * 12 + first.month - 1 + count
    return datetime.combine(date(total // 12, total % 12 + 1, 1), time())
