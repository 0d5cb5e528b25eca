"""Tests the statistics of ranges of rows against plain Python."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage_viewer.domain.catalog import DATASETS, Kind
from usage_viewer.domain.selection_stats import SelectionStats, selection_stats
from usage_viewer.domain.table import Table

COMPLETIONS = DATASETS["completions"]
TableOf = Callable[..., Table]


def _all(table: Table, column: str, dataset: str = "completions") -> SelectionStats:
    rows = np.arange(table.rows)
    return selection_stats(table, rows, [(0, table.rows - 1)], column, DATASETS[dataset])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.none() | st.integers(-(2**62), 2**62), min_size=1, max_size=30),
    seed=st.integers(0, 2**32 - 1),
    picked=st.sets(st.integers(0, 29)),
)
def test_statistics_of_any_ranges_in_any_order(
    table_of: TableOf, values: list[int | None], seed: int, picked: set[int]
) -> None:
    table = table_of(model=["m"] * len(values), input_tokens=values)
    rows = np.random.default_rng(seed).permutation(len(values)).astype(np.int64)
    ranges = [(place, place) for place in sorted(picked) if place < len(values)]
    stats = selection_stats(table, rows, ranges, "input_tokens", COMPLETIONS)
    chosen = [values[rows[place]] for place, _ in ranges]
    present = [value for value in chosen if value is not None]
    assert (stats.rows, stats.count) == (len(chosen), len(present))
    if present:
        assert (stats.total, stats.minimum, stats.maximum) == (sum(present), min(present), max(present))
        assert stats.average is not None
        assert abs(Fraction(stats.average) - Fraction(sum(present), len(present))) < Fraction(1, 10**12)
    else:
        assert (stats.total, stats.average, stats.minimum, stats.maximum) == (None, None, None, None)


def test_sums_are_exact_beyond_doubles_and_64_bits(table_of: TableOf) -> None:
    stats = _all(table_of(model=["a", "b"], input_tokens=[2**53 + 1, 2**53 + 2]), "input_tokens")
    assert stats.total == 2**54 + 3
    stats = _all(table_of(model=["a", "b"], input_tokens=[2**63 - 1, 2**63 - 1]), "input_tokens")
    assert stats.total == 2**64 - 2
    assert stats.average == 2**63 - 1
    assert isinstance(stats.average, int)
    stats = _all(table_of(model=["a", "b"], input_tokens=[2**70, 1]), "input_tokens")
    assert (stats.total, stats.minimum, stats.maximum) == (2**70 + 1, 1, 2**70)


def test_statistics_of_money_are_decimal(table_of: TableOf) -> None:
    values = [Decimal("0.1"), Decimal("0.2"), Decimal("0.000000000000000001")]
    stats = _all(table_of("costs", line_item=["a", "b", "c"], amount=values), "amount", "costs")
    assert stats.total == Decimal("0.300000000000000001")
    assert isinstance(stats.average, Decimal)
    assert str(stats.average).startswith("0.100000000000000000333333333")
    assert (stats.kind, stats.unit) == (Kind.DECIMAL, "money")


def test_share_has_no_sum_and_its_average_is_the_quotient_of_sums(models: Table) -> None:
    rows = np.arange(4)
    stats = selection_stats(models, rows, [(0, 0), (2, 3)], "cached_share", COMPLETIONS)
    assert stats.total is None
    assert stats.average == 1500 / 9000  # not the mean of 0.25, 0.25 and 0
    assert (stats.minimum, stats.maximum) == (0.0, 0.25)


def test_share_without_its_parts_has_no_average(models: Table) -> None:
    alone = Table((models.by_name["model"], models.by_name["cached_share"]), models.rows)
    stats = _all(alone, "cached_share")
    assert (stats.average, stats.maximum, stats.count) == (None, 0.25, 3)


def test_level_is_not_summed_over_periods(table_of: TableOf) -> None:
    table = table_of("vector_stores", period=[0, 0, 1], project_id=["a", "b", "a"], usage_bytes=[5, 6, 7])
    data, rows = DATASETS["vector_stores"], np.arange(3)
    assert selection_stats(table, rows, [(0, 1)], "usage_bytes", data).total == 11
    assert selection_stats(table, rows, [(0, 2)], "usage_bytes", data).total is None


def test_peak_is_not_summed_over_periods(table_of: TableOf) -> None:
    table = table_of("vector_stores", period=[0, 1], project_id=["a", "a"], usage_bytes_peak=[5, 7])
    stats = _all(table, "usage_bytes_peak", "vector_stores")
    assert (stats.total, stats.maximum) == (None, 7)


def test_group_column_selects_the_first_figure(models: Table) -> None:
    stats = _all(models, "model")
    assert (stats.column_label, stats.total) == ("Requests", 10)


def test_no_selection_and_no_figures(models: Table, table_of: TableOf) -> None:
    assert selection_stats(models, np.arange(4), [], "input_tokens", COMPLETIONS) == SelectionStats()
    assert _all(table_of(model=["a", "b"]), "model") == SelectionStats(rows=2)


def test_different_units_have_no_statistics(table_of: TableOf) -> None:
    table = table_of(
        "costs", currency=["usd", "eur", "usd", "eur"], amount=[Decimal(1), Decimal(2), Decimal(4), None]
    )
    *heads, _ = table.columns
    amount = table.figure("amount")
    mixed = Table((*heads, replace(amount, total=None, unit_from="currency")), table.rows)
    every = _all(mixed, "amount", "costs")
    assert (every.rows, every.count) == (4, 3)
    assert (every.total, every.average, every.minimum, every.maximum) == (None, None, None, None)
    rows = np.array([0, 2, 3, 1])
    dollars = selection_stats(mixed, rows, [(0, 1)], "amount", DATASETS["costs"])
    assert (dollars.total, dollars.maximum) == (Decimal(5), Decimal(4))
    # A row without the figure has no unit.
    assert selection_stats(mixed, rows, [(0, 2)], "amount", DATASETS["costs"]).total == Decimal(5)
    assert selection_stats(mixed, rows, [(0, 3)], "amount", DATASETS["costs"]).total is None
