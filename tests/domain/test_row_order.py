"""Tests orders against Python's own stable sort."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.domain.row_order import natural, sort_by, stable_order

SMALL = st.integers(-3, 3)
LARGE = st.sampled_from([-(2**62), -1, 0, 1, 2**40, 2**62])


@given(st.lists(SMALL | LARGE, max_size=60))
def test_equal_keys_keep_their_order(values: list[int]) -> None:
    expected = sorted(range(len(values)), key=values.__getitem__)
    assert stable_order(np.array(values, np.int64)).tolist() == expected


@given(st.lists(st.sampled_from([0.0, -1.5, 1e300, 2.25]), max_size=40))
def test_equal_quotients_keep_their_order(values: list[float]) -> None:
    expected = sorted(range(len(values)), key=values.__getitem__)
    assert stable_order(np.array(values, np.float64)).tolist() == expected


@given(st.lists(st.booleans(), max_size=40))
def test_equal_booleans_keep_their_order(values: list[bool]) -> None:
    expected = sorted(range(len(values)), key=values.__getitem__)
    assert stable_order(np.array(values, np.bool_)).tolist() == expected


@given(st.lists(st.tuples(SMALL, LARGE, SMALL), max_size=60))
def test_order_by_several_keys(rows: list[tuple[int, int, int]]) -> None:
    keys = [np.array([row[place] for row in rows], np.int64) for place in range(3)]
    expected = sorted(range(len(rows)), key=rows.__getitem__)
    order = natural(keys)
    assert (list(range(len(rows))) if order is None else order.tolist()) == expected
    order = None
    for key in reversed(keys):
        order = sort_by(order, key)
    assert order is not None
    assert order.tolist() == expected


def test_ordered_rows_need_no_permutation() -> None:
    assert natural([np.array([1, 1, 2]), np.array([0, 5, 0])]) is None
    assert natural([]) is None


def test_keys_wider_than_63_bits_are_sorted_one_by_one() -> None:
    wide = np.array([2**62, 0, -(2**62)], np.int64)
    order = natural([np.array([1, 1, 0]), wide, wide])
    assert order is not None
    assert order.tolist() == [2, 1, 0]


@given(st.integers(1, 300), st.integers(0, 5000), st.booleans(), st.integers(0, 2**32))
def test_rows_in_period_order_are_sorted_in_runs_of_periods(
    groups: int, first: int, sparse: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    period = first + np.sort(random.integers(0, 50_000 if sparse else 300, 3000))
    group = random.integers(0, groups, 3000)
    order = natural([period, group])
    expected = np.lexsort((group, period))
    assert order is None or np.array_equal(order, expected)
    assert order is not None or np.array_equal(expected, np.arange(3000))


def test_descending_order() -> None:
    key = np.array([-(2**63), 2**63 - 1, 0, 0, -1], np.int64)
    assert sort_by(None, key, descending=True).tolist() == [1, 2, 3, 4, 0]
    assert sort_by(np.array([3, 2, 4, 1, 0]), key, descending=True).tolist() == [1, 3, 2, 4, 0]
