"""Tests pivots: each cell against the flat table, each total against a view of its own, on random views."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from tests.rigs.usage import DAY, T0, Usage, answer_view, between_moments, synthetic
from usage_viewer.domain.catalog import dataset_named
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.figures import Number
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.pivot import MOST_COLUMNS, Pivot
from usage_viewer.domain.table import FigureColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD, Filter
from usage_viewer.store import Store

FETCHED = T0 + 300 * DAY
DATASETS = ("completions", "costs", "vector_stores", "embeddings")
MANY = "line_item", "model"
"""Dimensions with more values than a pivot has columns."""

Cells = dict[tuple[Any, ...], Number | None]


def _with_many_values(usage: Usage, seed: int) -> Usage:
    """Give the rows up to 90 values in a dimension that has only a few."""
    names, random = [item.name for item in dataset_named(usage.dataset).dimensions], Random(seed)
    rows = []
    for row in usage.rows:
        values = [
            f"{value}-{random.randrange(90)}" if name in MANY and value is not None else value
            for name, value in zip(names, row.combination, strict=True)
        ]
        rows.append(replace(row, combination=tuple(values)))
    return replace(usage, rows=rows)


@pytest.fixture(scope="module")
def filled() -> Iterator[Store]:
    """Return a store with 12 days of several datasets, in hours or days."""
    store = Store.open(None)
    for seed, name in enumerate(DATASETS):
        width, buckets = (BucketWidth.DAY, 12) if name == "costs" else (BucketWidth.HOUR, 96)
        usage = synthetic(T0, buckets, width=width, dataset=name, rows_each=20, seed=seed)
        store.put(_with_many_values(usage, seed).batch(), FETCHED)
    yield store
    store.check()
    store.close()


def _random_view(random: Random) -> ViewState:
    """Return a view with a pivot of a random dataset."""
    name = random.choice(DATASETS)
    base = ViewState(dataset_name=name, grouping=(), columns=())
    data = base.dataset
    days = random.choice((1, 2, 3, 4))
    dimensions = [item.name for item in data.dimensions]
    random.shuffle(dimensions)
    by = random.choice((PERIOD, dimensions.pop()))
    pers: tuple[Granularity, ...] = (
        (Granularity.DAY, Granularity.WEEK) if name == "costs" else (Granularity.HOUR, Granularity.DAY)
    )
    pers = pers if by == PERIOD else (*pers, Granularity.TOTAL)
    view = replace(
        base,
        range=between_moments(T0, T0 + days * (3 if name == "costs" else 1) * DAY),
        per=random.choice(pers),
        grouping=tuple(dimensions[: random.randrange(3)]),
        pivot=Pivot(by, random.choice([column.name for column in data.columns])),
    )
    if random.random() < 0.4:
        chosen = random.choice([item.name for item in data.dimensions])
        values = frozenset(random.choice([None, f"{chosen}-a", f"{chosen}-b"]) for _ in range(2))
        view = view.with_filter(Filter(chosen, values, exclude=random.random() < 0.7))
    return view.with_search(random.choice(("", "", "", "a", "-1")))


def _flat(store: Store, view: ViewState) -> Table:
    return answer_view(store, view.flat)


def _column(table: Table) -> FigureColumn:
    return table.figures[0]


def _cells(view: ViewState, table: Table) -> dict[tuple[Any, ...], dict[ColumnKey, Number | None]]:
    """Return the cells that are not missing, by row and column."""
    heads = [column.parts(column.codes) for column in table.heads]
    keys = list(zip(*heads, strict=True)) if heads else [()] * table.rows
    listed = {column.key: column.figures.listed() for column in table.figures}
    assert len(set(keys)) == table.rows
    return {
        key: {column: values[row] for column, values in listed.items() if values[row] is not None}
        for row, key in enumerate(keys)
    }


def _place(view: ViewState, table: Table, flat: Table, parts: dict[str, Any]) -> tuple[tuple[Any, ...], ColumnKey]:
    """Return the row and the column of a pivot that a row of the flat table is in."""
    assert view.pivot is not None
    by, figure = view.pivot.by, view.pivot.figure
    value = parts.pop(by)
    key = ColumnKey(figure, period=value) if by == PERIOD else ColumnKey(figure, where=(by, value))
    heads = tuple(parts[head.name] for head in table.heads)
    return heads, key if key in table.by_key else ColumnKey(figure, others=True)


def _adds_up(view: ViewState) -> bool:
    figure = view.dataset.column(view.shown_columns[0])
    return not figure.kind.is_quotient and figure.statistic is None and figure.sums_over_time


def _check(store: Store, view: ViewState) -> int:
    """Compare a pivot with the flat table and with views of its rows, columns and the whole; return its columns."""
    table, flat = answer_view(store, view), _flat(store, view)
    figure = view.shown_columns[0]
    cells = _cells(view, table)
    expected: dict[tuple[Any, ...], dict[ColumnKey, list[Number]]] = {}
    heads = [head.parts(head.codes) for head in flat.heads]
    figures = _column(flat).figures.listed()
    for number, values in enumerate(zip(*heads, strict=True)):
        parts = dict(zip([head.name for head in flat.heads], values, strict=True))
        row, key = _place(view, table, flat, parts)
        numbers = expected.setdefault(row, {}).setdefault(key, [])
        given_figure = figures[number]
        if given_figure is not None:
            numbers.append(given_figure)
    others, total = ColumnKey(figure, others=True), ColumnKey(figure)
    adds_up = _adds_up(view)
    for row, by_key in expected.items():
        for key, numbers in by_key.items():
            if key != others:
                assert cells[row].pop(key, None) == (numbers[0] if numbers else None), (row, key)
            elif adds_up:
                assert cells[row].pop(key, None) == (sum(numbers) if numbers else None), (row, key)
        given = [number for numbers in by_key.values() for number in numbers]
        if adds_up and total in cells[row]:
            assert cells[row][total] == sum(given), row
    left = {key for row in cells.values() for key in row} - {total, others}
    assert not left, "a cell that the flat table lacks"
    assert len(table.figures) <= MOST_COLUMNS + 2
    assert _column_for(table, total).total == _column(flat).total
    if adds_up and _column(flat).total is not None:
        totals = [column.total for column in table.figures if column.key != total and column.total is not None]
        assert sum(totals) == _column(flat).total
    if not view.search:
        _check_totals(store, view, table, cells)
    return len(table.figures)


def _column_for(table: Table, key: ColumnKey) -> FigureColumn:
    return table.figure(key)


def _check_totals(store: Store, view: ViewState, table: Table, cells: dict[tuple[Any, ...], Any]) -> None:
    """Compare the total of each row, and those of some columns, with the tables of their own views."""
    assert view.pivot is not None
    figure, by = view.shown_columns[0], view.pivot.by
    plain = replace(view, pivot=None, columns=(figure,))
    rows = answer_view(store, replace(plain, per=Granularity.TOTAL) if by == PERIOD else plain)
    if [head.name for head in rows.heads] == [head.name for head in table.heads]:
        heads = [head.parts(head.codes) for head in rows.heads]
        keys = list(zip(*heads, strict=True)) if heads else [()] * rows.rows
        for key, number in zip(keys, _column(rows).figures.listed(), strict=True):
            if not _column(rows).unit_from or key in cells:
                assert cells.get(key, {}).get(ColumnKey(figure)) == number, key
    for column in (*table.figures[:3], *table.figures[-2:-1]):
        if column.key.where is not None:
            one = plain.only(*column.key.where) if view.filter_on(by) is None else None
        else:
            one = None
        if one is not None and not column.unit_from:
            assert _column(answer_view(store, one.with_grouping(()))).total == column.total, column.key


@pytest.mark.parametrize("seed", range(10))
def test_cells_and_totals_of_random_views(filled: Store, seed: int) -> None:
    random = Random(seed)
    assert max(_check(filled, _random_view(random)) for _ in range(10)) > 1


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(100, 190))
def test_cells_and_totals_of_900_more_random_views(filled: Store, seed: int) -> None:
    random = Random(seed)
    assert max(_check(filled, _random_view(random)) for _ in range(10)) > 1
