"""Tests what figures know: their needs, formula and computation."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.domain.catalog import DATASETS, Derived, Kind, Statistic
from usage_viewer.domain.figures import Number, NumberColumn

INT64 = st.integers(0, 2**63 - 1)
TOTAL = Derived("t", "T", "", Kind.COUNT, ("a", "b"))
SHARE = Derived("s", "S", "", Kind.SHARE, ("a",), ("b",))


def _figures(values: list[int | None]) -> NumberColumn:
    missing = np.array([value is None for value in values], np.bool_)
    return NumberColumn(np.array([value or 0 for value in values], np.int64), missing if missing.any() else None)


@given(st.lists(st.tuples(st.none() | INT64, st.none() | INT64), min_size=1, max_size=20))
def test_derived_figures_equal_python_arithmetic(rows: list[tuple[int | None, int | None]]) -> None:
    sums = {"a": _figures([row[0] for row in rows]), "b": _figures([row[1] for row in rows])}
    totals = TOTAL.compute(sums).listed()
    shares = SHARE.compute(sums).listed()
    for (a, b), total, share in zip(rows, totals, shares, strict=True):
        one: dict[str, Number | None] = {"a": a, "b": b}
        assert total == (None if a is None or b is None else a + b) == TOTAL.compute_one(one)
        if a is None or not b:
            assert share is None
            assert SHARE.compute_one(one) is None
        else:
            assert share == pytest.approx(a / b, rel=1e-12)
            assert SHARE.compute_one(one) == pytest.approx(a / b, rel=1e-12)


@given(st.lists(st.tuples(st.none() | INT64, st.none() | INT64), min_size=1, max_size=20), st.data())
def test_some_rows_of_a_derived_figure_equal_those_of_all_rows(
    rows: list[tuple[int | None, int | None]], data: st.DataObject
) -> None:
    sums = {"a": _figures([row[0] for row in rows]), "b": _figures([row[1] for row in rows])}
    picked = data.draw(st.lists(st.integers(0, len(rows) - 1)))
    for derived in (TOTAL, SHARE):
        every = derived.compute(sums).listed()
        figures = derived.compute(sums)
        assert figures.take(np.array(picked, np.int64)).listed() == [every[row] for row in picked]
        assert figures.take(slice(0, 1)).listed() == every[:1]
        assert figures.at(len(rows) - 1) == every[-1]
        assert len(figures) == len(rows)


def test_sums_of_decimals_use_the_callers_precision() -> None:
    parts = {
        name: NumberColumn(np.array([Decimal(text)], np.object_)) for name, text in (("a", "1E20"), ("b", "1E-20"))
    }
    with localcontext(prec=60):
        figures = TOTAL.compute(parts)
    assert figures.listed() == [Decimal("100000000000000000000.00000000000000000001")]


def test_parts_of_derived_figures_are_metrics() -> None:
    for data in DATASETS.values():
        metrics = {metric.name for metric in data.metrics}
        for derived in data.derived:
            assert set(derived.needs()) <= metrics
        for identity in data.identities:
            assert {identity.whole, *identity.parts} <= metrics


COMPLETIONS, STORES = DATASETS["completions"], DATASETS["vector_stores"]


@pytest.mark.parametrize(
    ("name", "needs", "formula"),
    [
        ("input_tokens", ("input_tokens",), ""),
        ("cached_share", ("input_cached_tokens", "input_tokens"), "Cached ÷ Input"),
        ("total_tokens", ("input_tokens", "output_tokens"), "Input + Output"),
        (
            "tokens_per_request",
            ("input_tokens", "output_tokens", "num_model_requests"),
            "(Input + Output) ÷ Requests",
        ),
    ],
)
def test_figures_know_their_needs_and_formula(name: str, needs: tuple[str, ...], formula: str) -> None:
    figure = COMPLETIONS.column(name)
    assert (figure.needs(), figure.formula(COMPLETIONS)) == (needs, formula)


def test_figures_know_whether_they_add_up_over_time() -> None:
    names = ("input_tokens", "total_tokens", "cached_share")
    assert [COMPLETIONS.column(name).sums_over_time for name in names] == [True, True, False]
    assert not any(figure.sums_over_time for figure in STORES.columns)


def test_figures_over_time_need_the_level_and_know_their_statistic() -> None:
    assert [figure.needs() for figure in STORES.over_time] == [("usage_bytes",)] * 2
    assert [figure.statistic for figure in STORES.columns] == [None, Statistic.MEAN, Statistic.PEAK]
    assert [figure.measured for figure in STORES.columns] == ["usage_bytes"] * 3


def test_stored_figures_are_their_own_sums() -> None:
    bytes_, mean = _figures([1, None]), _figures([3, 4])
    sums = {"usage_bytes": bytes_, "usage_bytes_mean": mean}
    assert STORES.column("usage_bytes").compute(sums) is bytes_
    assert STORES.column("usage_bytes_mean").compute(sums) is mean
    assert STORES.column("usage_bytes_mean").compute_one({"usage_bytes_mean": 2.5}) == 2.5
