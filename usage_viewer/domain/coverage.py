"""What a view needs, what is held of it, and what has to be fetched: pure arithmetic on buckets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.period import COARSEST_FIRST, BucketRun, BucketWidth, Periods
from usage_viewer.domain.zones import end_of_day

SETTLED_AFTER = 72 * 3600
"""Seconds after its end from which a fetched bucket is taken as final; younger ones may still grow."""

FETCH_AGAIN_AFTER = 300
"""Seconds for which a bucket that may still grow is not fetched again, unless the user asks for it."""


BRIDGED = 3
"""Up to so many buckets between two that are wanted are fetched with them, if none of these is held."""


@dataclass(frozen=True, slots=True)
class HeldBuckets:
    """The buckets of one width that the store holds whole: starts, ascending, and when each was fetched."""

    starts: NDArray[np.int64]
    fetched: NDArray[np.int64]

    @classmethod
    def nothing(cls) -> "HeldBuckets":
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))

    def find(self, starts: NDArray[np.int64]) -> NDArray[np.int64]:
        """When each of `starts` was fetched; -1 where it isn't held."""
        found = np.full(len(starts), -1, np.int64)
        if len(self.starts):
            at = np.minimum(np.searchsorted(self.starts, starts), len(self.starts) - 1)
            hit = self.starts[at] == starts
            found[hit] = self.fetched[at[hit]]
        return found


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far a view's buckets are held. Counts are in buckets of `unit`, the finest width that the view needs."""

    periods: Periods
    unit: BucketWidth
    read: tuple[BucketRun, ...]  # where to read, disjoint, ascending: coarse buckets or finer ones in their place
    missing: tuple[BucketRun, ...]  # to be fetched: not held
    stale: tuple[BucketRun, ...]  # to be fetched again: may have grown
    expected: int  # buckets that have begun
    held: int  # of these, held
    to_come: int  # buckets of the range that begin after today
    still_open: int  # of those held, how many may still grow
    oldest_fetch: int | None
    newest_fetch: int | None
    organizations: int = 1  # whose buckets are counted together

    @property
    def complete(self) -> bool:
        return self.held == self.expected

    @property
    def summary(self) -> str:
        """How much is held, as "27 of 30 days"; with what lies in the future, if anything does."""
        noun = self.unit.noun + ("" if self.expected == 1 else "s")
        later = f" ({self.to_come} still to come)" if self.to_come else ""
        among = f" in {self.organizations} organizations" if self.organizations > 1 else ""
        return f"{self.held} of {self.expected} {noun}{among}{later}"

    @property
    def wanted(self) -> tuple[BucketRun, ...]:
        """All that a fetch has to bring, missing ones first."""
        return (*self.missing, *self.stale)


def cover(
    periods: Periods,
    needs: Sequence[BucketRun],
    held: Mapping[BucketWidth, HeldBuckets],
    now: int,
    *,
    refresh: bool = False,
    composed: bool = True,
) -> Coverage:
    """Compares what `periods` need (`needs`: their segments) with what is held.

    A bucket is covered by itself, or (if `composed`) by all finer buckets that make it up where those were fetched
    later.
    """
    read: list[BucketRun] = []
    missing: list[BucketRun] = []
    stale: list[BucketRun] = []
    expected = present = to_come = still_open = 0
    tomorrow = end_of_day(now, periods.zone)
    fetches: list[NDArray[np.int64]] = []
    unit = min((need.width for need in needs), key=lambda width: width.seconds)
    for need in needs:
        weight = need.width.seconds // unit.seconds
        begun = max(need.start, min(need.end, need.width.ceil(now)))
        starts = np.arange(need.start, begun, need.width.seconds, dtype=np.int64)
        fetched, source = _sources(need.width, starts, held if composed else _only(held, need.width), now)
        have = fetched >= 0
        open_ = have & (starts + need.width.seconds + SETTLED_AFTER > fetched)
        again = open_ if refresh else open_ & (fetched + FETCH_AGAIN_AFTER <= now)
        for rank, width in enumerate(COARSEST_FIRST):
            read += _runs(starts[have & (source == rank)], need.width, width)
        missing += _runs(starts[~have], need.width, need.width)
        stale += _runs(starts[again], need.width, need.width)
        expected += len(starts) * weight
        present += int(have.sum()) * weight
        still_open += int(open_.sum()) * weight
        # What is left of today is no news.
        to_come += max(0, need.end - max(begun, tomorrow)) // unit.seconds
        fetches.append(fetched[have])
    times = np.concatenate(fetches) if fetches else np.empty(0, np.int64)
    return Coverage(
        periods=periods,
        unit=unit,
        read=tuple(sorted(read, key=lambda segment: segment.start)),
        missing=tuple(missing),
        stale=tuple(stale),
        expected=expected,
        held=present,
        to_come=to_come,
        still_open=still_open,
        oldest_fetch=int(times.min()) if len(times) else None,
        newest_fetch=int(times.max()) if len(times) else None,
    )


