"""Tests the rows without usage: idle periods and unused names, but nothing that is not loaded."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import product
from random import Random
from typing import Any

import pytest

from tests.rigs.usage import answer_view, between_moments, coverage_of, synthetic, table_cells
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.last_used_column import LastUsedColumn
from usage_viewer.domain.names import NEVER, Name, Names
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, SortKey
from usage_viewer.query.empty_rows import INCLUDED, NOT_LOADED, TOO_MANY, with_empty_rows
from usage_viewer.store import Store

T0, HOUR, DAY = 1_793_491_200, 3600, 86400  # 2026-11-01 UTC
FETCHED = T0 + 100 * DAY
COLUMNS = ("num_model_requests", "input_tokens", "cached_share")
PROJECTS = Names.of(
    [
        Name("project", "project_id-a", "Used"),
        Name("project", "unused-1", "Idle"),
        Name("project", "unused-2", "Sleeping"),
        Name("project", "gone", "Gone", deleted=True),
        Name("user", "somebody", "A person"),
    ]
)
VIEW = ViewState(range=between_moments(), grouping=("project_id",), columns=COLUMNS, include_empty=True)


@pytest.fixture
def sparse(store: Store) -> Store:
    """A store with three days of hours, of which every third hour has usage."""
    usage = synthetic(T0, 72, rows_each=3)
    idle = replace(usage, rows=[row for row in usage.rows if (row.bucket - T0) // HOUR % 3 == 0])
    store.put(idle.batch(), FETCHED)
    return store


def both(store: Store, view: ViewState, names: Names | None = None) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Return the cells of a view without and with its empty rows."""
    plain = answer_view(store, view.with_empty_rows(False), names)
    full = answer_view(store, view, names)
    assert [column.total for column in full.figures] == [column.total for column in plain.figures]
    return table_cells(plain), table_cells(full)


@pytest.mark.parametrize("seed", range(25))
def test_every_loaded_period_of_every_group_has_one_row(sparse: Store, seed: int) -> None:
    random = Random(seed)
    names = list(VIEW.dataset.group_by)
    grouping = tuple(random.sample(names, random.randrange(4)))
    filters = (Filter("model", frozenset(["model-a", "model-b"])),) if random.randrange(2) else ()
    per = random.choice([Granularity.HOUR, Granularity.DAY, Granularity.TOTAL])
    view = replace(VIEW, grouping=grouping, filters=filters, per=per)
    plain, full = both(sparse, view)
    groups = {key[len(key) - len(grouping) :] for key in plain} if grouping else {()}
    periods = {Granularity.HOUR: 72, Granularity.DAY: 3, Granularity.TOTAL: 0}[per]
    wanted = {(period, *group) for period, group in product(range(periods), groups)} if periods else groups
    assert set(full) == wanted | set(plain)
    for key, cells in full.items():
        assert cells == plain.get(key, {"num_model_requests": 0, "input_tokens": 0, "cached_share": None}), (
            "a row without usage has sums of 0, and no share"
        )


def test_periods_that_are_not_loaded_get_no_row(store: Store) -> None:
    store.put(synthetic(T0, 30, rows_each=1).batch(), FETCHED)
    view = replace(VIEW, grouping=(), per=Granularity.HOUR)
    _, full = both(store, view)
    assert set(full) == {(hour,) for hour in range(30)}
    _, full = both(store, replace(view, per=Granularity.DAY))
    assert set(full) == {(0,)}, "of the second day only some hours are loaded, of the third none"
    coverage = coverage_of(store, VIEW)
    table = answer_view(store, VIEW.with_empty_rows(False), PROJECTS)
    assert with_empty_rows(table, VIEW, coverage, PROJECTS) == (table, NOT_LOADED)


def test_listed_names_without_usage_are_rows(sparse: Store) -> None:
    plain, full = both(sparse, VIEW, PROJECTS)
    assert set(full) - set(plain) == {("unused-1",), ("unused-2",)}, "neither deleted ones nor other kinds"
    _, daily = both(sparse, replace(VIEW, per=Granularity.DAY), PROJECTS)
    assert {(day, "unused-1") for day in range(3)} <= set(daily)
    _, two = both(sparse, VIEW.with_grouping(("project_id", "model")), PROJECTS)
    assert not any("unused-1" in key for key in two), "the model of an unused project is not known"


