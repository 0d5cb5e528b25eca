"""Tests the cells of columns."""

from datetime import UTC
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.app.export.cells import (
    full_numbers,
    moment_cells,
    number_cells,
    plain_numbers,
    rounded,
    text_cells,
    with_decimal_point,
)
from usage_viewer.domain.figures import NumberColumn

ALL = np.arange(3, dtype=np.int64)
FINITE = st.floats(-1e300, 1e300)


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_counts_are_exact(counts: list[int]) -> None:
    assert plain_numbers(np.array(counts, np.int64)) == [str(count) for count in counts]


@given(st.lists(st.integers() | st.decimals(allow_nan=False, allow_infinity=False, max_value=10**40)))
def test_large_counts_and_decimals_are_exact_and_have_no_exponent(numbers: list[int | Decimal]) -> None:
    values = np.empty(len(numbers), object)
    values[:] = numbers
    for text, number in zip(plain_numbers(values), numbers, strict=True):
        assert Decimal(text) == number
        assert "E" not in text


@given(st.lists(FINITE))
def test_full_quotients_are_read_back_as_the_same_float(quotients: list[float]) -> None:
    assert [float(text) for text in full_numbers(np.array(quotients, np.float64))] == quotients


@given(st.lists(FINITE))
def test_rounded_quotients_are_close_and_have_no_exponent(quotients: list[float]) -> None:
    for text, quotient in zip(rounded(np.array(quotients, np.float64)), quotients, strict=True):
        assert set(text) <= set("-.0123456789")
        assert not text.endswith(".")
        assert not ("." in text and text.endswith("0"))
        assert float(text) == pytest.approx(quotient, rel=1e-5, abs=0)


@pytest.mark.parametrize(
    ("quotient", "text"),
    [
        (0.4941, "0.4941"),
        (1 / 3, "0.333333"),
        (0.049412345, "0.0494123"),
        (12345.6789012, "12345.678901"),
        (10.0, "10"),
        (0.0, "0"),
        (-0.0, "0"),
        (-2.5, "-2.5"),
        (1.23456789e-7, "0.000000123457"),
        (123456789012.3456, "123456789012.346"),
        (1e20, "100000000000000000000"),
    ],
)
def test_rounded_quotients(quotient: float, text: str) -> None:
    assert rounded(np.array([quotient])) == [text]


def test_decimal_point_of_the_locale() -> None:
    numbers = with_decimal_point(",", plain_numbers)
    assert numbers(np.array([0.5, -1.25])) == ["0,5", "-1,25"]
    assert numbers(np.array([Decimal("1.10"), 2**70], object)) == ["1,10", str(2**70)]
    assert numbers(np.array([1000])) == ["1000"]


def test_missing_values_are_never_written() -> None:
    values = np.array([Decimal("1.5"), None, "nonsense"], object)
    figures = NumberColumn(values, np.array([False, True, True]))
    assert number_cells(figures, plain_numbers, "–")(ALL) == ["1.5", "–", "–"]
    assert values[1] is None


def test_cells_follow_the_rows() -> None:
    figures = NumberColumn(np.array([10, 20, 30]), np.array([False, True, False]))
    assert number_cells(figures, plain_numbers, "")(ALL[::-1]) == ["30", "", "10"]
    assert text_cells(np.array([1, 0, 1], np.int32), ["a", "b"])(ALL[::-1]) == ["b", "a", "b"]
    assert text_cells(np.array([], np.int32), [])(ALL[:0]) == []


def test_moments_have_the_offset_of_the_zone() -> None:
    day = 1_790_000_000 // 86400 * 86400
    codes = np.array([1, 0, 1], np.int32)
    assert moment_cells(codes, np.array([day, day + 86400]), UTC)(ALL) == [
        '"2026-09-22T00:00:00Z"',
        '"2026-09-21T00:00:00Z"',
        '"2026-09-22T00:00:00Z"',
    ]
    berlin = ZoneInfo("Europe/Berlin")
    local = moment_cells(codes, np.array([day - 7200, day + 79200]), berlin)
    assert local(ALL) == [
        '"2026-09-22T00:00:00+02:00"',
        '"2026-09-21T00:00:00+02:00"',
        '"2026-09-22T00:00:00+02:00"',
    ]
