"""Defines `VerificationLog`, which tells what earlier comparisons with the server say about a view."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.coverage import Coverage, HeldBuckets, bucket_runs
from usage_viewer.domain.period import BucketRun, BucketWidth
from usage_viewer.domain.verification import Bucket, Completeness, Difference, Verdict
from usage_viewer.store import Store


@dataclass(frozen=True, slots=True)
class StoredPart:
    """Buckets of a view, and the name of the dataset or of the further grain that they are read from."""

    stored_as: str
    read: tuple[BucketRun, ...]


class VerificationLog:
    """Reads the results that the store keeps; every method may be called in any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def completeness(self, coverage: Coverage, parts: Sequence[StoredPart]) -> Completeness:
        """Return the verdict for a view with this coverage, which is read from `parts`.

        Verified only if every needed bucket is stored and was compared after its last fetch. One bucket that
        differs makes the whole differ, even if others were not compared yet.
        """
        if not coverage.complete or not coverage.read:
            return Completeness()
        buckets = pending = 0
        times: list[int] = []
        marks: list[tuple[Bucket, tuple[Difference, ...]]] = []
        for part in parts:
            stored = self._store.stored_buckets(part.stored_as)
            for run in part.read:
                starts = _starts(run)
                is_compared = self._is_compared(part.stored_as, run.width, starts, stored)
                buckets, pending = buckets + len(starts), pending + int((~is_compared).sum())
                if is_compared.any():
                    at = self._store.comparisons.of(part.stored_as, run.width).at
                    times.append(int(at.find(starts[is_compared]).min()))
            marks += self._marks_in(part.stored_as, part.read)
        marks.sort(key=lambda item: item[0])
        differences = tuple(difference for _, mark in marks for difference in mark)
        growing = tuple(bucket for bucket, mark in marks if not mark)
        if differences:
            return Completeness(Verdict.DIFFERS, min(times, default=None), buckets, differences, growing, pending)
        if pending:
            return Completeness(buckets=buckets, pending=pending)
        return Completeness(Verdict.VERIFIED, min(times), buckets, (), growing)

    def pending(self, dataset: str, read: Iterable[BucketRun]) -> list[BucketRun]:
        """Return the buckets of `read` that were not compared since their last fetch."""
        stored = self._store.stored_buckets(dataset)
        runs = []
        for run in read:
            starts = _starts(run)
            is_pending = ~self._is_compared(dataset, run.width, starts, stored)
            runs += bucket_runs(starts[is_pending], run.width, run.width)
        return runs

    def _is_compared(
        self,
        dataset: str,
        width: BucketWidth,
        starts: NDArray[np.int64],
        stored: Mapping[BucketWidth, HeldBuckets],
    ) -> NDArray[np.bool_]:
        fetched = stored.get(width, HeldBuckets.nothing()).find(starts)
        compared = self._store.comparisons.of(dataset, width).fetched.find(starts)
        return np.asarray((fetched >= 0) & (fetched == compared))

    def _marks_in(self, dataset: str, read: Iterable[BucketRun]) -> list[tuple[Bucket, tuple[Difference, ...]]]:
        runs = tuple(read)
        marks = sorted(self._store.comparisons.marks(dataset).items(), key=lambda item: item[0])
        return [
            (bucket, mark)
            for bucket, mark in marks
            if any(run.width is bucket.width and run.start <= bucket.start < run.end for run in runs)
        ]


def _starts(run: BucketRun) -> NDArray[np.int64]:
    return np.arange(run.start, run.end, run.width.seconds, dtype=np.int64)
