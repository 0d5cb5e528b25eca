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
