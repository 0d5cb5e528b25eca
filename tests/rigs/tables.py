"""Builds small tables from lists."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import Granularity, Span, periods
from usage_viewer.domain.table import Column, ColumnKey, FigureColumn, GroupColumn, PeriodColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD, SortKey

NOVEMBER = Span(1793491200, 1793491200 + 30 * 86400)
"""The 30 days from 2026-11-01 UTC."""

TableOf = Callable[..., Table]


def _figures(values: Sequence[int | Decimal | None]) -> NumberColumn:
    missing: NDArray[np.bool_] = np.array([value is None for value in values], np.bool_)
    filled = [0 if value is None else value for value in values]
    small = all(isinstance(value, int) and abs(value) < 2**63 for value in filled)
    array: NDArray[Any] = np.array(filled, np.int64 if small else object)
    return NumberColumn(array, missing if missing.any() else None)


def _column(name: str, values: Sequence[Any], dataset: str, labels: dict[str, str], per: Granularity) -> Column:
    data = DATASETS[dataset]
    if name == PERIOD:
        return PeriodColumn(np.array(values, np.int32), periods(NOVEMBER, per, UTC))
    if data.has_dimension(name):
        distinct = tuple(dict.fromkeys(values))
        place = {value: code for code, value in enumerate(distinct)}
        none = data.dimension(name).none
        shown = tuple(none if value is None else labels.get(value, value) for value in distinct)
        codes = np.array([place[value] for value in values], np.int32)
        return GroupColumn(data.dimension(name), codes, distinct, shown)
    figures = _figures(values)
    return FigureColumn.build(data.column(name), figures, figures.total())


@pytest.fixture
def table_of() -> TableOf:
    """Return a function that builds a table from lists by the columns' names.

    The lists hold raw values of dimensions, indices of periods, or figures (None: missing). `derived` adds figures
    that are computed from the others.
    """

    def build(
        dataset: str = "completions",
        labels: dict[str, str] | None = None,
        per: Granularity = Granularity.DAY,
        derived: Sequence[str] = (),
        **columns: Sequence[Any],
    ) -> Table:
        built = {name: _column(name, values, dataset, labels or {}, per) for name, values in columns.items()}
        parts = {name: column for name, column in built.items() if isinstance(column, FigureColumn)}
        sums = {name: column.figures for name, column in parts.items()}
        totals = {name: column.total for name, column in parts.items()}
        for name in derived:
            figure = DATASETS[dataset].column(name)
            built[name] = FigureColumn.build(figure, figure.compute(sums), figure.compute_one(totals))
        return Table(tuple(built.values()), len(next(iter(columns.values()))))

    return build


@pytest.fixture
def view_of() -> Callable[..., ViewState]:
    """Return a function that builds the view of a table, sorted by `order` (names, "-" for descending)."""

    def build(
        table: Table, *order: str, dataset: str = "completions", per: Granularity = Granularity.DAY
    ) -> ViewState:
        return ViewState(
            dataset_name=dataset,
            per=per if PERIOD in table.by_name else Granularity.TOTAL,
            grouping=tuple(group.name for group in table.groups),
            columns=tuple(dict.fromkeys(column.name for column in table.figures)),
            order=tuple(SortKey(name.removeprefix("-"), name.startswith("-")) for name in order),
        )

    return build


@pytest.fixture
def models(table_of: TableOf) -> Table:
    """Return four rows of models and projects, with a missing figure."""
    return table_of(
        labels={"proj_a": "Search", "proj_b": "Checkout"},
        model=["gpt-6", "o7", "gpt-6", "nano"],
        project_id=["proj_a", "proj_a", "proj_b", None],
        num_model_requests=[1, 2, 3, 4],
        input_tokens=[4000, 1000, 2000, 3000],
        input_cached_tokens=[1000, None, 500, 0],
        output_tokens=[10, 20, 30, 40],
        derived=["cached_share"],
    )


OCTOBER = 1_790_812_800  # 2026-10-01 UTC, epoch seconds
PIVOTED = ColumnKey("input_tokens", where=("model", "gpt-6"))
"""The key of a column that a pivot has: a figure for one value of a dimension."""
PIVOTED_NONE = ColumnKey("input_tokens", where=("model", None))
MONTHLY = ColumnKey("input_tokens", period=OCTOBER)
COMPARED = ColumnKey("input_tokens", compared=True)
PIVOTED_SHARE = ColumnKey("cached_share", where=("model", "gpt-6"))
KEYS_WITH_LIMITS = (PIVOTED, PIVOTED_NONE, MONTHLY, COMPARED)


@pytest.fixture
def pivot() -> Table:
    """Return three projects with one figure in several columns, as a pivot and a comparison have them."""
    data = DATASETS["completions"]

    def column(key: ColumnKey, label: str, values: Sequence[int | None]) -> FigureColumn:
        figures = _figures(values)
        plain = FigureColumn.build(data.column(key.name), figures, figures.total())
        return replace(plain, key=key, label=label)

    projects = ("proj_a", "proj_b", None)
    cached = column(ColumnKey("input_cached_tokens", where=("model", "gpt-6")), "Cached, gpt-6", [5, 10, None])
    tokens = column(PIVOTED, "Input, gpt-6", [20, 40, None])
    figure = data.column("cached_share")
    sums = {"input_cached_tokens": cached.figures, "input_tokens": tokens.figures}
    share = FigureColumn.build(figure, figure.compute(sums), 0.25)
    return Table(
        (
            GroupColumn(
                data.dimension("project_id"), np.arange(3, dtype=np.int32), projects, ("Search", "Chat", "(none)")
            ),
            column(ColumnKey("input_tokens"), "Input", [60, 50, 1]),
            tokens,
            column(PIVOTED_NONE, "Input, (none)", [40, 10, 1]),
            column(MONTHLY, "Input, Oct 2026", [1, 2, 3]),
            column(COMPARED, "Input before", [None, 7, 8]),
            cached,
            replace(share, key=PIVOTED_SHARE, label="Cached share, gpt-6"),
        ),
        3,
    )
