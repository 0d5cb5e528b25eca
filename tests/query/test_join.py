"""Tests joins of two datasets against plain Python: figures side by side, each counted once and exactly."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rigs.usage import (
    NOW,
    T0,
    Row,
    Usage,
    answer_across,
    answer_view,
    between_moments,
    synthetic,
    table_cells,
)
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import DATASETS, registered
from usage_viewer.domain.coverage import Coverage, HeldBuckets, cover
from usage_viewer.domain.dataset import PROFILE
from usage_viewer.domain.figures import EXACT, Number
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import FigureColumn, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Value
from usage_viewer.query.aggregate import FactRows, aggregate
from usage_viewer.query.answer import answer
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.query.plan import FactSource, FactSums, Part, join_datasets, plan_view
from usage_viewer.store import Store

if TYPE_CHECKING:
    from tests.rigs.usage import MakeUsage

DAY = 86400
DAYS = 3
BOTH = ("completions", "costs")
SHARED = ("project_id", "user_id", "api_key_id", "api_source")
TOKENS = ("num_model_requests", "input_tokens", "input_cached_tokens", "output_tokens")
MONEY = ("amount", "quantity")
COLUMNS = (*TOKENS, *MONEY)
RANGE = between_moments(T0, T0 + DAYS * DAY)
UNITS = ("currency", "quantity_unit")

Key = tuple[int | Value, ...]
Figures = dict[str, Number | None]
Sums = dict[Key, Figures]


@pytest.fixture(autouse=True, scope="module")
def _joined_dataset() -> Iterator[None]:
    with registered(join_datasets("joined", "Joined", [DATASETS[name] for name in BOTH])):
        yield


def joined_view(
    grouping: Iterable[str], per: Granularity = Granularity.TOTAL, columns: tuple[str, ...] = COLUMNS
) -> ViewState:
    return ViewState("joined", RANGE, per, tuple(grouping), columns=columns)


def python_sums(
    usages: Mapping[str, Iterable[Usage]], grouping: tuple[str, ...], per: Granularity, columns: tuple[str, ...]
) -> Sums:
    """Add the rows of each profile's datasets up in plain Python; a dataset has null in dimensions it lacks."""
    with localcontext(EXACT):
        return _python_sums(usages, grouping, per, columns)


