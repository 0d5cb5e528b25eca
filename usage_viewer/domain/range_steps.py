"""One step back or forward in time: the range before or after a range, of its own length."""

from datetime import date, datetime, time, tzinfo

from usage_viewer.domain.date_range import DateRange, Preset


def stepped(chosen: DateRange, step: int, now: int, zone: tzinfo) -> DateRange | None:
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


def starts_by(chosen: DateRange, now: int, zone: tzinfo) -> bool:
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
