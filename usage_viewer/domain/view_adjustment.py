"""Adjusts a view to what its dataset supports (period, zone, range) and explains each change."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.grants import Grants, Refusal
from usage_viewer.domain.period import BucketWidth, Granularity, Periods
from usage_viewer.domain.view import ViewState

_GRANULARITY_OF = {BucketWidth.HOUR: Granularity.HOUR, BucketWidth.DAY: Granularity.DAY}


@dataclass(frozen=True, slots=True)
class AdjustedView:
    """Holds the adjusted view, its periods, and one sentence for each change (`notes`).

    `removed` are the dimensions that the view named and that are not granted.
    """

    view: ViewState
    periods: Periods
    notes: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


_EVERYTHING_GRANTED = Grants()


def adjust_view(
    view: ViewState,
    now: int,
    week_start: int = 0,
    grants: Grants = _EVERYTHING_GRANTED,
    stored: Collection[frozenset[str]] = (),
) -> AdjustedView:
    """Adjust `view` to the finest buckets and the dimensions that are available.

    If the dataset's buckets are too coarse for the view, the period becomes coarser, the zone becomes UTC, and the
    range is extended to whole buckets, each only if necessary. Dimensions that the organization's server refuses
    in any range are removed, unless one of the `stored` grains has them together. `now` is in epoch seconds;
    `week_start` is the first day of a week (Monday is 0). Raises InputError if the range can't be resolved.
    """
    removed = _refused_dimensions(view, grants, stored)
    adjusted, notes = _without(view, tuple(removed)), _removal_notes(view, removed)
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
        verb = "are" if view.dataset.label.endswith("s") else "is"
        reason = f"{view.dataset.label} {verb} only available per UTC {finest.noun}"
        notes = (f"{reason}; shown {', '.join(changes)}.", *notes)
    return AdjustedView(adjusted, periods, notes, tuple(removed))


def requested_dimensions(view: ViewState) -> tuple[str, ...]:
    """Return the dimensions that a view groups or filters by and that requests must be grouped by."""
    used = dict.fromkeys((*view.dimensions, *(item.dimension for item in view.filters)))
    return tuple(name for name in used if view.dataset.dimension(name).requested)


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


def _refused_dimensions(view: ViewState, grants: Grants, stored: Collection[frozenset[str]]) -> dict[str, Refusal]:
    """Return the dimensions of a view that are refused together with those before them, each with the refusal."""
    removed: dict[str, Refusal] = {}
    kept: list[str] = []
    for name in requested_dimensions(view):
        refusal = grants.always_refused((*kept, name))
        if refusal is None or any(grain.issuperset((*kept, name)) for grain in stored):
            kept.append(name)
        else:
            removed[name] = refusal
    return removed


def _without(view: ViewState, removed: Collection[str]) -> ViewState:
    """Return the view without dimensions: their null values would wrongly read as "none"."""
    if not removed:
        return view
    if view.pivot is not None and view.pivot.by in removed:
        view = view.with_pivot(None)
    return replace(
        view.with_grouping(name for name in view.grouping if name not in removed),
        filters=tuple(item for item in view.filters if item.dimension not in removed),
    )


def _removal_notes(view: ViewState, removed: Mapping[str, Refusal]) -> tuple[str, ...]:
    """Return a sentence about the removed dimensions that are never granted, and one for each of the others."""
    alone = [name for name, refusal in removed.items() if refusal.dimensions == {name}]
    notes = []
    of = f"for this organization's {view.dataset.label.lower()}"
    if alone:
        labels = " and ".join(view.dataset.dimension(name).label for name in alone)
        verb, pronoun = ("is", "it") if len(alone) == 1 else ("are", "them")
        notes.append(f"{labels} {verb} not available {of}; shown without {pronoun}.")
    for name, refusal in removed.items():
        if name not in alone:
            label = view.dataset.dimension(name).label
            notes.append(f"{together(view, refusal)} is not available {of}; shown without {label}.")
    return tuple(notes)


def together(view: ViewState, refusal: Refusal) -> str:
    """Return the labels of a refused combination, like "User together with Project"."""
    others = [item.label for item in view.dataset.dimensions if item.name in refusal.dimensions - {refusal.blamed}]
    label = view.dataset.dimension(refusal.blamed).label
    return f"{label} together with {' and '.join(others)}" if others else label
