"""Defines `VerificationLog`, which records the fetched buckets that were compared with the server."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.coverage import Coverage, HeldBuckets
from usage_viewer.domain.period import BucketRun, BucketWidth
from usage_viewer.domain.verification import Bucket, Completeness, Difference, Verdict

Marks = dict[Bucket, tuple[Difference, ...]]
"""The differences of the buckets that did not agree; an empty tuple for a bucket that grew during the check."""


@dataclass(frozen=True, slots=True)
class _Compared:
    """The compared buckets of one width: fetch time and time of the comparison (epoch seconds)."""

    fetched: HeldBuckets
    at: HeldBuckets


_NOTHING = _Compared(HeldBuckets.nothing(), HeldBuckets.nothing())


class VerificationLog:
    """Records results in memory only, because open buckets may grow before the next start.

    Every method may be called in any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._compared: dict[tuple[str, BucketWidth], _Compared] = {}
        self._marks: dict[str, Marks] = {}

    def add(
        self,
        dataset: str,
        width: BucketWidth,
        starts: NDArray[np.int64],
        fetched: NDArray[np.int64],
        at: int,
        marks: Marks,
    ) -> None:
        """Record a comparison at `at` of the buckets at `starts` (ascending) as fetched at `fetched`.

        Times are epoch seconds, arrays `(n,)`. `marks` has those of the buckets that did not agree.
        """
        with self._lock:
            previous = self._compared.get((dataset, width), _NOTHING)
            self._compared[dataset, width] = _Compared(
                _merge(previous.fetched, starts, fetched), _merge(previous.at, starts, np.full_like(starts, at))
            )
            compared = {Bucket(start, width) for start in starts.tolist()}
            kept = {bucket: mark for bucket, mark in self._marks.get(dataset, {}).items() if bucket not in compared}
            self._marks[dataset] = {**kept, **marks}

    def clear(self) -> None:
        """Remove every record."""
        with self._lock:
            self._compared, self._marks = {}, {}

    def completeness(
        self, dataset: str, coverage: Coverage, stored: Mapping[BucketWidth, HeldBuckets]
    ) -> Completeness:
        """Return the verdict for a view.

        Verified only if every needed bucket is stored and was compared after its last fetch.
        """
        if not coverage.complete or not coverage.read:
            return Completeness()
        buckets, times = 0, list[int]()
        for run in coverage.read:
            starts = _starts(run)
            compared = self._compared.get((dataset, run.width), _NOTHING)
            if not np.array_equal(compared.fetched.find(starts), stored[run.width].find(starts)):
                return Completeness()
            times.append(int(compared.at.find(starts).min()))
            buckets += len(starts)
        marks = self._marks_in(dataset, coverage.read)
        differences = tuple(difference for _, mark in marks for difference in mark)
        growing = tuple(bucket for bucket, mark in marks if not mark)
        verdict = Verdict.DIFFERS if differences else Verdict.VERIFIED
        return Completeness(verdict, min(times), buckets, differences, growing)

    def _marks_in(self, dataset: str, read: Iterable[BucketRun]) -> list[tuple[Bucket, tuple[Difference, ...]]]:
        marks = sorted(self._marks.get(dataset, {}).items(), key=lambda item: item[0])
        return [
            (bucket, mark)
            for bucket, mark in marks
            if any(run.width is bucket.width and run.start <= bucket.start < run.end for run in read)
        ]


def _starts(run: BucketRun) -> NDArray[np.int64]:
    return np.arange(run.start, run.end, run.width.seconds, dtype=np.int64)


def _merge(previous: HeldBuckets, starts: NDArray[np.int64], times: NDArray[np.int64]) -> HeldBuckets:
    kept = ~np.isin(previous.starts, starts, assume_unique=True)
    all_starts = np.concatenate([previous.starts[kept], starts])
    order = np.argsort(all_starts, kind="stable")
    return HeldBuckets(all_starts[order], np.concatenate([previous.fetched[kept], times])[order])
