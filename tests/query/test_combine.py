"""Tests views across two organizations: each equals the two separate answers, added in plain Python."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.rigs.usage import answer_across, coverage_of, table_cells
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.coverage import combine_coverage
from usage_viewer.domain.dataset import PROFILE
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import FigureColumn, GroupColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter
from usage_viewer.query.aggregate import FactRows
from usage_viewer.query.combine import combine
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.query.plan import FactSource, FactSums, plan_view
from usage_viewer.store import Store

if TYPE_CHECKING:
    from tests.rigs.usage import Ask, Between, CoverageOf, MakeUsage

T0 = 1_793_491_200
DAY = 86400
NOW = T0 + 400 * DAY
BOTH = ("acme", "umbrella")


@pytest.fixture
def stores(make_usage: "MakeUsage") -> Iterator[dict[str, Store]]:
    """Two stores of three days: one has them by hour, the other by day and in part; a level in both widths."""
    with closing(Store.open(None)) as acme, closing(Store.open(None)) as umbrella:
        acme.put(make_usage(T0, 72, seed=1, rows_each=6).batch(), NOW)
        umbrella.put(make_usage(T0, 2, width=BucketWidth.DAY, seed=2, rows_each=9, idle=0).batch(), NOW)
        for number, store in enumerate((acme, umbrella)):
            costs = make_usage(T0, 3, width=BucketWidth.DAY, dataset="costs", seed=number, rows_each=5)
            store.put(costs.batch(), NOW)
        levels = {"dataset": "vector_stores", "rows_each": 3, "idle": 0}
        acme.put(make_usage(T0, 72, seed=5, **levels).batch(), NOW)
        umbrella.put(make_usage(T0, 3, width=BucketWidth.DAY, seed=6, **levels).batch(), NOW)
        yield {"acme": acme, "umbrella": umbrella}


@pytest.fixture
def ask_both(stores: dict[str, Store]) -> Callable[..., Table]:
    def ask(view: ViewState, names: Names | None = None) -> Table:
        return answer_across(stores, view, names)

    return ask


def _cells(table: Table, metrics: tuple[str, ...]) -> dict[tuple[object, ...], tuple[object, ...]]:
    return {key: tuple(figures[name] for name in metrics) for key, figures in table_cells(table).items()}


def _column(table: Table, name: str) -> FigureColumn:
    column = table.by_name[name]
    assert isinstance(column, FigureColumn)
    return column


def _random_view(chance: Random, between: "Between") -> ViewState:
    name = chance.choice(["completions", "completions", "costs"])
    data = DATASETS[name]
    names = [item.name for item in data.dimensions]
    grouping = tuple(chance.sample(names, chance.randrange(len(names) + 1)))
    if name == "costs":  # the table adds unit columns where needed; here they are at a known position
        grouping = tuple(dict.fromkeys((*grouping, "currency", "quantity_unit")))
    filters = tuple(
        Filter(item, frozenset(chance.sample([None, f"{item}-a", f"{item}-b"], 2)), chance.random() < 0.5)
        for item in chance.sample(names, chance.randrange(2))
    )
    columns = tuple(metric.name for metric in data.metrics)
    return ViewState(
        name, between(), chance.choice([Granularity.DAY, Granularity.TOTAL]), grouping, filters, columns=columns
    )


def _add(first: object, second: object) -> object:
    return second if first is None else first if second is None else first + second  # type: ignore[operator]


def test_combined_table_is_the_sum_of_both_tables(
    stores: dict[str, Store], ask: "Ask", ask_both: Callable[..., Table], between: "Between"
) -> None:
    rows = 0
    for seed in range(60):
        view = _random_view(Random(seed), between)
        separate = {name: _cells(ask(store, view), view.columns) for name, store in stores.items()}
        expected: dict[tuple[object, ...], tuple[object, ...]] = {}
        for cells in separate.values():
            for key, figures in cells.items():
                before = expected.get(key, (None,) * len(figures))
                expected[key] = tuple(map(_add, before, figures))
        assert _cells(ask_both(view.across(BOTH)), view.columns) == expected, seed

        grouped = view.across(BOTH).with_grouping((*view.grouping, PROFILE.name))
        by_profile = {(*key, name): figures for name, cells in separate.items() for key, figures in cells.items()}
        if view.grouping or view.per is Granularity.DAY:
            assert _cells(ask_both(grouped), view.columns) == by_profile, seed
        rows += len(expected)
    assert rows > 500


def test_filters_search_and_labels_apply_to_organizations(
    stores: dict[str, Store], ask: "Ask", ask_both: Callable[..., Table], between: "Between"
) -> None:
    names = Names.of([Name("profile", "acme", "Acme Inc"), Name("profile", "umbrella", "Umbrella")])
    view = ViewState(range=between(), grouping=(), columns=("input_tokens",)).across(BOTH)
    acme = _column(ask(stores["acme"], view.across(())), "input_tokens").total
    for chosen in (
        view.only(PROFILE.name, "acme"),
        view.excluding(PROFILE.name, "umbrella"),
        view.with_grouping([PROFILE.name]).with_search("acme inc"),
    ):
        assert _column(ask_both(chosen, names), "input_tokens").total == acme
    grouped = ask_both(view.with_grouping([PROFILE.name]), names).by_name[PROFILE.name]
    assert isinstance(grouped, GroupColumn)
    assert sorted(grouped.labels) == ["Acme Inc", "Umbrella"]
    assert grouped.label == "Organization"


def test_levels_are_added_over_organizations_not_over_time(
    stores: dict[str, Store], ask: "Ask", ask_both: Callable[..., Table], between: "Between"
) -> None:
    columns = ("usage_bytes", *(item.name for item in DATASETS["vector_stores"].over_time))
    view = ViewState("vector_stores", between(), Granularity.DAY, grouping=(), columns=columns)
    separate = [_cells(ask(store, view), columns) for store in stores.values()]
    both = _cells(ask_both(view.across(BOTH)), columns)
    assert both.keys() == {(0,), (1,), (2,)}
    for key, figures in both.items():
        last, mean = figures[0], figures[columns.index("usage_bytes_mean")]
        assert last == sum(cells[key][0] for cells in separate)  # type: ignore[misc]
        means = [cells[key][columns.index("usage_bytes_mean")] for cells in separate]
        assert mean == pytest.approx(sum(means))  # type: ignore[arg-type]
        peaks = [cells[key][columns.index("usage_bytes_peak")] for cells in separate]
        assert figures[columns.index("usage_bytes_peak")] == sum(peaks)  # type: ignore[arg-type] # one is constant


def test_coverage_counts_the_buckets_of_all_organizations(
    stores: dict[str, Store], coverage: "CoverageOf", between: "Between"
) -> None:
    view = ViewState(range=between(), per=Granularity.DAY)
    both = combine_coverage([coverage(store, view) for store in stores.values()])
    assert both.summary == "2 of 3 days loaded, 2 organizations"
    assert not both.complete
    assert [(segment.width, segment.buckets) for segment in both.read] == [(BucketWidth.HOUR, 72)]
    alone = coverage(stores["acme"], view)
    assert replace(combine_coverage([alone]), organizations=1) == alone


def test_view_without_profiles_drops_the_organization() -> None:
    view = ViewState().across(BOTH).with_grouping(["model", PROFILE.name]).only(PROFILE.name, "acme")
    assert view.with_dataset("costs").profiles == BOTH
    assert view.across(()) == ViewState()


def test_single_part_is_returned_without_a_copy(stores: dict[str, Store], between: "Between") -> None:
    store, view = stores["acme"], ViewState(range=between())
    plan = plan_view(view, [FactSource("", view.dataset, coverage_of(store, view))])
    sums = store.read(plan.parts[0])
    assert combine(plan, [sums]) is sums


def test_one_organization_of_a_combined_view_has_the_profile_dimension(
    stores: dict[str, Store], ask: "Ask", between: "Between"
) -> None:
    view = ViewState(range=between(), grouping=("model",), columns=("input_tokens",))
    table = answer_across({"acme": stores["acme"]}, view.across(("acme",)).with_grouping(["model", PROFILE.name]))
    alone = _cells(ask(stores["acme"], view), view.columns)
    assert _cells(table, view.columns) == {(*key, "acme"): figures for key, figures in alone.items()}


def test_combination_stored_twice_is_summed(stores: dict[str, Store], between: "Between") -> None:
    view = ViewState("embeddings", between(), grouping=(), columns=("input_tokens",)).across(BOTH)
    one = view.across(())
    sources = [FactSource(name, one.dataset, coverage_of(store, one)) for name, store in stores.items()]
    same = ("p", "u", "k", "m")
    figures = {"input_tokens": NumberColumn(np.array([5, 7], np.int64))}
    twice = FactSums(
        FactRows(np.zeros(2, np.int32), np.array([0, 1], np.int32), figures),
        DimensionIndex(one.dataset, [same, same]),
    )
    combined = combine(plan_view(view, sources), [twice, twice])
    assert combined.index.combinations() == [("acme", *same), ("umbrella", *same)]
    assert combined.rows.cell.tolist() == [0, 1]
    assert combined.rows.metrics["input_tokens"].listed() == [12, 12]
