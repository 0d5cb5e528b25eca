"""Tests columns of numbers and their exact totals."""

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.domain.figures import NumberColumn

INT64 = st.integers(0, 2**63 - 1)


def _figures(values: list[int | None]) -> NumberColumn:
    missing = np.array([value is None for value in values], np.bool_)
    return NumberColumn(np.array([value or 0 for value in values], np.int64), missing if missing.any() else None)


@given(st.lists(st.none() | INT64, max_size=30))
def test_totals_are_exact_at_any_size(values: list[int | None]) -> None:
    present = [value for value in values if value is not None]
    assert _figures(values).total() == (sum(present) if present else None)
    assert _figures(values).listed() == values


def test_totals_of_negative_counts_are_exact() -> None:
    assert NumberColumn(np.array([-5, 3, -(2**62)], np.int64)).total() == -2 - 2**62


def test_totals_of_decimals_are_exact() -> None:
    values = np.array([Decimal("0.1"), Decimal("0.2"), Decimal("1E-20")], np.object_)
    assert NumberColumn(values).total() == Decimal("0.30000000000000000001")


def test_at_and_take_keep_missing_values() -> None:
    figures = _figures([1, None, 3])
    assert [figures.at(row) for row in range(3)] == [1, None, 3]
    assert figures.take(np.array([2, 1])).listed() == [3, None]
