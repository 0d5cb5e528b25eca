"""Tests splitting and summing of rows."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_viewer.demo.world.draw import RandomStream
from usage_viewer.demo.world.rows import UsageRows, concat_rows, split_hours, sum_rows

HOUR = 3600


def _rows(requests: list[int], tokens: list[int]) -> UsageRows:
    count = len(requests)
    return UsageRows(
        np.arange(count, dtype=np.int64) // 3 * HOUR,
        (np.arange(count) % 3).astype(np.int32),
        {"requests": np.array(requests, np.int64), "tokens": np.array(tokens, np.int64)},
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 2_000_000), st.integers(0, 4_000_000_000)),
        min_size=1,
        max_size=12,
    )
)
def test_minutes_sum_exactly_to_their_hour(pairs: list[tuple[int, int]]) -> None:
    rows = _rows([requests for requests, _ in pairs], [tokens for _, tokens in pairs])
    minutes = split_hours(rows, "requests", RandomStream(1, "x"))
    assert bool(np.all(minutes.at % 60 == 0))
    assert bool(np.all(minutes.metrics["requests"] > 0))
    assert bool(np.all(minutes.metrics["tokens"] >= 0))
    hours = sum_rows(minutes, minutes.at // HOUR, minutes.combination.astype(np.int64), 3)
    for name, values in rows.metrics.items():
        assert hours.metrics[name].tolist() == values.tolist()


def test_busy_hour_has_uneven_minutes() -> None:
    minutes = split_hours(_rows([60_000], [1_000_000]), "requests", RandomStream(1, "x"))
    assert len(minutes) == 60
    assert minutes.metrics["requests"].max() > 2 * np.median(minutes.metrics["requests"])


def test_rows_of_the_same_bucket_and_group_are_summed() -> None:
    rows = concat_rows([_rows([1, 2, 3], [10, 20, 30]), _rows([4, 5, 6], [40, 50, 60])])
    groups = np.array([0, 1, 0, 0, 1, 0], np.int64)
    total = sum_rows(rows, np.array([1, 0, 1, 1, 0, 0], np.int64), groups, 2)
    assert total.at.tolist() == [0, 0, 1]
    assert total.combination.tolist() == [0, 1, 0]
    assert total.metrics["requests"].tolist() == [6, 7, 8]
    assert total.metrics["tokens"].tolist() == [60, 70, 80]
