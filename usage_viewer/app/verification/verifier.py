"""Defines `Verifier`, which compares stored sums with the server's sums of the same buckets without grouping."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from usage_viewer.app.fetch.coverage_reader import CoverageReader
from usage_viewer.app.fetch.ports import Source
from usage_viewer.app.fetch.window_fetcher import GroupingRefused, fetch_windows
from usage_viewer.app.verification.verification_log import StoredPart, VerificationLog
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.coverage import HeldBuckets, request_windows
from usage_viewer.domain.grain import (
    GrainRuns,
    dataset_name,
    is_further_grain,
    plan_grains,
    stored_dataset,
)
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
from usage_viewer.domain.view import ViewState
from usage_viewer.query.plan import FactSource
from usage_viewer.store import Store
from usage_viewer.store.comparison_index import Comparison, Marks


@dataclass(frozen=True, slots=True)
class VerificationRequest:
    """Which view to verify, and with which source.

    `refetch`: buckets that are fetched again first. `pending_only`: only the buckets that were not compared since
    their last fetch have to be compared; others are if that takes no more requests.
    """

    source: Source
    view: ViewState
    cancellation: Cancellation
    refetch: tuple[Bucket, ...] = ()
    pending_only: bool = False


@dataclass(frozen=True, slots=True)
class VerificationOutcome:
    """The result of a verification. `fetched`: buckets were fetched again, so the view's figures may differ."""

    completeness: Completeness
    fetched: bool


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The result for buckets of one width: the server's sums, and the differences of each compared bucket."""

    server_sums: Sums
    differences: dict[int, list[Difference]]  # by the start of the bucket
    fetched: HeldBuckets  # the fetch times of the compared buckets


