"""What of a view its dataset can show: by the buckets that there are, in the zone that they allow."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth, Granularity, Periods
from usage_viewer.domain.view import ViewState

_PER = {BucketWidth.HOUR: Granularity.HOUR, BucketWidth.DAY: Granularity.DAY}


@dataclass(frozen=True, slots=True)
class AdjustedView:
    """`view` as it is answered, its periods, and in words what is otherwise than asked for."""

    view: ViewState
    periods: Periods
    notes: tuple[str, ...] = ()


def adjust_view(view: ViewState, now: int, week_start: int = 0, refused: Collection[str] = ()) -> AdjustedView:
    """Of a dataset that has no buckets so fine, coarser periods, UTC and whole buckets are shown; without the
    dimensions `refused` by the organization's server. Raises InputError for a range that can't be resolved.
    """
    shown, notes = _without(view, refused)
    finest = view.dataset.finest
    bits = []
    if shown.per is not (per := _offered(shown.per, finest)):
        shown = shown.with_per(per)
        bits.append(f"by {per.value}")
    found = shown.periods(now, week_start)
    if not _even(found, finest) and found.zone is not UTC:
        shown = shown.with_zone("UTC")
        found = shown.periods(now, week_start)
        bits.append("in UTC")
    if not _even(found, finest):
        shown = shown.with_range(_widened(shown.range, now, finest))
        found = shown.periods(now, week_start)
        bits.append(f"in whole {finest.noun}s")
    if bits:
        notes = (f"{view.dataset.label} exist by UTC {finest.noun} only: shown {', '.join(bits)}.", *notes)
    return AdjustedView(shown, found, notes)


def _offered(per: Granularity, finest: BucketWidth) -> Granularity:
    fine = {Granularity.MINUTE: BucketWidth.MINUTE, Granularity.HOUR: BucketWidth.HOUR}.get(per)
    return per if fine is None or fine.seconds >= finest.seconds else _PER[finest]


def _even(periods: Periods, finest: BucketWidth) -> bool:
    return bool(np.all(periods.bounds % finest.seconds == 0))


def _widened(chosen: DateRange, now: int, finest: BucketWidth) -> DateRange:
    """To whole buckets, in UTC."""
    span = chosen.resolve(now, UTC)
    start, end = (
        datetime.fromtimestamp(moment, UTC).replace(tzinfo=None)
        for moment in (finest.floor(span.start), finest.ceil(span.end))
    )
    return DateRange(None, start, max(end, start + timedelta(seconds=finest.seconds)))


def _without(view: ViewState, refused: Collection[str]) -> tuple[ViewState, tuple[str, ...]]:
    """Null in a dimension that could not be asked for would say "none" of what is not known."""
    used = [*view.grouping, *(item.dimension for item in view.filters)]
    gone = [name for name in dict.fromkeys(used) if name in refused]
    if not gone:
        return view, ()
    shown = replace(
        view.with_grouping(name for name in view.grouping if name not in gone),
        filters=tuple(item for item in view.filters if item.dimension not in gone),
    )
    labels = " and ".join(view.dataset.dimension(name).label for name in gone)
    return shown, (f"{labels} can't be had of this organization's {view.dataset.label.lower()}: shown without.",)
