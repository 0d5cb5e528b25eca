"""Adjusts a view to what its dataset supports (period, zone, range) and explains each change."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth, Granularity, Periods
from usage_viewer.domain.view import ViewState

_GRANULARITY_OF = {BucketWidth.HOUR: Granularity.HOUR, BucketWidth.DAY: Granularity.DAY}


@dataclass(frozen=True, slots=True)
class AdjustedView:
    """Holds the adjusted view, its periods, and one sentence for each change (`notes`)."""

    view: ViewState
    periods: Periods
    notes: tuple[str, ...] = ()


def adjust_view(view: ViewState, now: int, week_start: int = 0, refused: Collection[str] = ()) -> AdjustedView:
    """Adjust `view` to the finest buckets and the dimensions that are available.

    If the dataset's buckets are too coarse for the view, the period becomes coarser, the zone becomes UTC, and the
    range is extended to whole buckets, each only if necessary. The dimensions `refused` by the organization's
    server are removed. `now` is in epoch seconds; `week_start` is the first day of a week (Monday is 0). Raises
    InputError if the range can't be resolved.
    """
    adjusted, notes = _remove_refused(view, refused)
    finest = view.dataset.finest
    changes = []
    if adjusted.per is not (per := _supported_granularity(adjusted.per, finest)):
        adjusted = adjusted.with_per(per)
        changes.append(f"by {per.value}")
    periods = adjusted.periods(now, week_start)
    if not _is_whole_buckets(periods, finest) and periods.zone is not UTC:
        adjusted = adjusted.with_zone("UTC")
        periods = adjusted.periods(now, week_start)
        changes.append("in UTC")
    if not _is_whole_buckets(periods, finest):
        adjusted = adjusted.with_range(_extend_to_buckets(adjusted.range, now, finest, week_start))
        periods = adjusted.periods(now, week_start)
        changes.append(f"in whole {finest.noun}s")
    if changes:
        reason = f"{view.dataset.label} are only available per UTC {finest.noun}"
        notes = (f"{reason}; shown {', '.join(changes)}.", *notes)
    return AdjustedView(adjusted, periods, notes)


def _supported_granularity(per: Granularity, finest: BucketWidth) -> Granularity:
    required = {Granularity.MINUTE: BucketWidth.MINUTE, Granularity.HOUR: BucketWidth.HOUR}.get(per)
    return per if required is None or required.seconds >= finest.seconds else _GRANULARITY_OF[finest]


def _is_whole_buckets(periods: Periods, finest: BucketWidth) -> bool:
    return bool(np.all(periods.bounds % finest.seconds == 0))


def _extend_to_buckets(chosen: DateRange, now: int, finest: BucketWidth, week_start: int) -> DateRange:
    """Extend the range to whole buckets, in UTC."""
    span = chosen.resolve(now, UTC, week_start)
    start, end = (
        datetime.fromtimestamp(moment, UTC).replace(tzinfo=None)
        for moment in (finest.floor(span.start), finest.ceil(span.end))
    )
    return DateRange(None, start, max(end, start + timedelta(seconds=finest.seconds)))


def _remove_refused(view: ViewState, refused: Collection[str]) -> tuple[ViewState, tuple[str, ...]]:
    """Remove the refused dimensions from the view: their null values would wrongly read as "none"."""
    used = [*view.grouping, *(item.dimension for item in view.filters)]
    removed = [name for name in dict.fromkeys(used) if name in refused]
    if not removed:
        return view, ()
    adjusted = replace(
        view.with_grouping(name for name in view.grouping if name not in removed),
        filters=tuple(item for item in view.filters if item.dimension not in removed),
    )
    labels = " and ".join(view.dataset.dimension(name).label for name in removed)
    verb, pronoun = ("is", "it") if len(removed) == 1 else ("are", "them")
    of = f"this organization's {view.dataset.label.lower()}"
    return adjusted, (f"{labels} {verb} not available for {of}; shown without {pronoun}.",)
