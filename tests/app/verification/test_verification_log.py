"""Checks which views are verified after comparisons of their buckets, in a store and after it was opened again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from usage_viewer.app.verification.verification_log import StoredPart, VerificationLog
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.coverage import Coverage, cover
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity, Span, periods
from usage_viewer.domain.verification import Bucket, Completeness, Difference, Verdict
from usage_viewer.store import Store
from usage_viewer.store.comparison_index import Comparison, Marks

DAY = 86400
NOW = 100 * DAY
DAYS = np.arange(10, dtype=np.int64) * DAY
FETCHED = 50 * DAY


@dataclass
class Kept:
    """A store of ten empty days in a file, and the verdicts on them."""

    path: Path
    store: Store

    def put(self, first: int = 0, end: int = 10, fetched: int = FETCHED, dataset: str = "completions") -> None:
        """Store the days from `first` to before `end`."""
        nothing = np.empty(0, np.int64)
        self.store.put(
            Batch(dataset, BucketWidth.DAY, DAYS[first:end], (), [], nothing, nothing.astype(np.int32), {}), fetched
        )

    def record(
        self, first: int = 0, end: int = 10, *, fetched: int = FETCHED, at: int = NOW, marks: Marks | None = None
    ) -> None:
        """Record a comparison of the days from `first` to before `end`."""
        starts = DAYS[first:end]
        times = np.full(len(starts), fetched)
        self.store.record_comparison(Comparison("completions", BucketWidth.DAY, starts, times, at, marks or {}))

    def coverage(self, first: int = 0, end: int = 10, dataset: str = "completions") -> Coverage:
        """Return the coverage of the days from `first` to before `end`."""
        span = Span(first * DAY, end * DAY)
        needs = [BucketRun(BucketWidth.DAY, span.start, span.end)]
        return cover(periods(span, Granularity.TOTAL, UTC), needs, self.store.stored_buckets(dataset), NOW)

    def verdict(self, first: int = 0, end: int = 10, dataset: str = "completions") -> Completeness:
        """Return the verdict on the days from `first` to before `end`."""
        coverage = self.coverage(first, end, dataset)
        return VerificationLog(self.store).completeness(coverage, [StoredPart(dataset, coverage.read)])

    def reopen(self) -> None:
        """Close the file and open it again, as the next start does."""
        self.store.close()
        self.store = Store.open(self.path)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """Return a store of ten days."""
    path = tmp_path / "usage.duckdb"
    made = Kept(path, Store.open(path))
    made.put()
    yield made
    made.store.close()


def difference(day: int, *, unit: str | None = None) -> Difference:
    return Difference(Bucket(day * DAY, BucketWidth.DAY), "input_tokens", 2**62, 2, unit)


def test_nothing_is_verified_before_a_comparison(kept: Kept) -> None:
    assert kept.verdict() == Completeness(buckets=10, pending=10)


def test_compared_buckets_are_verified_in_whole_and_in_part(kept: Kept) -> None:
    kept.record(0, 5, at=NOW - 60)
    kept.record(5, 10)
    kept.put(dataset="images")
    for _ in range(2):
        assert kept.verdict() == Completeness(Verdict.VERIFIED, NOW - 60, 10)
        assert kept.verdict(6, 8) == Completeness(Verdict.VERIFIED, NOW, 2)
        assert kept.verdict(dataset="images").verdict is Verdict.NOT_VERIFIED
        kept.reopen()


def test_one_bucket_without_comparison_leaves_the_view_unverified(kept: Kept) -> None:
    kept.record(0, 9)
    assert kept.verdict() == Completeness(buckets=10, pending=1)
    assert kept.verdict(0, 9).verdict is Verdict.VERIFIED


def test_refetched_buckets_must_be_compared_again(kept: Kept) -> None:
    kept.record()
    kept.put(3, 5, fetched=51 * DAY)
    for _ in range(2):
        assert kept.verdict() == Completeness(buckets=10, pending=2)
        kept.reopen()
    kept.record(3, 5, fetched=51 * DAY)
    assert kept.verdict().verdict is Verdict.VERIFIED


def test_bucket_refetched_within_the_same_second_is_not_verified(kept: Kept) -> None:
    kept.record()
    kept.put(3, 4)
    for _ in range(2):
        assert kept.verdict() == Completeness(buckets=10, pending=1)
        kept.reopen()


def test_comparison_of_a_replaced_bucket_is_not_recorded(kept: Kept) -> None:
    kept.put(3, 4, fetched=51 * DAY)
    kept.record(marks={difference(3).bucket: (difference(3),), difference(4).bucket: ()})
    assert kept.verdict() == Completeness(buckets=10, pending=1)
    assert kept.verdict(4, 10) == Completeness(Verdict.VERIFIED, NOW, 6, (), (difference(4).bucket,))


def test_incomplete_data_is_not_verified(kept: Kept) -> None:
    kept.record()
    log = VerificationLog(kept.store)
    span = Span(0, 11 * DAY)
    needs = [BucketRun(BucketWidth.DAY, span.start, span.end)]
    stored = kept.store.stored_buckets("completions")
    coverage = cover(periods(span, Granularity.TOTAL, UTC), needs, stored, NOW)
    assert log.completeness(coverage, [StoredPart("completions", coverage.read)]) == Completeness()


def test_only_differences_of_the_view_are_returned(kept: Kept) -> None:
    third, fourth = difference(3, unit="usd"), difference(4).bucket
    kept.record(marks={fourth: (), third.bucket: (third, difference(3))})
    for _ in range(2):
        assert kept.verdict() == Completeness(Verdict.DIFFERS, NOW, 10, (third, difference(3)), (fourth,))
        assert kept.verdict(4, 10) == Completeness(Verdict.VERIFIED, NOW, 6, (), (fourth,))
        kept.reopen()


def test_known_difference_is_told_while_other_buckets_wait(kept: Kept) -> None:
    kept.record(0, 5, marks={difference(3).bucket: (difference(3),)})
    assert kept.verdict() == Completeness(Verdict.DIFFERS, NOW, 10, (difference(3),), (), 5)


def test_a_second_comparison_replaces_the_first(kept: Kept) -> None:
    kept.record(marks={difference(3).bucket: (difference(3),)})
    kept.record(3, 4)
    for _ in range(2):
        assert kept.verdict() == Completeness(Verdict.VERIFIED, NOW, 10)
        kept.reopen()


def test_replaced_bucket_loses_its_difference(kept: Kept) -> None:
    kept.record(marks={difference(3).bucket: (difference(3),)})
    kept.put(3, 4, fetched=51 * DAY)
    for _ in range(2):
        assert kept.verdict() == Completeness(buckets=10, pending=1)
        kept.reopen()


def test_money_keeps_every_digit(kept: Kept) -> None:
    digits = Decimal("0.000000000012345678901234")
    exact = Difference(Bucket(0, BucketWidth.DAY), "amount", digits, digits + 1, "usd")
    kept.put(dataset="costs")
    comparison = Comparison("costs", BucketWidth.DAY, DAYS, np.full(10, FETCHED), NOW, {exact.bucket: (exact,)})
    kept.store.record_comparison(comparison)
    kept.reopen()
    assert kept.verdict(dataset="costs").differences == (exact,)


def test_erasing_removes_every_result(kept: Kept) -> None:
    kept.record()
    kept.store.erase()
    kept.put()
    assert kept.verdict() == Completeness(buckets=10, pending=10)


def test_pending_buckets_are_listed(kept: Kept) -> None:
    kept.record(2, 9)
    pending = VerificationLog(kept.store).pending("completions", kept.coverage().read)
    assert [(run.start // DAY, run.buckets) for run in pending] == [(0, 2), (9, 1)]
