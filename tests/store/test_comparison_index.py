"""Tests the index of compared buckets in memory and in the file."""

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.verification import Bucket, Difference
from usage_viewer.store.comparison_index import Comparison, ComparisonIndex

DAY = 86400
DAYS = np.arange(4, dtype=np.int64) * DAY


def comparison(starts: NDArray[np.int64], at: int = 9 * DAY, *, differing: tuple[int, ...] = ()) -> Comparison:
    """Return a comparison in which the days at `differing` (epoch seconds) differ."""
    buckets = [Bucket(start, BucketWidth.DAY) for start in differing]
    marks = {bucket: (Difference(bucket, "input_tokens", 1, 2),) for bucket in buckets}
    return Comparison("completions", BucketWidth.DAY, starts, np.full(len(starts), 8 * DAY), at, marks)


def test_widths_are_kept_apart() -> None:
    index = ComparisonIndex()
    index.add(comparison(DAYS, differing=(0, DAY)))
    index.forget("completions", BucketWidth.HOUR, DAYS)
    index.forget("images", BucketWidth.DAY, DAYS)
    assert index.of("completions", BucketWidth.DAY).at.starts.tolist() == DAYS.tolist()
    assert len(index.marks("completions")) == 2
    assert not len(index.of("completions", BucketWidth.HOUR).at.starts)


def test_forgotten_buckets_have_neither_time_nor_mark() -> None:
    index = ComparisonIndex()
    index.add(comparison(DAYS, differing=(0, DAY)))
    index.forget("completions", BucketWidth.DAY, DAYS[:1])
    compared = index.of("completions", BucketWidth.DAY)
    assert compared.at.starts.tolist() == compared.fetched.starts.tolist() == DAYS[1:].tolist()
    assert [bucket.start for bucket in index.marks("completions")] == [DAY]


def test_later_comparison_replaces_time_and_mark() -> None:
    index = ComparisonIndex()
    index.add(comparison(DAYS, differing=(0,)))
    index.add(comparison(DAYS[:2], 10 * DAY))
    assert index.of("completions", BucketWidth.DAY).at.fetched.tolist() == [10 * DAY] * 2 + [9 * DAY] * 2
    assert index.marks("completions") == {}


def test_limited_comparison_has_only_marks_of_its_buckets() -> None:
    limited = comparison(DAYS, differing=(0, DAY)).limited_to(DAYS >= DAY)
    assert limited.starts.tolist() == DAYS[1:].tolist()
    assert [bucket.start for bucket in limited.marks] == [DAY]
    assert len(limited.fetched) == 3