def _python_sums(
    usages: Mapping[str, Iterable[Usage]], grouping: tuple[str, ...], per: Granularity, columns: tuple[str, ...]
) -> Sums:
    sums: Sums = {}
    for profile, datasets in usages.items():
        for usage in datasets:
            data = DATASETS[usage.dataset]
            names = [item.name for item in data.dimensions]
            shown = [item.name for item in data.metrics if item.name in columns]
            for row in usage.rows if shown else ():
                values = {PROFILE.name: profile, **dict(zip(names, row.combination, strict=True))}
                head = tuple(values.get(name) for name in grouping)
                key = head if per is Granularity.TOTAL else ((row.bucket - T0) // DAY, *head)
                cell = sums.setdefault(key, dict.fromkeys(columns))
                for name in shown:
                    figure, before = row.figures[name], cell[name]
                    if figure is not None:
                        cell[name] = figure if before is None else before + figure  # type: ignore[operator]
    return sums


@pytest.fixture(scope="module")
def usages() -> dict[str, list[Usage]]:
    """Two organizations: completions by hour and costs by day, each idle on a day of its own."""
    return {
        profile: [
            synthetic(T0, 24 * DAYS, seed=seed, rows_each=4, idle=5),
            synthetic(T0, DAYS, seed=seed + 10, rows_each=12, width=BucketWidth.DAY, dataset="costs", idle=DAYS),
        ]
        for seed, profile in enumerate(("acme", "umbrella"))
    }


@pytest.fixture(scope="module")
def stores(usages: dict[str, list[Usage]]) -> Iterator[dict[str, Store]]:
    opened = {profile: Store.open(None) for profile in usages}
    for profile, store in opened.items():
        for usage in usages[profile]:
            store.put(usage.batch(), NOW)
    yield opened
    for store in opened.values():
        store.close()


@pytest.mark.parametrize("per", [Granularity.TOTAL, Granularity.DAY])
@pytest.mark.parametrize("size", range(len(SHARED) + 1))
def test_join_equals_plain_python(
    size: int, per: Granularity, stores: dict[str, Store], usages: dict[str, list[Usage]]
) -> None:
    grouping = (*SHARED[:size], *UNITS)
    table = answer_across({"acme": stores["acme"]}, joined_view(grouping, per), datasets=BOTH)
    assert table_cells(table) == python_sums({"acme": usages["acme"]}, grouping, per, COLUMNS)


@pytest.mark.parametrize("per", [Granularity.TOTAL, Granularity.DAY])
@pytest.mark.parametrize("grouping", [(), (PROFILE.name,), ("project_id",), ("project_id", PROFILE.name)])
def test_join_across_organizations_equals_plain_python(
    grouping: tuple[str, ...], per: Granularity, stores: dict[str, Store], usages: dict[str, list[Usage]]
) -> None:
    grouping = (*grouping, *UNITS)
    view = joined_view((), per).across(stores).with_grouping(grouping)
    assert table_cells(answer_across(stores, view, datasets=BOTH)) == python_sums(usages, grouping, per, COLUMNS)


def test_rows_of_one_unit_stand_side_by_side() -> None:
    costs = Usage("costs", BucketWidth.DAY, [T0])
    for project, amount in (("a", "0.10"), ("a", "0.20"), ("b", "5")):
        line = (project, None, f"line-{amount}", None, None, "usd", None)
        costs.rows.append(Row(T0, line, {"amount": Decimal(amount), "quantity": None}))
    completions = Usage("completions", BucketWidth.DAY, [T0])
    for project, model, tokens in (("a", "m1", 7), ("a", "m2", 8), ("c", "m1", 9)):
        figures = dict.fromkeys((metric.name for metric in DATASETS["completions"].metrics), 0)
        row = Row(T0, (project, "u", "k", model, "false", None, None), {**figures, "input_tokens": tokens})
        completions.rows.append(row)
    view = joined_view(("project_id",), columns=("input_tokens", "amount"))
    with closing(Store.open(None)) as store:
        store.put(costs.batch(), NOW)
        store.put(completions.batch(), NOW)
        table = answer_across({"": store}, view, datasets=BOTH)
    assert table_cells(table) == {
        ("a",): {"input_tokens": 15, "amount": Decimal("0.3")},
        ("b",): {"input_tokens": None, "amount": Decimal(5)},
        ("c",): {"input_tokens": 9, "amount": None},
    }
    totals = {column.name: (column.total, column.measure) for column in table.figures}
    assert totals == {"input_tokens": (24, ""), "amount": (Decimal("5.3"), "USD")}


def test_search_and_filters_apply_to_both_datasets(stores: dict[str, Store]) -> None:
    view = joined_view(("project_id",), columns=("input_tokens", "amount")).only("project_id", "project_id-a")
    table = table_cells(answer_across({"acme": stores["acme"]}, view, datasets=BOTH))
    assert {key[0] for key in table} == {"project_id-a"}
    assert table == table_cells(
        answer_across({"acme": stores["acme"]}, view.without_filters().with_search("project_id-a"), datasets=BOTH)
    )


def test_levels_keep_their_last_value_mean_and_peak(make_usage: "MakeUsage") -> None:
    levels = make_usage(T0, 48, dataset="vector_stores", rows_each=3, idle=0)
    sessions = make_usage(T0, 72, dataset="code_interpreter_sessions", rows_each=3, seed=2)
    names = ("vector_stores", "code_interpreter_sessions")
    columns = ("usage_bytes", "usage_bytes_mean", "usage_bytes_peak")
    with (
        closing(Store.open(None)) as store,
        registered(join_datasets("files", "Files", [DATASETS[n] for n in names])),
    ):
        store.put(levels.batch(), NOW)
        store.put(sessions.batch(), NOW)
        for per in (Granularity.TOTAL, Granularity.DAY, Granularity.HOUR):
            for grouping in ((), ("project_id",)):
                alone = answer_view(store, ViewState("vector_stores", RANGE, per, grouping, columns=columns))
                view = ViewState("files", RANGE, per, grouping, columns=(*columns, "num_sessions"))
                joined = answer_across({"": store}, view, datasets=names)
                for name in columns:
                    assert figures_of(joined, name) == figures_of(alone, name)
                assert figures_of(joined, "num_sessions") == figures_of(
                    answer_view(store, ViewState("code_interpreter_sessions", RANGE, per, grouping)), "num_sessions"
                )


def figures_of(table: Table, name: str) -> tuple[dict[Key, Number], Number | None]:
    """Return the figures of a column that are not missing, and its total."""
    column = table.by_name[name]
    assert isinstance(column, FigureColumn)
    cells = {key: figures[name] for key, figures in table_cells(table).items()}
    return {key: figure for key, figure in cells.items() if figure is not None}, column.total


IDS = st.none() | st.sampled_from("ab")
AMOUNTS = st.none() | st.decimals(0, 10**12, allow_nan=False, allow_infinity=False, places=24)
COUNTS = st.none() | st.integers(0, 2**63 - 1) | st.integers(0, 9)
BUCKETS = st.integers(0, DAYS - 1)
COST_ROWS = st.lists(st.tuples(BUCKETS, IDS, IDS, st.sampled_from(["usd", "eur"]), AMOUNTS), max_size=12)
USAGE_ROWS = st.lists(st.tuples(BUCKETS, IDS, IDS, st.sampled_from("xyz"), COUNTS), max_size=12)
Drawn = tuple[int, str | None, str | None, str, Number | None]


def drawn_usage(dataset: str, rows: list[Drawn]) -> Usage:
    """Return usage of rows (day, project, API key, unit or model, figure)."""
    usage = Usage(dataset, BucketWidth.DAY, [T0 + day * DAY for day in range(DAYS)])
    for day, project, api_key, other, figure in rows:
        if dataset == "costs":
            costs = (project, None, None, api_key, None, other, None)
            usage.rows.append(Row(T0 + day * DAY, costs, {"amount": figure, "quantity": None}))
        else:
            tokens = (project, None, api_key, other, None, None, None)
            figures = dict.fromkeys((metric.name for metric in DATASETS[dataset].metrics), figure)
            usage.rows.append(Row(T0 + day * DAY, tokens, figures))
    return usage


def read_usage(usage: Usage, part: Part) -> FactSums:
    """Sum the rows of a part's dataset without a store."""
    batch, index = usage.batch(), DimensionIndex(part.dataset)
    ids = index.add(batch.combinations)
    period = np.searchsorted(part.coverage.periods.bounds, batch.bucket, side="right") - 1
    rows = FactRows(
        period.astype(np.int32),
        ids[batch.combination] if len(batch) else batch.combination,
        {name: batch.metrics[name] for name in part.metrics},
    )
    return FactSums(aggregate(rows, len(part.coverage.periods), max(1, len(index))), index)


def complete_coverage(view: ViewState) -> Coverage:
    """Return the coverage of a view whose days are all stored."""
    periods, starts = view.periods(NOW), np.arange(T0, T0 + DAYS * DAY, DAY)
    stored = {BucketWidth.DAY: HeldBuckets(starts, np.full(DAYS, NOW))}
    return cover(periods, periods.segments([BucketWidth.DAY]), stored, NOW)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(COST_ROWS, USAGE_ROWS), min_size=1, max_size=2),
    st.lists(st.sampled_from(["project_id", "api_key_id", "currency"]), unique=True),
    st.sampled_from([Granularity.TOTAL, Granularity.DAY]),
)
def test_join_keeps_the_sums_of_each_dataset(
    organizations: list[tuple[list[Drawn], list[Drawn]]], grouping: list[str], per: Granularity
) -> None:
    columns = ("input_tokens", "amount")
    profiles = {f"p{number}": drawn for number, drawn in enumerate(organizations)}
    usages = {
        profile: [drawn_usage("costs", costs), drawn_usage("completions", usage)]
        for profile, (costs, usage) in profiles.items()
    }
    view = joined_view((), per, columns).across(usages).with_grouping(dict.fromkeys([*grouping, "currency"]))
    coverage = complete_coverage(view)
    sources = [
        FactSource(profile, DATASETS[usage.dataset], coverage) for profile in usages for usage in usages[profile]
    ]

    def read(part: Part, cancel: Cancellation) -> FactSums:
        (usage,) = [item for item in usages[part.profile] if item.dataset == part.dataset.name]
        return read_usage(usage, part)

    table, _ = answer(view, plan_view(view, sources), read, Names())
    sums = table_cells(table)
    assert sums == python_sums(usages, view.grouping, per, columns)
    with localcontext(EXACT):
        _check_totals(sums, view, profiles)


def _check_totals(sums: Sums, view: ViewState, profiles: Mapping[str, tuple[list[Drawn], list[Drawn]]]) -> None:
    """Check that the sums over all groups are those of the stored rows: none is lost, none counted twice."""
    currency = view.keys.index("currency")
    amounts: dict[object, Decimal] = defaultdict(Decimal)
    tokens = 0
    for key, figures in sums.items():
        if figures["amount"] is not None:
            amounts[key[currency]] += Decimal(figures["amount"])
        tokens += int(figures["input_tokens"] or 0)
    stored: Counter[str] = Counter()
    for costs, _ in profiles.values():
        for *_, unit, amount in costs:
            if amount is not None:
                stored[unit] += amount  # type: ignore[assignment]
    assert {unit: amount for unit, amount in amounts.items() if amount} == {
        unit: amount for unit, amount in stored.items() if amount
    }
    assert tokens == sum(int(figure or 0) for _, usage in profiles.values() for *_, figure in usage)
