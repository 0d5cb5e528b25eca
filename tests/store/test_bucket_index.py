"""Tests the index of stored buckets and their fetch times."""

import numpy as np

from usage_viewer.domain.batch import Batch
from usage_viewer.domain.period import BucketWidth
from usage_viewer.store.bucket_index import BucketIndex


def buckets(
    dataset: str, *days: int, width: BucketWidth = BucketWidth.DAY, grouped: tuple[str, ...] = (), rows: int = 0
) -> Batch:
    """Return buckets that start on these days, of which the last one has `rows` rows."""
    starts = np.array(days, np.int64) * 86400
    bucket = np.full(rows, starts[-1])
    return Batch(dataset, width, starts, grouped, [()], bucket, np.zeros(rows, np.int32), {})


def test_later_fetches_replace_earlier_ones() -> None:
    index = BucketIndex()
    index.add(buckets("completions", 1, 2, 3, rows=7), 100)
    before = index.of("completions")
    index.add(buckets("completions", 0, 2, rows=5), 200)
    stored = index.of("completions")[BucketWidth.DAY]
    assert (stored.starts // 86400).tolist() == [0, 1, 2, 3]
    assert stored.fetched.tolist() == [200, 100, 200, 100]
    assert index.fact_counts("completions")[BucketWidth.DAY].facts.tolist() == [0, 0, 5, 7]
    assert before[BucketWidth.DAY].fetched.tolist() == [100, 100, 100], "a record that a reader has must not change"


def test_datasets_and_widths_are_separate() -> None:
    index = BucketIndex()
    index.add(buckets("completions", 0), 100)
    index.add(buckets("completions", 0, width=BucketWidth.HOUR), 100)
    assert set(index.of("completions")) == {BucketWidth.DAY, BucketWidth.HOUR}
    assert index.of("costs") == {}


def test_buckets_are_split_by_grain_the_finest_first() -> None:
    index = BucketIndex()
    index.add(buckets("costs", 0, 1, 2, grouped=("project_id", "line_item")), 100)
    index.add(buckets("costs@user_id", 1, grouped=("user_id",)), 300)
    index.add(buckets("costs", 2, 3, grouped=("project_id", "line_item", "api_key_id")), 200)
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
