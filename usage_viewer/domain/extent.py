"""Counts the days of a range and the days that are loaded, as a person counts them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo

from usage_viewer.domain.period import BucketRun, BucketWidth, Periods

_HOUR = 3600
_UNITS = (("day", 86400), ("hour", _HOUR), ("minute", 60))


@dataclass(frozen=True, slots=True)
class Extent:
    """Holds the number of begun, completely loaded and future units of a range; the unit is `noun`."""

    noun: str
    begun: int
    loaded: int
    future: int

    @property
    def text(self) -> str:
        """The number of begun units, such as "30 days"."""
        return count(self.begun, self.noun)

    @property
    def share(self) -> str:
        """The loaded units among the begun ones, such as "27 of 30 days"."""
        return f"{self.loaded} of {self.text}"


def extent_of(periods: Periods, unit: BucketWidth, begun_until: int, missing: Iterable[BucketRun]) -> Extent:
    """Return the extent of a range whose buckets have begun up to `begun_until` (epoch seconds).

    `unit` is the finest width of its buckets, `missing` has the buckets to fetch. Days are those of the zone.
    Hours or minutes are counted if the range is shorter than two days and does not consist of whole days, or if it
    is a single day of which some hours are missing.
    """
    span, zone = periods.span, periods.zone
    begun_until = max(span.start, min(begun_until, span.end))
    holes = [(max(run.start, span.start), min(run.end, begun_until)) for run in missing if run.start < begun_until]
    if _is_midnight(span.start, zone) and _is_midnight(span.end, zone):
        whole_days = not (holes and unit is not BucketWidth.DAY and begun_until - span.start <= 25 * _HOUR)
    else:
        whole_days = span.end - span.start >= 48 * _HOUR
    if whole_days:
        return _days(span.start, span.end, begun_until, holes, zone)
    noun, seconds = _UNITS[1] if span.end - span.start >= _HOUR else _UNITS[2]
    begun = _ceil(begun_until - span.start, seconds)
    lacking = _ceil(sum(end - start for start, end in holes), seconds)
    return Extent(noun, begun, max(0, begun - lacking), _future_units(span.end, begun_until, seconds))


def _days(start: int, end: int, begun_until: int, holes: Iterable[tuple[int, int]], zone: tzinfo) -> Extent:
    first = _day(start, zone).toordinal()
    last_begun = _day(begun_until - 1, zone).toordinal() if begun_until > start else first - 1
    incomplete: set[int] = set()
    for hole_start, hole_end in holes:
        incomplete.update(range(_day(hole_start, zone).toordinal(), _day(hole_end - 1, zone).toordinal() + 1))
    begun = last_begun - first + 1
    future = _day(end - 1, zone).toordinal() - last_begun
    return Extent("day", begun, begun - len(incomplete), future)


def _future_units(end: int, begun_until: int, seconds: int) -> int:
    return max(0, end - begun_until) // seconds


def _day(moment: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(moment, zone).date()


def _is_midnight(moment: int, zone: tzinfo) -> bool:
    return datetime.fromtimestamp(moment, zone).time() == time()


def _ceil(seconds: int, unit: int) -> int:
    return -(-seconds // unit)


def count(number: int, noun: str) -> str:
    """Return a number with its noun in singular or plural, such as "1 day"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def duration_text(seconds: int) -> str:
    """Return a duration of whole minutes as "29 days 5 hours"."""
    parts = []
    for noun, length in _UNITS:
        number, seconds = divmod(seconds, length)
        if number:
            parts.append(count(number, noun))
    return " ".join(parts) or "0 minutes"
