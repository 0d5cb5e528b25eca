"""Tests that sums over small integers equal those of a dict, by every method of adding."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.domain.figures import NumberColumn
from usage_viewer.query.aggregate import (
    BLOCK_CELLS,
    SPARSE_RATIO,
    UNORDERED_CELLS,
    FactRows,
    aggregate,
    concat_rows,
    normalize_decimal,
)

Row = tuple[int, int, int | None]


def rows_of(listed: Sequence[Row], kind: type[Any] = np.int64) -> FactRows:
    missing = np.array([value is None for *_, value in listed], np.bool_)
    values = np.array([0 if value is None else value for *_, value in listed], kind)
    return FactRows(
        np.array([period for period, *_ in listed], np.int32),
        np.array([cell for _, cell, _ in listed], np.int32),
        {"m": NumberColumn(values, missing if missing.any() else None)},
    )


def dict_sums(listed: Sequence[Row]) -> list[Row]:
    sums: dict[tuple[int, int], int | None] = {}
    for period, cell, value in listed:
        before = sums.get((period, cell))
        sums[period, cell] = before if value is None else value + (before or 0)
    return [(period, cell, value) for (period, cell), value in sorted(sums.items())]


def listed_of(rows: FactRows) -> list[Any]:
    return list(zip(rows.period.tolist(), rows.cell.tolist(), rows.metrics["m"].listed(), strict=True))


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5), st.integers(0, 3), st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9)
        ),
        max_size=40,
    )
)
def test_equals_a_dict(listed: list[Row]) -> None:
    assert listed_of(aggregate(rows_of(listed), 6, 4)) == dict_sums(listed)
    assert listed_of(aggregate(rows_of(listed, np.object_), 6, 4)) == dict_sums(listed)


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize(
    ("periods", "cells"),
    [
        (20, 100),  # one block
        (4000, 100),  # many blocks, or rows in any order
        (60_000, 100),  # many blocks, after sorting
        (3, BLOCK_CELLS + 1),  # one block for each period
        (400_000, 300),  # sparse
    ],
)
def test_equals_a_dict_at_any_size(periods: int, cells: int, ordered: bool) -> None:
    random = Random(periods + cells)
    listed: list[Row] = [
        (random.randrange(periods), random.randrange(cells), random.choice([None, random.randrange(2**60), 7]))
        for _ in range(3000)
    ]
    listed += listed[:500]
    if ordered:
        listed.sort(key=lambda row: row[0])
    assert listed_of(aggregate(rows_of(listed), periods, cells)) == dict_sums(listed)


def test_sizes_above_use_different_methods() -> None:
    assert 20 * 100 <= BLOCK_CELLS < 4000 * 100 <= UNORDERED_CELLS < 60_000 * 100
    assert SPARSE_RATIO * 3500 + UNORDERED_CELLS < 400_000 * 300


def test_large_sums_are_exact_and_small_ones_int64() -> None:
    large = aggregate(rows_of([(0, 0, 2**63 - 1), (0, 0, 2**63 - 1)]), 1, 1).metrics["m"]
    within = aggregate(rows_of([(0, 0, 2**63 - 1), (0, 0, -5), (0, 0, -(2**40))]), 1, 1).metrics["m"]
    assert large.listed() == [2**64 - 2]
    assert large.values.dtype == np.object_
    assert within.listed() == [2**63 - 6 - 2**40]
    assert within.values.dtype == np.int64


def test_decimal_sums_keep_all_digits() -> None:
    values = [Decimal("99999999999999.000000000000000000000001"), Decimal("99999999999999.9")]
    rows = FactRows(np.zeros(2, np.int32), np.zeros(2, np.int32), {"m": NumberColumn(np.array(values, np.object_))})
    assert aggregate(rows, 1, 1).metrics["m"].listed() == [Decimal("199999999999998.900000000000000000000001")]


def test_concat_rows_keeps_the_order_of_parts() -> None:
    first, second = rows_of([(0, 1, 5), (2, 1, 6)]), rows_of([(1, 0, None)])
    assert listed_of(concat_rows([first, second])) == [(0, 1, 5), (2, 1, 6), (1, 0, None)]
    assert listed_of(concat_rows([first, second]).in_period_order()) == [(0, 1, 5), (1, 0, None), (2, 1, 6)]


@pytest.mark.parametrize(
    ("text", "normalized"),
    [("0.0600", "0.06"), ("100", "100"), ("1E+3", "1000"), ("0.000", "0"), ("-5.10", "-5.1")],
)
def test_normalize_decimal(text: str, normalized: str) -> None:
    assert str(normalize_decimal(Decimal(text))) == normalized
