"""Checks which views are verified after comparisons of their buckets."""

from datetime import UTC

import numpy as np
import pytest

from usage_viewer.app.verification.verification_log import Marks, VerificationLog
from usage_viewer.domain.coverage import Coverage, HeldBuckets, cover
from usage_viewer.domain.period import BucketRun, BucketWidth, Granularity, Span, periods
from usage_viewer.domain.verification import Bucket, Completeness, Difference, Verdict

DAY = 86400
NOW = 100 * DAY
DAYS = np.arange(10, dtype=np.int64) * DAY


def stored(fetched: int = 50 * DAY, days: int = 10) -> dict[BucketWidth, HeldBuckets]:
    """Return the first `days` of DAYS as stored buckets."""
    return {BucketWidth.DAY: HeldBuckets(DAYS[:days], np.full(days, fetched))}


def coverage_of(first: int = 0, end: int = 10, buckets: dict[BucketWidth, HeldBuckets] | None = None) -> Coverage:
    """Return the coverage of the days from `first` to before `end`."""
    span = Span(first * DAY, end * DAY)
    total = periods(span, Granularity.TOTAL, UTC)
    return cover(
        total, [BucketRun(BucketWidth.DAY, span.start, span.end)], stored() if buckets is None else buckets, NOW
    )


def record(
    log: VerificationLog, first: int = 0, end: int = 10, fetched: int = 50 * DAY, at: int = NOW, **marks: Marks
) -> None:
    """Record a comparison of the days from `first` to before `end`."""
    starts = DAYS[first:end]
    log.add("completions", BucketWidth.DAY, starts, np.full(len(starts), fetched), at, marks.get("marks", {}))


@pytest.fixture
def log() -> VerificationLog:
    """Return an empty log."""
    return VerificationLog()


def test_nothing_is_verified_before_a_comparison(log: VerificationLog) -> None:
    assert log.completeness("completions", coverage_of(), stored()) == Completeness()


def test_compared_buckets_are_verified_in_whole_and_in_part(log: VerificationLog) -> None:
    record(log, 0, 5, at=NOW - 60)
    record(log, 5, 10)
    assert log.completeness("completions", coverage_of(), stored()) == Completeness(Verdict.VERIFIED, NOW - 60, 10)
    assert log.completeness("completions", coverage_of(6, 8), stored()) == Completeness(Verdict.VERIFIED, NOW, 2)
    assert log.completeness("images", coverage_of(), stored()) == Completeness()


def test_one_bucket_without_comparison_leaves_the_view_unverified(log: VerificationLog) -> None:
    record(log, 0, 9)
    assert log.completeness("completions", coverage_of(), stored()) == Completeness()
    assert log.completeness("completions", coverage_of(0, 9), stored()).verdict is Verdict.VERIFIED


def test_refetched_buckets_must_be_compared_again(log: VerificationLog) -> None:
    record(log)
    refetched = stored(51 * DAY)
    assert log.completeness("completions", coverage_of(buckets=refetched), refetched) == Completeness()
    record(log, fetched=51 * DAY)
    assert log.completeness("completions", coverage_of(buckets=refetched), refetched).verdict is Verdict.VERIFIED


def test_incomplete_data_is_not_verified(log: VerificationLog) -> None:
    record(log)
    nine_days = stored(days=9)
    assert log.completeness("completions", coverage_of(buckets=nine_days), nine_days) == Completeness()


def test_only_differences_of_the_view_are_returned(log: VerificationLog) -> None:
    third, fourth = Bucket(3 * DAY, BucketWidth.DAY), Bucket(4 * DAY, BucketWidth.DAY)
    difference = Difference(third, "input_tokens", 1, 2)
    record(log, marks={fourth: (), third: (difference,)})
    verdict = log.completeness("completions", coverage_of(), stored())
    assert verdict == Completeness(Verdict.DIFFERS, NOW, 10, (difference,), (fourth,))
    assert log.completeness("completions", coverage_of(4, 10), stored()) == Completeness(
        Verdict.VERIFIED, NOW, 6, (), (fourth,)
    )


def test_a_second_comparison_replaces_the_first(log: VerificationLog) -> None:
    third = Bucket(3 * DAY, BucketWidth.DAY)
    record(log, marks={third: (Difference(third, "input_tokens", 1, 2),)})
    record(log, 3, 4)
    assert log.completeness("completions", coverage_of(), stored()) == Completeness(Verdict.VERIFIED, NOW, 10)


def test_clear_removes_every_result(log: VerificationLog) -> None:
    record(log)
    log.clear()
    assert log.completeness("completions", coverage_of(), stored()) == Completeness()
