"""Records which fetched buckets were compared with the server, and the result."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.coverage import Coverage, HeldBuckets
from usage_viewer.domain.period import BucketRun, BucketWidth
from usage_viewer.domain.verification import Bucket, Completeness, Difference, Verdict

Marks = dict[Bucket, tuple[Difference, ...]]
"""Buckets that did not simply agree: their differences; none for a bucket that grew while it was looked at."""


@dataclass(frozen=True, slots=True)
class _Compared:
    """Of buckets of one width: which fetch was compared (its time), and when."""

    fetched: HeldBuckets
    at: HeldBuckets


_NOTHING = _Compared(HeldBuckets.nothing(), HeldBuckets.nothing())


class VerificationLog:
    """In memory only: what is open may have grown by the next start. Safe in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._compared: dict[tuple[str, BucketWidth], _Compared] = {}
        self._marks: dict[str, Marks] = {}

    def note(
        self,
        dataset: str,
        width: BucketWidth,
        starts: NDArray[np.int64],
        fetched: NDArray[np.int64],
        at: int,
        marks: Marks,
    ) -> None:
        """`starts` (ascending), as fetched at those times, were compared at `at`; `marks` are those of them that
        did not agree."""
        with self._lock:
            before = self._compared.get((dataset, width), _NOTHING)
            self._compared[dataset, width] = _Compared(
                _merged(before.fetched, starts, fetched), _merged(before.at, starts, np.full_like(starts, at))
            )
            gone = {Bucket(start, width) for start in starts.tolist()}
            kept = {bucket: mark for bucket, mark in self._marks.get(dataset, {}).items() if bucket not in gone}
            self._marks[dataset] = {**kept, **marks}

    def forget(self) -> None:
        with self._lock:
            self._compared, self._marks = {}, {}

    def completeness(
        self, dataset: str, coverage: Coverage, held: Mapping[BucketWidth, HeldBuckets]
    ) -> Completeness:
        """Of a view: known only if every bucket that it needs is held and was compared since it was fetched."""
        if not coverage.complete or not coverage.read:
            return Completeness()
        buckets, oldest = 0, list[int]()
        for segment in coverage.read:
            starts = _starts(segment)
            compared = self._compared.get((dataset, segment.width), _NOTHING)
            if not np.array_equal(compared.fetched.find(starts), held[segment.width].find(starts)):
                return Completeness()
            oldest.append(int(compared.at.find(starts).min()))
            buckets += len(starts)
        marks = self._marks_in(dataset, coverage.read)
        differing = tuple(difference for _, mark in marks for difference in mark)
        growing = tuple(bucket for bucket, mark in marks if not mark)
        verdict = Verdict.DIFFERS if differing else Verdict.VERIFIED
        return Completeness(verdict, min(oldest), buckets, differing, growing)

    def _marks_in(self, dataset: str, read: Iterable[BucketRun]) -> list[tuple[Bucket, tuple[Difference, ...]]]:
        marks = sorted(self._marks.get(dataset, {}).items(), key=lambda item: item[0])
        return [
            (bucket, mark)
            for bucket, mark in marks
            if any(one.width is bucket.width and one.start <= bucket.start < one.end for one in read)
        ]


def _starts(segment: BucketRun) -> NDArray[np.int64]:
    return np.arange(segment.start, segment.end, segment.width.seconds, dtype=np.int64)


def _merged(before: HeldBuckets, starts: NDArray[np.int64], times: NDArray[np.int64]) -> HeldBuckets:
    kept = ~np.isin(before.starts, starts, assume_unique=True)
    every = np.concatenate([before.starts[kept], starts])
    order = np.argsort(every, kind="stable")
    return HeldBuckets(every[order], np.concatenate([before.fetched[kept], times])[order])
