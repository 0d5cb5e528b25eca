"""Tests that the bars of a chart are the exact sums of the table's columns."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import Granularity, Span, periods
from usage_viewer.domain.table import FigureColumn, GroupColumn, PeriodColumn, Table
from usage_viewer.domain.view_parts import NOT_AVAILABLE
from usage_viewer.query.chart_buckets import ChartBuckets
from usage_viewer.query.chart_series import (
    MIXED_UNITS,
    MOST_GROUPS,
    ChartSeries,
    GroupKind,
    is_stackable,
    line,
    stack,
)

SPAN = Span(1_790_812_800, 1_790_812_800 + 70 * 86400)
"""70 days from 2026-10-01 UTC."""
DAYS = periods(SPAN, Granularity.DAY, UTC)
COMPLETIONS = DATASETS["completions"]
Row = tuple[int, int, Any]


def column(name: str, values: Sequence[Any], *, unit_from: str = "", dataset: str = "completions") -> FigureColumn:
    missing = np.array([value is None for value in values], np.bool_)
    filled = [0 if value is None else value for value in values]
    fits = all(isinstance(value, int) and abs(value) < 2**63 for value in filled)
    array = np.empty(len(filled), np.int64 if fits else np.object_)
    array[:] = filled
    figures = NumberColumn(array, missing if missing.any() else None)
    built = FigureColumn.build(DATASETS[dataset].column(name), figures, figures.total())
    return FigureColumn.build(DATASETS[dataset].column(name), figures, built.total, measure="", unit_from=unit_from)


def table_of(rows: Sequence[Row], name: str = "input_tokens", dataset: str = "completions") -> Table:
    """Return a table of days and models from (day, model, figure)."""
    used = sorted({model for _, model, _ in rows})
    models = tuple(NOT_AVAILABLE if model < 0 else f"m{model}" for model in used)
    dimension = DATASETS[dataset].dimensions[0]
    group = np.array([used.index(model) for _, model, _ in rows], np.int32)
    labels = tuple("(not available)" if model == NOT_AVAILABLE else model for model in models)
    return Table(
        (
            PeriodColumn(np.array([day for day, *_ in rows], np.int32), DAYS),
            GroupColumn(dimension, group, models, labels),
            column(name, [figure for *_, figure in rows], dataset=dataset),
        ),
        len(rows),
    )


def buckets(coarse: Granularity = Granularity.DAY) -> ChartBuckets:
    chosen = periods(SPAN, coarse, UTC)
    size = len(chosen)
    coarse_of = np.searchsorted(chosen.bounds, DAYS.bounds[:-1], side="right") - 1
    return ChartBuckets(chosen, np.zeros(size, np.int8), np.zeros(size, np.bool_), coarse_of)


def total(numbers: Sequence[Any]) -> Any:
    given = [number for number in numbers if number is not None]
    with localcontext(prec=200):
        return sum(given) if given else None


NUMBERS = (
    st.none()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.integers(-9, 9)
    | st.decimals("-1e12", "1e12", allow_nan=False, allow_infinity=False, places=9)
    | st.integers(10**25, 10**26)
)
ROWS = st.lists(
    st.tuples(st.integers(0, 69), st.integers(-1, 14), NUMBERS),
    min_size=1,
    max_size=60,
    unique_by=lambda row: row[:2],
)


def check_sums(rows: Sequence[Row], coarse: Granularity) -> None:
    """Compare the series with sums in plain Python."""
    series = stack(table_of(rows), COMPLETIONS.column("input_tokens"), buckets(coarse))
    place_of = buckets(coarse).coarse_of
    by_bucket: dict[int, list[Any]] = defaultdict(list)
    by_model: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for day, model, figure in rows:
        by_bucket[int(place_of[day])].append(figure)
        by_model["(not available)" if model < 0 else f"m{model}", int(place_of[day])].append(figure)
    size = len(series.totals)
    assert series.totals == tuple(total(by_bucket[bucket]) for bucket in range(size))
    assert sum(len(rows) for rows in series.values) == size * len(series.groups)
    for bucket in range(size):
        assert total([numbers[bucket] for numbers in series.values]) == total(by_bucket[bucket])
    named = [group for group in series.groups if group.kind in (GroupKind.GROUP, GroupKind.UNAVAILABLE)]
    assert len(named) <= MOST_GROUPS
    for group, numbers in zip(series.groups, series.values, strict=True):
        own = {group.label} if group in named else {model for model, _ in by_model} - {one.label for one in named}
        for bucket in range(size):
            figures = [figure for model in own for figure in by_model.get((model, bucket), [])]
            assert numbers[bucket] == total(figures)


@settings(deadline=None, max_examples=60)
@given(ROWS, st.sampled_from([Granularity.DAY, Granularity.WEEK, Granularity.MONTH]))
def test_bars_add_up_to_the_table_and_others_are_the_exact_rest(rows: list[Row], coarse: Granularity) -> None:
    check_sums(rows, coarse)


@pytest.mark.fuzz
@settings(deadline=None, max_examples=4000)
@given(ROWS, st.sampled_from([Granularity.DAY, Granularity.WEEK, Granularity.MONTH]))
def test_thousands_of_charts_add_up_to_their_tables(rows: list[Row], coarse: Granularity) -> None:
    check_sums(rows, coarse)


def test_largest_groups_are_kept_by_magnitude() -> None:
    rows: list[Row] = [(0, model, model * 10) for model in range(1, 13)]
    rows.append((1, 13, -10_000))  # a credit weighs as much as a charge
    series = stack(table_of(rows), COMPLETIONS.column("input_tokens"), buckets())
    assert [group.label for group in series.groups][:2] == ["m13", "m12"]
    assert [group.kind for group in series.groups].count(GroupKind.GROUP) == MOST_GROUPS
    assert series.groups[-1].label == "Others (5)"
    assert series.values[-1][0] == 10 + 20 + 30 + 40 + 50


def test_groups_without_a_row_are_not_counted() -> None:
    """The groups of a table are numbered over all periods that were read, and some may have no row here."""
    table = table_of([(0, model, 1 + model) for model in range(12)])
    days, models, figures = table.columns
    assert isinstance(models, GroupColumn)
    known = np.zeros(3 * len(models.known), np.int32)
    known[2::3] = models.known
    numbered = replace(models, known=known, group=3 * models.known + 2)
    series = stack(replace(table, columns=(days, numbered, figures)), COMPLETIONS.column("input_tokens"), buckets())
    assert [group.label for group in series.groups] == [*(f"m{model}" for model in range(11, 3, -1)), "Others (4)"]
    assert series.values[-1][0] == 1 + 2 + 3 + 4


def test_not_available_is_never_part_of_others() -> None:
    rows: list[Row] = [(0, model, 1 + model) for model in range(12)] + [(1, -1, 1)]
    series = stack(table_of(rows), COMPLETIONS.column("input_tokens"), buckets())
    assert series.groups[-1].kind is GroupKind.UNAVAILABLE
    assert series.values[-1][1] == 1
    assert series.groups[-2].kind is GroupKind.OTHERS


def test_level_of_a_longer_bucket_is_that_of_its_last_day() -> None:
    figure = DATASETS["vector_stores"].column("usage_bytes")
    rows: list[Row] = [(0, 1, 5), (0, 2, 7), (3, 1, 100), (3, 2, None), (40, 1, 9)]
    series = stack(table_of(rows, "usage_bytes", "vector_stores"), figure, buckets(Granularity.MONTH))
    assert series.totals == (100, 9, None)


def test_quotient_is_computed_from_the_sums_of_each_bucket() -> None:
    rows: list[Row] = [(0, 1, 100), (0, 2, 300), (1, 1, 0), (2, 1, 10)]
    table = table_of(rows)
    parts = [column("input_cached_tokens", [50, 30, 0, None])]
    wider = Table((*table.columns, *parts), table.rows)
    figure = COMPLETIONS.column("cached_share")
    assert not is_stackable(figure)
    series: ChartSeries = line(wider, figure, COMPLETIONS, buckets())
    assert series.totals[:4] == (0.2, None, None, None)
    assert not series.is_stacked
    assert [group.kind for group in series.groups] == [GroupKind.TOTAL]


def test_different_units_are_not_added() -> None:
    table = table_of([(0, 1, 5)])
    mixed = Table((*table.heads, column("input_tokens", [5], unit_from="currency")), 1)
    series = stack(mixed, COMPLETIONS.column("input_tokens"), buckets())
    assert series.problem == MIXED_UNITS
    assert series.groups == ()


def test_missing_figure_is_not_zero() -> None:
    series = stack(table_of([(0, 1, None), (1, 1, 0)]), COMPLETIONS.column("input_tokens"), buckets())
    assert series.values[0][:3] == (None, 0, None)
    assert series.totals[:3] == (None, 0, None)


def test_decimals_are_exact() -> None:
    rows: list[Row] = [(0, model, Decimal("0.1")) for model in range(10)]
    series = stack(table_of(rows), COMPLETIONS.column("input_tokens"), buckets())
    assert series.totals[0] == 1
    assert series.values[-1][0] == Decimal("0.2")
