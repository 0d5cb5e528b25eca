"""`Verifier`: asks the server without any grouping, and compares its sums with those of what is held."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from usage_viewer.app.fetch.window_fetcher import Source, fetch_windows
from usage_viewer.app.verification.verification_log import Marks, VerificationLog
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.coverage import Coverage, HeldBuckets, windows
from usage_viewer.domain.period import BucketRun, BucketWidth
from usage_viewer.domain.verification import (
    Bucket,
    Completeness,
    Difference,
    Sums,
    differences,
    has_grown,
    is_between,
    open_buckets,
)
from usage_viewer.store import Store


@dataclass(frozen=True, slots=True)
class VerificationRequest:
    """Whom to ask about a dataset; `grouped` are the dimensions of a fetch that is kept."""

    source: Source
    data: Dataset
    grouped: tuple[str, ...]
    cancelled: threading.Event


@dataclass(frozen=True, slots=True)
class VerificationOutcome:
    """`fetched`: buckets were fetched again, so that another look may show other figures."""

    completeness: Completeness
    fetched: bool


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Of one width: what was told, and for each bucket that could be compared where it differs."""

    told: Sums
    found: dict[int, list[Difference]]
    fetched: HeldBuckets  # what was compared


class Verifier:
    """One `prove` at a time. Raises what stops a fetch: CredentialError, NetworkError, StoreError, Cancelled…"""

    def __init__(self, store: Store, ledger: VerificationLog, *, clock: Callable[[], float], workers: int) -> None:
        self._store, self._ledger, self._clock, self._workers = store, ledger, clock, workers

    def prove(
        self, asking: VerificationRequest, coverage: Callable[[], Coverage], refetch: Sequence[Bucket] = ()
    ) -> VerificationOutcome:
        """Compares what is held of a view, and notes it in the ledger; `refetch` are fetched again before.

        An open bucket that has grown since it was fetched is no difference: it is fetched again and asked about
        again. If it has grown once more, what is held must lie between what was told before and after.
        """
        self._fetch(asking, refetch)
        read = coverage().read
        first = {width: self._compare(asking, width, read) for width in {segment.width for segment in read}}
        grown = [bucket for width, outcome in first.items() for bucket in _grown(asking.data, width, outcome)]
        self._fetch(asking, grown)
        for width, outcome in first.items():
            here = [bucket for bucket in grown if bucket.width is width]
            for bucket in here:
                del outcome.found[bucket.start]
            self._note(asking.data, width, outcome, _marks(outcome, width))
            if here:
                again = self._compare(asking, width, [_segment(bucket) for bucket in here])
                marks = _marks(again, width)
                for bucket, mark in marks.items():
                    if is_between(asking.data, outcome.told, mark) and has_grown(asking.data, mark):
                        marks[bucket] = ()
                self._note(asking.data, width, again, marks)
        held = self._store.stored_buckets(asking.data.name)
        completeness = self._ledger.completeness(asking.data.name, coverage(), held)
        return VerificationOutcome(completeness, bool(refetch or grown))

    def _compare(self, asking: VerificationRequest, width: BucketWidth, read: Sequence[BucketRun]) -> _Outcome:
        segments = [segment for segment in read if segment.width is width]
        before = self._store.stored_buckets(asking.data.name).get(width, HeldBuckets.nothing())
        told = Sums()
        self._ask(asking, segments, (), lambda batch, _: told.add_batch(asking.data, batch))
        held = self._store.verification.sums(asking.data.name, segments)
        now = self._store.stored_buckets(asking.data.name).get(width, HeldBuckets.nothing())
        found = differences(asking.data, width, held, told)
        starts = np.array(sorted(found), np.int64)
        # What another fetch has replaced meanwhile is newer than what was told: it can't be compared.
        for start in starts[before.find(starts) != now.find(starts)].tolist():
            del found[start]
        return _Outcome(told, found, now)

    def _note(self, data: Dataset, width: BucketWidth, outcome: _Outcome, marks: Marks) -> None:
        starts = np.array(sorted(outcome.found), np.int64)
        fetched = outcome.fetched.find(starts)
        self._ledger.note(data.name, width, starts, fetched, int(self._clock()), marks)

    def _fetch(self, asking: VerificationRequest, buckets: Iterable[Bucket]) -> None:
        self._ask(asking, [_segment(bucket) for bucket in buckets], asking.grouped, self._store.put)

    def _ask(
        self,
        asking: VerificationRequest,
        segments: Sequence[BucketRun],
        grouped: tuple[str, ...],
        keep: Callable[[Batch, int], None],
    ) -> None:
        for _ in fetch_windows(
            asking.source,
            asking.data,
            calls(asking.data, segments),
            grouped,
            keep,
            cancelled=asking.cancelled,
            clock=self._clock,
            workers=self._workers,
        ):
            pass


def calls(data: Dataset, segments: Sequence[BucketRun]) -> list[BucketRun]:
    """What is asked for in one call each."""
    return windows(segments, {width: limit.maximum for width, limit in data.page_limits.items()})


def _segment(bucket: Bucket) -> BucketRun:
    return BucketRun(bucket.width, bucket.start, bucket.end)


def _grown(data: Dataset, width: BucketWidth, outcome: _Outcome) -> list[Bucket]:
    """Buckets that differ, but only as open ones do."""
    starts = np.array(sorted(start for start, found in outcome.found.items() if found), np.int64)
    still = starts[open_buckets(starts, width, outcome.fetched.find(starts))].tolist()
    return [Bucket(start, width) for start in still if has_grown(data, outcome.found[start])]


def _marks(outcome: _Outcome, width: BucketWidth) -> Marks:
    return {Bucket(start, width): tuple(found) for start, found in outcome.found.items() if found}
