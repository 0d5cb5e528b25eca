"""Each method of a view returns a new view: the tests check what it changes and what it keeps."""

import pytest

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD, Filter, SortKey

VIEW = ViewState(grouping=("model", "project_id"), order=(SortKey("input_tokens", True), SortKey("model")))


@pytest.mark.parametrize(
    "wrong",
    [
        {"dataset_name": "nonsense"},
        {"grouping": ("size",)},
        {"grouping": ("model", "model")},
        {"filters": (Filter("size", frozenset()),)},
        {"filters": (Filter("model", frozenset()), Filter("model", frozenset(), True))},
        {"columns": ("model",)},
        {"columns": ("images",)},
    ],
)
def test_names_that_the_dataset_lacks_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        ViewState(**wrong)  # type: ignore[arg-type]
    assert caught.value.title
    assert caught.value.hint


def test_keys_are_the_columns_in_order() -> None:
    assert VIEW.keys[:3] == ("model", "project_id", "num_model_requests")
    assert VIEW.with_per(Granularity.DAY).keys[:2] == (PERIOD, "model")
    assert VIEW.with_columns(["output_tokens"]).keys == ("model", "project_id", "output_tokens")


def test_toggle_adds_a_dimension_last_and_removes_its_sort_key() -> None:
    assert VIEW.toggled("batch").grouping == ("model", "project_id", "batch")
    without = VIEW.toggled("model")
    assert without.grouping == ("project_id",)
    assert without.order == (SortKey("input_tokens", True),)


def test_removed_columns_lose_their_sort_keys() -> None:
    ordered = VIEW.with_per(Granularity.DAY).with_order([SortKey(PERIOD), SortKey("input_tokens")])
    assert ordered.with_per(Granularity.TOTAL).order == (SortKey("input_tokens"),)
    assert ordered.with_columns(["output_tokens"]).order == (SortKey(PERIOD),)


def test_filter_replaces_the_filter_on_its_dimension() -> None:
    view = VIEW.only("model", "a").only("project_id", None).only("model", "b")
    assert view.filters == (Filter("model", frozenset(["b"])), Filter("project_id", frozenset([None])))
    assert view.without_filter("model").filters == (Filter("project_id", frozenset([None])),)
    assert view.with_search("x").without_filters() == VIEW


def test_excluding_removes_a_value_from_those_that_pass() -> None:
    assert VIEW.excluding("model", "a").excluding("model", None).filters == (
        Filter("model", frozenset(["a", None]), exclude=True),
    )
    included = VIEW.with_filter(Filter("model", frozenset(["a", "b"])))
    assert included.excluding("model", "a").filters == (Filter("model", frozenset(["b"])),)


def test_only_an_empty_exclusion_removes_the_filter() -> None:
    assert VIEW.with_filter(Filter("model", frozenset(), exclude=True)).filters == ()
    assert not VIEW.with_filter(Filter("model", frozenset())).filters[0].passes("a")


def test_header_click_sorts_and_reverses() -> None:
    once = VIEW.sorted_by("output_tokens", descending_first=True)
    assert once.order == (SortKey("output_tokens", True),)
    assert once.sorted_by("output_tokens").order == (SortKey("output_tokens", False),)
    added = once.sorted_by("model", add=True)
    assert added.order == (SortKey("output_tokens", True), SortKey("model"))
    assert added.sorted_by("output_tokens", add=True).order == (SortKey("output_tokens"), SortKey("model"))


@pytest.mark.parametrize("name", DATASETS)
def test_another_dataset_keeps_what_both_support(name: str) -> None:
    view = (
        ViewState(grouping=("project_id", "service_tier"), per=Granularity.DAY)
        .only("project_id", "p")
        .only("batch", "true")
        .with_order([SortKey(PERIOD), SortKey("service_tier"), SortKey("num_model_requests", True)])
    )
    other = view.with_dataset(name)
    data = DATASETS[name]
    assert other.range == view.range
    assert set(other.grouping) <= {dimension.name for dimension in data.dimensions}
    assert other.grouping[0] == "project_id"
    assert other.filter_on("project_id") == view.filter_on("project_id")
    assert all(key.column.name in other.keys for key in other.order)
    assert view.with_dataset("completions") == view


def test_default_grouping_gives_way_to_that_of_the_other_dataset() -> None:
    completions = ViewState()
    spend = completions.with_dataset("spend")
    assert spend.grouping == ("model", "reason")
    assert spend.with_dataset("completions").grouping == completions.grouping == ("model",)
    chosen = completions.with_grouping(["user_id", "model"])
    assert chosen.with_dataset("spend").grouping == ("user_id", "model")


def test_dataset_without_the_grouping_gets_its_default() -> None:
    assert ViewState(grouping=("model",)).with_dataset("vector_stores").grouping == ("project_id",)