@pytest.mark.parametrize(
    ("view", "listed"),
    [
        (VIEW.only("project_id", "unused-1"), {"unused-1"}),
        (VIEW.excluding("project_id", "unused-1"), {"unused-2"}),
        (VIEW.with_search("sleep"), {"unused-2"}),
        (VIEW.with_search("UNUSED"), {"unused-1", "unused-2"}),
        (VIEW.with_search("nothing like it"), set()),
    ],
)
def test_filters_and_search_apply_to_unused_names(sparse: Store, view: ViewState, listed: set[str]) -> None:
    plain, full = both(sparse, view, PROJECTS)
    assert set(full) - set(plain) == {(value,) for value in listed}
    labels = answer_view(sparse, view, PROJECTS).groups[0].labels
    assert ("Sleeping" in labels) is ("unused-2" in listed)


def test_rows_are_sorted_among_the_others(sparse: Store) -> None:
    table = answer_view(sparse, replace(VIEW, per=Granularity.DAY), PROJECTS)
    period, project = table.heads
    order = table.ordered(())
    keys = [(int(period.codes[row]), project.labels[project.codes[row]].casefold()) for row in order]
    assert keys == sorted(keys, key=lambda key: (key[0], key[1] == "(none)", key[1]))


def test_an_hour_that_a_zone_repeats_has_two_rows(store: Store) -> None:
    start = T0 - 8 * DAY  # 24 October
    store.put(replace(synthetic(start, 72, rows_each=1), rows=[]).batch(), FETCHED)
    day = DateRange(None, datetime(2026, 10, 25), datetime(2026, 10, 26))
    view = replace(VIEW, range=day, zone="Europe/Berlin", grouping=(), per=Granularity.HOUR)
    _, full = both(store, view)
    assert len(full) == 25


def test_too_many_rows_are_not_added(store: Store, make_usage: Callable[..., Any]) -> None:
    store.put(make_usage(T0, 24, rows_each=2).batch(), FETCHED)
    view = replace(VIEW, range=between_moments(T0, T0 + DAY), per=Granularity.HOUR)
    crowd = Names.of([Name("project", f"p{number}", f"Project {number}") for number in range(30_000)])
    plain = answer_view(store, view.with_empty_rows(False), crowd)
    table, note = with_empty_rows(plain, view, coverage_of(store, view), crowd)
    assert table is plain
    groups = len(plain.groups[0].values) + 30_000
    assert note == TOO_MANY.format(24 * groups - plain.rows)
    few = Names.of([Name("project", f"p{number}", "Idle") for number in range(30)])
    assert with_empty_rows(plain, view, coverage_of(store, view), few)[1] == INCLUDED


def test_last_use_of_keys_is_a_column_if_the_lists_tell_it(sparse: Store) -> None:
    keys = {"api_key_id-a": 1_790_000_000, "idle": NEVER, "older": 1_700_000_000, "silent": None}
    names = Names.of([Name("api_key", id, id, last_used=moment) for id, moment in keys.items()])
    view = replace(VIEW, grouping=("api_key_id",), order=(SortKey("api_key_id_last_used"),))
    table = answer_view(sparse, view, names)
    head, column = table.columns[:2]
    assert isinstance(column, LastUsedColumn)
    assert column.label == "API key last used (UTC)"
    of_key = {head.value(row): column.value(row) for row in range(table.rows)}
    assert {key: of_key[key] for key in keys} == keys
    assert set(of_key.values()) == set(keys.values()), "a key in no list is one of which nothing is known"
    order = [column.value(int(row)) for row in table.ordered(view.order)]
    unknown = [None] * order.count(None)
    assert order == [NEVER, 1_700_000_000, 1_790_000_000, *unknown]
    descending = table.ordered([SortKey("api_key_id_last_used", descending=True)])
    assert [column.value(int(row)) for row in descending] == [1_790_000_000, 1_700_000_000, NEVER, *unknown]
    without = answer_view(sparse, view.with_empty_rows(False), names)
    nothing_known = answer_view(sparse, view, PROJECTS)
    for other in (without, nothing_known):
        assert not [item for item in other.columns if isinstance(item, LastUsedColumn)]
