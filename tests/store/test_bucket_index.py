"""Which buckets are held, and since when."""

import numpy as np

from usage_viewer.domain.period import BucketWidth
from usage_viewer.store.bucket_index import BucketIndex


def test_later_fetches_replace_earlier_ones() -> None:
    holdings = BucketIndex()
    holdings.add("completions", BucketWidth.DAY, np.array([3, 1, 2]) * 86400, 100)
    before = holdings.of("completions")
    holdings.add("completions", BucketWidth.DAY, np.array([0, 2]) * 86400, 200)
    held = holdings.of("completions")[BucketWidth.DAY]
    assert (held.starts // 86400).tolist() == [0, 1, 2, 3]
    assert held.fetched.tolist() == [200, 100, 200, 100]
    assert before[BucketWidth.DAY].fetched.tolist() == [100, 100, 100], "what a reader has must not change"


def test_datasets_and_widths_are_apart() -> None:
    holdings = BucketIndex()
    holdings.add("completions", BucketWidth.DAY, np.array([0]), 100)
    holdings.add("completions", BucketWidth.HOUR, np.array([0]), 100)
    assert set(holdings.of("completions")) == {BucketWidth.DAY, BucketWidth.HOUR}
    assert holdings.of("costs") == {}


def test_repeats_are_expected_from_then_on() -> None:
    holdings = BucketIndex()
    assert not holdings.repeats("completions")
    holdings.expect_repeats("completions")
    assert (holdings.repeats("completions"), holdings.repeats("costs")) == (True, False)
