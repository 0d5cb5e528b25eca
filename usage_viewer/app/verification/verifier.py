"""Defines `Verifier`, which compares stored sums with the server's sums of the same buckets without grouping."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from usage_viewer.app.fetch.coverage_reader import CoverageReader
from usage_viewer.app.fetch.ports import Source
from usage_viewer.app.fetch.window_fetcher import fetch_windows
from usage_viewer.app.verification.verification_log import VerificationLog
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import Dataset, dataset_named
from usage_viewer.domain.coverage import HeldBuckets, request_windows
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

    @property
    def dataset(self) -> Dataset:
        """The dataset of the view, without the unknown fields that the view names."""
        return dataset_named(self.view.dataset_name)


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
        dataset = request.dataset
        self._fetch(request, request.refetch)
        read = self.runs_to_compare(dataset, self._coverage.coverage(request.view).read, request.pending_only)
        first = {width: self._compare(request, width, read) for width in {run.width for run in read}}
        grown = [bucket for width, comparison in first.items() for bucket in _grown(dataset, width, comparison)]
        self._fetch(request, grown)
        for width, comparison in first.items():
            grown_here = [bucket for bucket in grown if bucket.width is width]
            for bucket in grown_here:
                del comparison.differences[bucket.start]
            self._record(dataset, width, comparison, _marks(comparison, width))
            if grown_here:
                second = self._compare(request, width, [_run(bucket) for bucket in grown_here])
                marks = _marks(second, width)
                for bucket, mark in marks.items():
                    if is_between(dataset, comparison.server_sums, mark) and has_grown(dataset, mark):
                        marks[bucket] = ()
                self._record(dataset, width, second, marks)
        completeness = self._log.completeness(dataset.name, self._coverage.coverage(request.view))
        return VerificationOutcome(completeness, bool(request.refetch or grown))

    def runs_to_compare(
        self, dataset: Dataset, read: Sequence[BucketRun], pending_only: bool
    ) -> Sequence[BucketRun]:
        """Return the buckets of `read` that a verification compares, see `VerificationRequest`."""
        if not pending_only:
            return read
        pending = self._log.pending(dataset.name, read)
        is_cheaper = len(verification_windows(dataset, pending)) < len(verification_windows(dataset, read))
        return pending if is_cheaper else read

    def _compare(self, request: VerificationRequest, width: BucketWidth, read: Sequence[BucketRun]) -> _Comparison:
        dataset = request.dataset
        runs = [run for run in read if run.width is width]
        fetched_before = self._store.stored_buckets(dataset.name).get(width, HeldBuckets.nothing())
        server_sums = Sums()
        self._request(request, runs, (), lambda batch, _: server_sums.add_batch(dataset, batch))
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

    def _fetch(self, request: VerificationRequest, buckets: Iterable[Bucket]) -> None:
        """Fetch buckets again, grouped by every granted dimension, and store them."""
        refused = self._store.refused(request.dataset.name)
        grouped = tuple(name for name in request.dataset.group_by if name not in refused)
        self._request(request, [_run(bucket) for bucket in buckets], grouped, self._store.put)

    def _request(
        self,
        request: VerificationRequest,
        runs: Sequence[BucketRun],
        grouped: tuple[str, ...],
        keep: Callable[[Batch, int], None],
    ) -> None:
        for _ in fetch_windows(
            request.source,
            request.dataset,
            verification_windows(request.dataset, runs),
            grouped,
            keep,
            cancellation=request.cancellation,
            clock=self._clock,
            workers=self._workers,
        ):
            pass


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
