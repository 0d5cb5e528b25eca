"""Tests that every way to read a sparse column gives the numbers that its rows have."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from usage_viewer.domain.figures import LazyColumn, NumberColumn
from usage_viewer.domain.sparse_column import SparseColumn

SOURCES = {
    "counts": NumberColumn(np.array([5, -7, 2**40, 9]), np.array([False, False, False, True])),
    "decimals": NumberColumn(np.array([Decimal("1.5"), Decimal(-2), Decimal(3), Decimal(4)])),
    "computed": LazyColumn(
        lambda sums: NumberColumn(sums["a"].values / 2), {"a": NumberColumn(np.array([1, 2, 3, 4]))}
    ),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("rows", [[], [0], [1, 2, 5], [0, 3, 4, 6]])
def test_numbers_are_those_of_the_rows(source: NumberColumn, rows: list[int]) -> None:
    places = np.arange(len(rows), dtype=np.int64)[::-1]
    column = SparseColumn(7, np.array(rows, np.int64), source, places)
    expected: list[Any] = [None] * 7
    for row, place in zip(rows, places.tolist(), strict=True):
        expected[row] = source.at(place)
    assert len(column) == 7
    assert column.listed() == expected
    assert [column.at(row) for row in range(7)] == expected
    assert column.take(np.array([6, 0, 5, 5], np.int64)).listed() == [expected[row] for row in (6, 0, 5, 5)]
    assert column.take(slice(1, 6, 2)).listed() == expected[1:6:2]
    present = [number for number in expected if number is not None]
    assert column.present().tolist() == present
    assert column.total() == (sum(present) if present else None)


def test_largest_is_that_of_the_rows() -> None:
    column = SparseColumn(9, np.array([2, 4]), SOURCES["counts"], np.array([1, 0]))
    assert column.largest == 7
