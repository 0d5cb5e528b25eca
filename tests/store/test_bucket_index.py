"""Tests the index of stored buckets and their fetch times."""

import numpy as np

from usage_viewer.domain.period import BucketWidth
from usage_viewer.store.bucket_index import BucketIndex


def test_later_fetches_replace_earlier_ones() -> None:
    index = BucketIndex()
    index.add("completions", BucketWidth.DAY, np.array([3, 1, 2]) * 86400, 100, ())
    before = index.of("completions")
    index.add("completions", BucketWidth.DAY, np.array([0, 2]) * 86400, 200, ())
    stored = index.of("completions")[BucketWidth.DAY]
    assert (stored.starts // 86400).tolist() == [0, 1, 2, 3]
    assert stored.fetched.tolist() == [200, 100, 200, 100]
    assert before[BucketWidth.DAY].fetched.tolist() == [100, 100, 100], "a record that a reader has must not change"


def test_datasets_and_widths_are_separate() -> None:
    index = BucketIndex()
    index.add("completions", BucketWidth.DAY, np.array([0]), 100, ())
    index.add("completions", BucketWidth.HOUR, np.array([0]), 100, ())
    assert set(index.of("completions")) == {BucketWidth.DAY, BucketWidth.HOUR}
    assert index.of("costs") == {}


def test_buckets_are_split_by_grain_the_finest_first() -> None:
    index = BucketIndex()
    index.add("costs", BucketWidth.DAY, np.array([0, 1, 2]) * 86400, 100, ("project_id", "line_item"))
    index.add("costs@user_id", BucketWidth.DAY, np.array([1]) * 86400, 300, ("user_id",))
    index.add("costs", BucketWidth.DAY, np.array([2, 3]) * 86400, 200, ("project_id", "line_item", "api_key_id"))
    grains = index.grains("costs")
    assert [(item.stored_as, len(item.grain)) for item in grains] == [
        ("costs", 3),
        ("costs", 2),
        ("costs@user_id", 1),
    ]
    starts = [(item.held[BucketWidth.DAY].starts // 86400).tolist() for item in grains]
    assert starts == [[2, 3], [0, 1], [1]]
    assert index.grains("completions") == ()


def test_expected_repeats_are_reported() -> None:
    index = BucketIndex()
    assert not index.repeats("completions")
    index.expect_repeats("completions")
    assert (index.repeats("completions"), index.repeats("costs")) == (True, False)
