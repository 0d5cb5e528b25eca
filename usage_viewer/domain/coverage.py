"""Computes which buckets a view needs, which of them are stored, and which must be fetched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.extent import Extent, count, extent_of
from usage_viewer.domain.period import COARSEST_FIRST, BucketRun, BucketWidth, Periods
from usage_viewer.domain.zones import end_of_day

SETTLED_AFTER = 72 * 3600
"""Seconds from the end of a bucket to the first fetch that counts as final; an earlier fetch may grow."""

FETCH_AGAIN_AFTER = 300
"""Seconds for which a bucket that may grow is not fetched again, unless the user refreshes."""

BRIDGED = 3
"""Largest gap (buckets) between two runs that are fetched in one request, if no bucket of the gap is stored."""


class Refresh(Enum):
    """Says which stored buckets are fetched again."""

    NEEDED = "those that may have grown and were not fetched in the last minutes"
    GROWING = "all that may have grown"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class HeldBuckets:
    """The complete buckets of one width in the store: ascending starts and fetch times, `(n,)` epoch seconds."""

    starts: NDArray[np.int64]
    fetched: NDArray[np.int64]

    @classmethod
    def nothing(cls) -> "HeldBuckets":
        """Return an empty set of buckets."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))

    def find(self, starts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the fetch time of each bucket that begins at `starts`, `(n,)` epoch seconds; -1 if not stored."""
        fetch_times = np.full(len(starts), -1, np.int64)
        if len(self.starts):
            positions = np.minimum(np.searchsorted(self.starts, starts), len(self.starts) - 1)
            is_stored = self.starts[positions] == starts
            fetch_times[is_stored] = self.fetched[positions[is_stored]]
        return fetch_times


@dataclass(frozen=True, slots=True)
class Coverage:
    """The stored and missing buckets of a view. Counts are in buckets of `unit`, the finest width that it needs."""

    periods: Periods
    unit: BucketWidth
    read: tuple[BucketRun, ...]  # where to read, disjoint, ascending: coarse buckets or the finer ones instead
    missing: tuple[BucketRun, ...]  # to fetch: not stored
    stale: tuple[BucketRun, ...]  # to fetch again: may have grown
    expected: int  # buckets that have begun
    stored: int  # stored buckets among the expected ones
    future_buckets: int  # buckets of the range that begin after today
    may_grow: int  # stored buckets that may still grow
    oldest_fetch: int | None  # epoch seconds
    newest_fetch: int | None  # epoch seconds
    organizations: int = 1  # whose buckets are counted together
    begun_until: int | None = None  # the end of the last bucket that has begun, at most of today; None: all have

    @property
    def complete(self) -> bool:
        """Whether every bucket that has begun is stored."""
        return self.stored == self.expected

    @property
    def extent(self) -> Extent:
        """The range and its loaded part in days; of several organizations, a day is loaded if all have it."""
        begun_until = self.periods.span.end if self.begun_until is None else self.begun_until
        return extent_of(self.periods, self.unit, begun_until, self.missing)

    @property
    def summary(self) -> str:
        """The loaded part as "Complete: 30 days" or "27 of 30 days loaded", with future days if there are any."""
        extent = self.extent
        among = f", {self.organizations} organizations" if self.organizations > 1 else ""
        later = f", {extent.future} still to come" if extent.future else ""
        if not extent.begun:
            return f"{count(extent.future, extent.noun)} still to come{among}"
        if self.complete:
            return f"Complete: {extent.text}{among}{later}"
        return f"{extent.share} loaded{among}{later}"

    @property
    def to_fetch(self) -> tuple[BucketRun, ...]:
        """The runs of buckets to fetch, missing ones first."""
        return (*self.missing, *self.stale)


def cover(
    periods: Periods,
    needs: Sequence[BucketRun],
    stored: Mapping[BucketWidth, HeldBuckets],
    now: int,
    *,
    refresh: Refresh = Refresh.NEEDED,
    composed: bool = True,
    time_of_fetch: int | None = None,
) -> Coverage:
    """Compare the buckets that `periods` need (`needs`: their segments) with the stored ones.

    A bucket is covered by itself, or (if `composed`) by all finer buckets within it if those were fetched later.
    `now`: epoch seconds. `refresh`: which stored buckets are fetched again. `time_of_fetch`: the time that a
    bucket fetched now would get, epoch seconds (None: `now`).
    """
    read: list[BucketRun] = []
    missing: list[BucketRun] = []
    stale: list[BucketRun] = []
    expected = stored_count = future_buckets = may_grow = 0
    tomorrow = end_of_day(now, periods.zone)
    fetch_time = now if time_of_fetch is None else time_of_fetch
    last_begun = needs[0].start
    fetch_times: list[NDArray[np.int64]] = []
    unit = min((need.width for need in needs), key=lambda width: width.seconds)
    for need in needs:
        weight = need.width.seconds // unit.seconds
        begun_until = max(need.start, min(need.end, need.width.ceil(now)), _stored_until(need, stored))
        starts = np.arange(need.start, begun_until, need.width.seconds, dtype=np.int64)
        fetched, source = _sources(need.width, starts, stored if composed else _only(stored, need.width), now)
        is_stored = fetched >= 0
        is_ahead = fetched > fetch_time + FETCH_AGAIN_AFTER  # a clock was wrong: the bucket may still have grown
        is_open = is_stored & ((starts + need.width.seconds + SETTLED_AFTER > fetched) | is_ahead)
        is_old = (fetched + FETCH_AGAIN_AFTER <= fetch_time) | is_ahead
        is_stale = {Refresh.NEEDED: is_open & is_old, Refresh.GROWING: is_open, Refresh.ALL: is_stored}[refresh]
        for rank, width in enumerate(COARSEST_FIRST):
            read += bucket_runs(starts[is_stored & (source == rank)], need.width, width)
        missing += bucket_runs(starts[~is_stored], need.width, need.width)
        stale += bucket_runs(starts[is_stale], need.width, need.width)
        expected += len(starts) * weight
        stored_count += int(is_stored.sum()) * weight
        may_grow += int(is_open.sum()) * weight
        # The rest of today is not counted as future buckets.
        future_buckets += max(0, need.end - max(begun_until, tomorrow)) // unit.seconds
        fetch_times.append(fetched[is_stored])
        last_begun = max(last_begun, begun_until)
    times = np.concatenate(fetch_times) if fetch_times else np.empty(0, np.int64)
    return Coverage(
        periods=periods,
        unit=unit,
        read=tuple(sorted(read, key=lambda run: run.start)),
        missing=tuple(missing),
        stale=tuple(stale),
        expected=expected,
        stored=stored_count,
        future_buckets=future_buckets,
        may_grow=may_grow,
        oldest_fetch=int(times.min()) if len(times) else None,
        newest_fetch=int(times.max()) if len(times) else None,
        begun_until=min(last_begun, tomorrow),
    )


def _stored_until(need: BucketRun, stored: Mapping[BucketWidth, HeldBuckets]) -> int:
    """Return the end of the last stored bucket of a run: what the server has reported is never "to come"."""
    starts = stored.get(need.width, HeldBuckets.nothing()).starts
    inside = starts[: np.searchsorted(starts, need.end)]
    return int(inside[-1]) + need.width.seconds if len(inside) and inside[-1] >= need.start else need.start


def _only(stored: Mapping[BucketWidth, HeldBuckets], width: BucketWidth) -> Mapping[BucketWidth, HeldBuckets]:
    return {width: stored[width]} if width in stored else {}


def _sources(
    width: BucketWidth, starts: NDArray[np.int64], stored: Mapping[BucketWidth, HeldBuckets], now: int
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Return for each bucket its fetch time (-1: not stored) and the rank of the width to read it from."""
    fetched = np.full(len(starts), -1, np.int64)
    source = np.zeros(len(starts), np.int8)
    for rank, candidate in enumerate(COARSEST_FIRST):
        if candidate.seconds > width.seconds or candidate not in stored:
            continue
        buckets = stored[candidate]
        times = buckets.find(starts) if candidate is width else _composed(width, starts, candidate, buckets, now)
        is_newer = times > fetched
        fetched[is_newer] = times[is_newer]
        source[is_newer] = rank
    return fetched, source


def _composed(
    width: BucketWidth, starts: NDArray[np.int64], finer: BucketWidth, stored: HeldBuckets, now: int
) -> NDArray[np.int64]:
    """Return the oldest fetch time of the finer buckets in each bucket; -1 unless all begun ones are stored."""
    times = np.full(len(starts), -1, np.int64)
    if not len(starts) or not len(stored.starts):
        return times
    begun_until = np.minimum(starts + width.seconds, finer.ceil(now))
    first = np.searchsorted(stored.starts, starts)
    last = np.searchsorted(stored.starts, begun_until)
    is_complete = (last - first == (begun_until - starts) // finer.seconds) & (last > first)
    if is_complete.any():
        edges = np.column_stack([first[is_complete], last[is_complete]]).ravel()
        times[is_complete] = np.minimum.reduceat(np.append(stored.fetched, stored.fetched[-1:]), edges)[::2]
    return times


def bucket_runs(starts: NDArray[np.int64], step: BucketWidth, width: BucketWidth) -> list[BucketRun]:
    """Join buckets of width `step` (ascending starts) to runs that are read in buckets of `width`."""
    if not len(starts):
        return []
    breaks = np.flatnonzero(np.diff(starts) != step.seconds)
    firsts = starts[np.concatenate([[0], breaks + 1])].tolist()
    lasts = starts[np.concatenate([breaks, [len(starts) - 1]])].tolist()
    return [BucketRun(width, first, last + step.seconds) for first, last in zip(firsts, lasts, strict=True)]


def request_windows(
    runs: Sequence[BucketRun],
    limits: Mapping[BucketWidth, int],
    stored: Mapping[BucketWidth, HeldBuckets] | None = None,
) -> list[BucketRun]:
    """Cut runs at `limits` (buckets per request of each width); return the newest window first.

    Adjacent runs of one width are joined before they are cut. If `stored` is given, runs with at most BRIDGED
    buckets between them, none of them stored, are joined too: one more bucket costs less than one more request.
    """
    joined: list[BucketRun] = []
    for run in sorted(set(runs), key=lambda item: (item.width.seconds, item.start)):
        last = joined[-1] if joined else None
        if last and last.width is run.width and _can_join(last, run, stored):
            joined[-1] = BucketRun(last.width, last.start, max(last.end, run.end))
        else:
            joined.append(run)
    return _cut(joined, limits)


def _can_join(first: BucketRun, second: BucketRun, stored: Mapping[BucketWidth, HeldBuckets] | None) -> bool:
    gap = np.arange(first.end, second.start, first.width.seconds, dtype=np.int64)
    if stored is None or not len(gap):
        return not len(gap)
    return len(gap) <= BRIDGED and bool((stored.get(first.width, HeldBuckets.nothing()).find(gap) < 0).all())


def _cut(joined: Sequence[BucketRun], limits: Mapping[BucketWidth, int]) -> list[BucketRun]:
    cut: list[BucketRun] = []
    for run in joined:
        step = limits[run.width] * run.width.seconds
        cut += [
            BucketRun(run.width, start, min(start + step, run.end)) for start in range(run.start, run.end, step)
        ]
    return sorted(cut, key=lambda run: -run.end)


def combine_coverage(parts: Sequence[Coverage]) -> Coverage:
    """Combine the coverage of several organizations, at least one, into one with the same periods.

    `read` has the buckets that any organization is read in, the finest where they differ. The runs to fetch are
    not separated by organization.
    """
    fetched = [part for part in parts if part.newest_fetch is not None]
    return replace(
        parts[0],
        read=_finest([part.read for part in parts]),
        missing=tuple(dict.fromkeys(run for part in parts for run in part.missing)),
        stale=tuple(dict.fromkeys(run for part in parts for run in part.stale)),
        expected=sum(part.expected for part in parts),
        stored=sum(part.stored for part in parts),
        future_buckets=sum(part.future_buckets for part in parts),
        may_grow=sum(part.may_grow for part in parts),
        oldest_fetch=min((part.oldest_fetch or 0 for part in fetched), default=None),
        newest_fetch=max((part.newest_fetch or 0 for part in fetched), default=None),
        organizations=len(parts),
        begun_until=max((part.begun_until for part in parts if part.begun_until is not None), default=None),
    )


def _finest(reads: Sequence[tuple[BucketRun, ...]]) -> tuple[BucketRun, ...]:
    """Return disjoint runs, ascending; finer buckets replace the coarse bucket that contains them."""
    if len(reads) == 1 or all(read == reads[0] for read in reads):
        return reads[0]
    runs: list[BucketRun] = []
    finer_starts = np.empty(0, np.int64)
    for width in reversed(COARSEST_FIRST):
        starts = [
            np.arange(run.start, run.end, width.seconds, dtype=np.int64)
            for read in reads
            for run in read
            if run.width is width
        ]
        if not starts:
            continue
        own_starts = np.unique(np.concatenate(starts))
        own_starts = own_starts[~np.isin(own_starts, np.unique(finer_starts - finer_starts % width.seconds))]
        finer_starts = np.concatenate([finer_starts, own_starts])
        runs += bucket_runs(own_starts, width, width)
    return tuple(sorted(runs, key=lambda run: run.start))
