"""Tests that the total of a view that was drilled down to equals the figure drilled, exactly."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random, SystemRandom

import pytest

from tests.rigs.usage import DAY, NOW, T0, answer_view, between_moments, synthetic
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.drill import drilled_view
from usage_viewer.domain.period import BucketWidth, Granularity, Span
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter
from usage_viewer.store import Store

WIDTHS = {"completions": BucketWidth.HOUR, "images": BucketWidth.HOUR, "costs": BucketWidth.DAY}
VIEW = ViewState(range=between_moments())


def _stored(dataset: str, seed: int) -> Store:
    store = Store.open(None)
    width = WIDTHS[dataset]
    buckets = 72 if width is BucketWidth.HOUR else 3
    store.put(synthetic(T0, buckets, width=width, dataset=dataset, rows_each=12, seed=seed, idle=0).batch(), NOW)
    return store


def _random_view(chance: Random, dataset: str) -> ViewState:
    data = DATASETS[dataset]
    names = [item.name for item in data.dimensions]
    start = T0 + chance.randrange(2) * DAY
    hours = WIDTHS[dataset] is BucketWidth.HOUR
    view = ViewState(
        dataset,
        between_moments(start, T0 + chance.choice([2, 3]) * DAY),
        per=chance.choice([Granularity.TOTAL, Granularity.TOTAL, Granularity.DAY, Granularity.WEEK]),
        grouping=tuple(chance.sample(names, chance.randrange(min(4, len(names))))),
        columns=tuple(metric.name for metric in data.metrics),
        search=chance.choice(["", "", "a", "none"]),
        zone=chance.choice(["UTC", "Asia/Tokyo", "America/New_York"]) if hours else "UTC",
    )
    for name in chance.sample(names, chance.randrange(2)):
        values = frozenset([f"{name}-a", None])
        view = view.with_filter(Filter(name, values, exclude=chance.random() < 0.5))
    return view


def _span(view: ViewState) -> Span:
    return view.periods(NOW).span


def _drill_to_the_end(store: Store, view: ViewState, chance: Random) -> int:
    """Drill into random rows until there is no further level; return the number of levels."""
    table, levels = answer_view(store, view), 0
    while table.rows:
        row = chance.randrange(table.rows)
        drilled = drilled_view(view, table, row, _span(view))
        if drilled is None:
            return levels
        assert {item.dimension for item in view.filters} <= {item.dimension for item in drilled.filters}
        below = answer_view(store, drilled)
        for metric in view.dataset.metrics:
            figures = table.figure(metric.name).figures.listed()
            assert below.figure(metric.name).total == figures[row], (view, drilled, metric.name)
        view, table, levels = drilled, below, levels + 1
        assert levels < 12
    return levels


def _random_drills(count: int) -> None:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance, levels = Random(seed), 0
    stores = {name: _stored(name, chance.randrange(1000)) for name in WIDTHS}
    for number in range(count):
        name = [*WIDTHS][number % len(WIDTHS)]
        levels += _drill_to_the_end(stores[name], _random_view(chance, name), chance)
    for store in stores.values():
        store.close()
    assert levels >= count


def test_total_of_the_drilled_view_is_the_figure_drilled() -> None:
    _random_drills(48)


@pytest.mark.fuzz
def test_totals_of_a_thousand_drilled_views_are_the_figures_drilled() -> None:
    _random_drills(1000)


@pytest.fixture
def store() -> Iterator[Store]:
    opened = _stored("completions", 1)
    yield opened
    opened.close()


def _first_row(store: Store, view: ViewState, **options: object) -> ViewState | None:
    table = answer_view(store, view)
    return drilled_view(view, table, 0, _span(view), **options)  # type: ignore[arg-type]


def test_levels_go_from_projects_to_hours(store: Store) -> None:
    view = VIEW.with_grouping(["project_id"])
    groupings: list[tuple[str, ...]] = []
    while (drilled := _first_row(store, view)) is not None:
        groupings.append((*drilled.grouping, drilled.per.value))
        view = drilled
    assert groupings == [
        ("user_id", "total"), ("api_key_id", "total"), ("model", "total"), ("day",), ("hour",)
    ]  # fmt: skip
    assert [item.dimension for item in view.filters] == ["project_id", "user_id", "api_key_id", "model"]
    assert _span(view).end - _span(view).start == DAY


def test_dimensions_that_tell_nothing_are_passed_over(store: Store) -> None:
    view = VIEW.with_grouping(["project_id"]).only("user_id", "user_id-a")
    drilled = _first_row(store, view, not_granted=["api_key_id"])
    assert drilled is not None
    assert drilled.grouping == ("model",)


def test_search_of_the_groups_is_left_out_and_other_filters_stay(store: Store) -> None:
    view = VIEW.with_grouping(["project_id"]).with_search("project").only("batch", "true")
    drilled = _first_row(store, view)
    assert drilled is not None
    assert drilled.search == ""
    assert drilled.filter_on("batch") == Filter("batch", frozenset(["true"]))


def test_hour_has_no_further_level(store: Store) -> None:
    assert _first_row(store, replace(VIEW, per=Granularity.HOUR)) is None


def test_day_of_a_dataset_without_hours_has_no_further_level() -> None:
    costs = _stored("costs", 2)
    assert _first_row(costs, ViewState("costs", VIEW.range, Granularity.DAY, ("line_item",))) is None
    assert _first_row(costs, ViewState("costs", VIEW.range, grouping=("line_item",))) is not None
    costs.close()
