"""Exact sums and derived figures."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.domain.catalog import DATASETS, Derived, Kind
from usage_viewer.domain.figures import Number, NumberColumn, derive, derive_one

INT64 = st.integers(0, 2**63 - 1)
TOTAL = Derived("t", "T", "", Kind.COUNT, ("a", "b"))
SHARE = Derived("s", "S", "", Kind.SHARE, ("a",), ("b",))


def _figures(values: list[int | None]) -> NumberColumn:
    missing = np.array([value is None for value in values], np.bool_)
    return NumberColumn(np.array([value or 0 for value in values], np.int64), missing if missing.any() else None)


@given(st.lists(st.none() | INT64, max_size=30))
def test_totals_are_exact_however_large(values: list[int | None]) -> None:
    known = [value for value in values if value is not None]
    assert _figures(values).total() == (sum(known) if known else None)
    assert _figures(values).listed() == values


def test_totals_of_negative_counts_are_exact_too() -> None:
    assert NumberColumn(np.array([-5, 3, -(2**62)], np.int64)).total() == -2 - 2**62


def test_decimals_add_to_the_last_digit() -> None:
    values = np.array([Decimal("0.1"), Decimal("0.2"), Decimal("1E-20")], np.object_)
    assert NumberColumn(values).total() == Decimal("0.30000000000000000001")


@given(st.lists(st.tuples(st.none() | INT64, st.none() | INT64), min_size=1, max_size=20))
def test_derived_figures_equal_the_oracles(rows: list[tuple[int | None, int | None]]) -> None:
    sums = {"a": _figures([row[0] for row in rows]), "b": _figures([row[1] for row in rows])}
    totals = derive(TOTAL, sums).listed()
    shares = derive(SHARE, sums).listed()
    for (a, b), total, share in zip(rows, totals, shares, strict=True):
        one: dict[str, Number | None] = {"a": a, "b": b}
        assert total == (None if a is None or b is None else a + b) == derive_one(TOTAL, one)
        if a is None or not b:
            assert share is None
            assert derive_one(SHARE, one) is None
        else:
            assert share == pytest.approx(a / b, rel=1e-12)
            assert derive_one(SHARE, one) == pytest.approx(a / b, rel=1e-12)


def test_at_and_take_keep_what_is_missing() -> None:
    figures = _figures([1, None, 3])
    assert [figures.at(row) for row in range(3)] == [1, None, 3]
    assert figures.take(np.array([2, 1])).listed() == [3, None]


@given(st.lists(st.tuples(st.none() | INT64, st.none() | INT64), min_size=1, max_size=20), st.data())
def test_a_screenful_of_a_derived_figure_is_that_of_all_rows(
    rows: list[tuple[int | None, int | None]], data: st.DataObject
) -> None:
    sums = {"a": _figures([row[0] for row in rows]), "b": _figures([row[1] for row in rows])}
    picked = data.draw(st.lists(st.integers(0, len(rows) - 1)))
    for derived in (TOTAL, SHARE):
        every = derive(derived, sums).listed()
        figures = derive(derived, sums)
        assert figures.take(np.array(picked, np.int64)).listed() == [every[row] for row in picked]
        assert figures.take(slice(0, 1)).listed() == every[:1]
        assert figures.at(len(rows) - 1) == every[-1]
        assert len(figures) == len(rows)


def test_sums_of_decimals_are_exact_in_the_callers_context() -> None:
    parts = {
        name: NumberColumn(np.array([Decimal(text)], np.object_)) for name, text in (("a", "1E20"), ("b", "1E-20"))
    }
    with localcontext(prec=60):
        figures = derive(TOTAL, parts)
    assert figures.listed() == [Decimal("100000000000000000000.00000000000000000001")]


def test_every_derived_figure_of_every_dataset_has_its_parts() -> None:
    for data in DATASETS.values():
        metrics = {metric.name for metric in data.metrics}
        for derived in data.derived:
            assert {*derived.numerator, *derived.denominator} <= metrics
        for identity in data.identities:
            assert {identity.whole, *identity.parts} <= metrics
