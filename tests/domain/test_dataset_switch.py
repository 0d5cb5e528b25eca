"""Tests that a dataset keeps its own view, takes over the shared parts, and that differences are explained."""

from dataclasses import replace

import pytest

from usage_viewer.domain.dataset_switch import explain_switch, switch_dataset
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.pivot import Pivot
from usage_viewer.domain.view import FIRST_VIEW, ViewState
from usage_viewer.domain.view_parts import PERIOD, Filter, SortKey

BATCH = Filter("batch", frozenset(["true"]))
PROJECT = Filter("project_id", frozenset(["proj_a"]))
COMPLETIONS = replace(
    FIRST_VIEW,
    filters=(BATCH, PROJECT),
    grouping=("model", "service_tier"),
    order=(SortKey("output_tokens", True),),
    columns=("output_tokens",),
)


def test_dataset_gets_its_own_view_back() -> None:
    costs = switch_dataset(COMPLETIONS, "costs", {})
    assert switch_dataset(costs, "completions", {"completions": COMPLETIONS}) == COMPLETIONS


def test_range_zone_search_and_organizations_are_shared() -> None:
    shared = {"range": DateRange(Preset.LAST_WEEK), "zone": "Asia/Kolkata", "search": "x", "profiles": ("a", "b")}
    costs = replace(switch_dataset(COMPLETIONS, "costs", {}), **shared)  # type: ignore[arg-type]
    back = switch_dataset(costs, "completions", {"completions": COMPLETIONS})
    assert back == replace(COMPLETIONS, **shared)  # type: ignore[arg-type]


def test_organization_filter_of_a_combined_view_does_not_reach_a_single_one() -> None:
    own = replace(FIRST_VIEW, profiles=("a", "b")).toggled("profile").only("profile", "a")
    costs = ViewState("costs", grouping=("line_item",))
    assert switch_dataset(costs, "completions", {"completions": own}) == FIRST_VIEW


def test_new_dataset_takes_over_what_it_supports() -> None:
    costs = switch_dataset(COMPLETIONS, "costs", {})
    assert costs.filters == (PROJECT,)
    assert costs.order == (SortKey("amount", True),)
    by_day = switch_dataset(COMPLETIONS.with_per(Granularity.DAY), "costs", {})
    assert by_day.order == ()  # the natural order is by time


@pytest.mark.parametrize(
    ("before", "sentences"),
    [
        (FIRST_VIEW, ()),
        (FIRST_VIEW.with_per(Granularity.DAY), ()),
        (FIRST_VIEW.with_filter(BATCH), ("Batch filter doesn't apply to Costs. It comes back with Completions.",)),
        (
            FIRST_VIEW.with_filter(BATCH).only("model", "m"),
            ("Batch and Model filters don't apply to Costs. They come back with Completions.",),
        ),
        (
            COMPLETIONS,
            (
                "Batch filter, grouping by Service tier and sorting by Output don't apply to Costs. They come back "
                "with Completions.",
            ),
        ),
        (
            FIRST_VIEW.with_per(Granularity.DAY).with_order([SortKey(PERIOD), SortKey("output_tokens")]),
            ("Sorting by Output doesn't apply to Costs. It comes back with Completions.",),
        ),
    ],
)
def test_unsupported_parts_are_named(before: ViewState, sentences: tuple[str, ...]) -> None:
    assert explain_switch(before, switch_dataset(before, "costs", {})) == sentences


def test_own_filters_of_the_other_dataset_are_named() -> None:
    before = FIRST_VIEW.with_filter(PROJECT)
    costs = switch_dataset(before, "costs", {"costs": ViewState("costs", grouping=("line_item",))})
    assert explain_switch(before, costs) == (
        "Project filter of Completions is not used here: Costs keeps its own filters.",
    )


def test_columns_by_a_dimension_that_the_dataset_lacks_are_named() -> None:
    pivoted = replace(COMPLETIONS, filters=(), order=()).with_pivot(Pivot("model", "output_tokens"))
    costs = switch_dataset(pivoted, "costs", {})
    assert costs.pivot is None
    assert any(
        "columns by Model" in sentence.replace("Columns", "columns") for sentence in explain_switch(pivoted, costs)
    )