class Verifier:
    """Runs one verification at a time.

    Raises CredentialError, NetworkError, ServerError, AnswerError, StoreError, Cancelled.
    """

    def __init__(
        self,
        store: Store,
        coverage: CoverageReader,
        log: VerificationLog,
        *,
        clock: Callable[[], float],
        workers: int,
    ) -> None:
        self._store, self._coverage, self._log = store, coverage, log
        self._clock, self._workers = clock, workers

    def verify(self, request: VerificationRequest) -> VerificationOutcome:
        """Compare the stored buckets of a view with the server and record the result in the store.

        An open bucket that has grown since its fetch is no difference: it is fetched and compared again. If it
        has grown once more, the stored value must lie between the server's value before and after.
        """
        for part in self.parts(request.view):
            self._fetch(request, part.stored_as, request.refetch)
        has_grown_any = False
        for part in self.parts(request.view):
            has_grown_any |= self._verify_part(request, part)
        completeness = self._log.completeness(self._coverage.coverage(request.view), self.parts(request.view))
        return VerificationOutcome(completeness, bool(request.refetch or has_grown_any))

    def parts(self, view: ViewState) -> list[StoredPart]:
        """Return the stored buckets of a view, by the dataset or further grain that they are read from."""
        now = self._coverage.now
        return stored_parts(self._coverage.read(self._coverage.adjust(view, now), now).sources)

    def _verify_part(self, request: VerificationRequest, part: StoredPart) -> bool:
        """Compare the buckets of one part; return whether any of them had grown."""
        dataset = stored_dataset(part.stored_as)
        read = self.runs_to_compare(part, request.pending_only)
        first = {width: self._compare(request, dataset, width, read) for width in {run.width for run in read}}
        grown = [bucket for width, comparison in first.items() for bucket in _grown(dataset, width, comparison)]
        self._fetch(request, part.stored_as, grown)
        for width, comparison in first.items():
            grown_here = [bucket for bucket in grown if bucket.width is width]
            for bucket in grown_here:
                del comparison.differences[bucket.start]
            self._record(dataset, width, comparison, _marks(comparison, width))
            if grown_here:
                second = self._compare(request, dataset, width, [_run(bucket) for bucket in grown_here])
                marks = _marks(second, width)
                for bucket, mark in marks.items():
                    if is_between(dataset, comparison.server_sums, mark) and has_grown(dataset, mark):
                        marks[bucket] = ()
                self._record(dataset, width, second, marks)
        return bool(grown)

    def runs_to_compare(self, part: StoredPart, pending_only: bool) -> Sequence[BucketRun]:
        """Return the buckets of a part that a verification compares, see `VerificationRequest`."""
        if not pending_only:
            return part.read
        dataset = stored_dataset(part.stored_as)
        pending = self._log.pending(part.stored_as, part.read)
        is_cheaper = len(verification_windows(dataset, pending)) < len(verification_windows(dataset, part.read))
        return pending if is_cheaper else part.read

    def _compare(
        self, request: VerificationRequest, dataset: Dataset, width: BucketWidth, read: Sequence[BucketRun]
    ) -> _Comparison:
        runs = [run for run in read if run.width is width]
        fetched_before = self._store.stored_buckets(dataset.name).get(width, HeldBuckets.nothing())
        server_sums = Sums()
        windows = verification_windows(dataset, runs)
        self._request(request, dataset, windows, (), lambda batch, _: server_sums.add_batch(dataset, batch))
        stored_sums = self._store.verification.sums(dataset.name, runs)
        fetched_after = self._store.stored_buckets(dataset.name).get(width, HeldBuckets.nothing())
        by_start = differences(dataset, width, stored_sums, server_sums)
        starts = np.array(sorted(by_start), np.int64)
        # Skip buckets replaced during the check: the server's sums are older.
        for start in starts[fetched_before.find(starts) != fetched_after.find(starts)].tolist():
            del by_start[start]
        return _Comparison(server_sums, by_start, fetched_after)

    def _record(self, dataset: Dataset, width: BucketWidth, comparison: _Comparison, marks: Marks) -> None:
        starts = np.array(sorted(comparison.differences), np.int64)
        fetched = comparison.fetched.find(starts)
        at = int(self._clock())
        self._store.record_comparison(Comparison(dataset.name, width, starts, fetched, at, marks))

    def _fetch(self, request: VerificationRequest, stored_as: str, buckets: Iterable[Bucket]) -> None:
        """Fetch buckets again in the grain that they are stored in, and store them."""
        runs, dataset = [_run(bucket) for bucket in buckets], stored_dataset(stored_as)
        grants = self._coverage.grants(dataset_name(stored_as))
        further = is_further_grain(stored_as)
        planned = (
            [GrainRuns(dataset, dataset.group_by, tuple(runs))]
            if further
            else plan_grains(dataset, runs, (), grants)
        )
        for part in planned:
            windows = verification_windows(dataset, part.runs)
            self._request(request, part.dataset, windows, part.grouped, self._store.put)

    def _request(
        self,
        request: VerificationRequest,
        dataset: Dataset,
        windows: Sequence[BucketRun],
        grouped: tuple[str, ...],
        keep: Callable[[Batch, int], None],
    ) -> None:
        try:
            for _ in fetch_windows(
                request.source,
                dataset,
                windows,
                grouped,
                keep,
                cancellation=request.cancellation,
                clock=self._clock,
                workers=self._workers,
            ):
                pass
        except GroupingRefused as refused:
            raise refused.error from None


def stored_parts(sources: Iterable[FactSource]) -> list[StoredPart]:
    """Return the buckets of all sources, one part for each dataset or further grain."""
    runs: dict[str, list[BucketRun]] = {}
    for source in sources:
        runs.setdefault(source.dataset.name, []).extend(source.coverage.read)
    return [StoredPart(name, tuple(sorted(read, key=lambda run: run.start))) for name, read in runs.items()]


def verification_windows(dataset: Dataset, runs: Sequence[BucketRun]) -> list[BucketRun]:
    """Return the windows of a verification of `runs`, one request each."""
    return request_windows(runs, {width: limit.maximum for width, limit in dataset.page_limits.items()})


def _run(bucket: Bucket) -> BucketRun:
    return BucketRun(bucket.width, bucket.start, bucket.end)


def _grown(dataset: Dataset, width: BucketWidth, comparison: _Comparison) -> list[Bucket]:
    """Return the open buckets whose differences are explained by growth alone."""
    starts = np.array(sorted(start for start, items in comparison.differences.items() if items), np.int64)
    open_starts = starts[open_buckets(starts, width, comparison.fetched.find(starts))].tolist()
    return [Bucket(start, width) for start in open_starts if has_grown(dataset, comparison.differences[start])]


def _marks(comparison: _Comparison, width: BucketWidth) -> dict[Bucket, tuple[Difference, ...]]:
    return {Bucket(start, width): tuple(items) for start, items in comparison.differences.items() if items}