def _only(held: Mapping[BucketWidth, HeldBuckets], width: BucketWidth) -> Mapping[BucketWidth, HeldBuckets]:
    return {width: held[width]} if width in held else {}


def _sources(
    width: BucketWidth, starts: NDArray[np.int64], held: Mapping[BucketWidth, HeldBuckets], now: int
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """For each bucket: when it was fetched (-1: not held) and the rank of the width to read it from."""
    fetched = np.full(len(starts), -1, np.int64)
    source = np.zeros(len(starts), np.int8)
    for rank, candidate in enumerate(COARSEST_FIRST):
        if candidate.seconds > width.seconds or candidate not in held:
            continue
        own = held[candidate]
        times = own.find(starts) if candidate is width else _composed(width, starts, candidate, own, now)
        better = times > fetched
        fetched[better] = times[better]
        source[better] = rank
    return fetched, source


def _composed(
    width: BucketWidth, starts: NDArray[np.int64], finer: BucketWidth, held: HeldBuckets, now: int
) -> NDArray[np.int64]:
    """When the oldest of the finer buckets in each bucket was fetched; -1 unless all that have begun are held."""
    times = np.full(len(starts), -1, np.int64)
    if not len(starts) or not len(held.starts):
        return times
    begun = np.minimum(starts + width.seconds, finer.ceil(now))
    first = np.searchsorted(held.starts, starts)
    last = np.searchsorted(held.starts, begun)
    whole = (last - first == (begun - starts) // finer.seconds) & (last > first)
    if whole.any():
        edges = np.column_stack([first[whole], last[whole]]).ravel()
        times[whole] = np.minimum.reduceat(np.append(held.fetched, held.fetched[-1:]), edges)[::2]
    return times


def _runs(starts: NDArray[np.int64], step: BucketWidth, width: BucketWidth) -> list[BucketRun]:
    """Ascending starts of buckets of width `step`, joined to runs that are read in buckets of `width`."""
    if not len(starts):
        return []
    breaks = np.flatnonzero(np.diff(starts) != step.seconds)
    firsts = starts[np.concatenate([[0], breaks + 1])].tolist()
    lasts = starts[np.concatenate([breaks, [len(starts) - 1]])].tolist()
    return [BucketRun(width, first, last + step.seconds) for first, last in zip(firsts, lasts, strict=True)]


def windows(
    segments: Sequence[BucketRun],
    limits: Mapping[BucketWidth, int],
    held: Mapping[BucketWidth, HeldBuckets] | None = None,
) -> list[BucketRun]:
    """Cuts segments at their width's limit of buckets a request, newest first: what matters most comes first.

    Neighbouring segments of one width are joined before they are cut. Where `held` is given, so are those that only
    a few buckets lie between which aren't held: an hour fetched in vain costs less than one more request.
    """
    joined: list[BucketRun] = []
    for segment in sorted(set(segments), key=lambda item: (item.width.seconds, item.start)):
        last = joined[-1] if joined else None
        if last and last.width is segment.width and _adjoin(last, segment, held):
            joined[-1] = BucketRun(last.width, last.start, max(last.end, segment.end))
        else:
            joined.append(segment)
    return _cut(joined, limits)


def _adjoin(first: BucketRun, second: BucketRun, held: Mapping[BucketWidth, HeldBuckets] | None) -> bool:
    gap = np.arange(first.end, second.start, first.width.seconds, dtype=np.int64)
    if held is None or not len(gap):
        return not len(gap)
    return len(gap) <= BRIDGED and bool((held.get(first.width, HeldBuckets.nothing()).find(gap) < 0).all())


def _cut(joined: Sequence[BucketRun], limits: Mapping[BucketWidth, int]) -> list[BucketRun]:
    cut: list[BucketRun] = []
    for segment in joined:
        step = limits[segment.width] * segment.width.seconds
        cut += [
            BucketRun(segment.width, start, min(start + step, segment.end))
            for start in range(segment.start, segment.end, step)
        ]
    return sorted(cut, key=lambda segment: -segment.end)
