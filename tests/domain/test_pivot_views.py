"""Tests what the controls of a view do to its pivot."""

from dataclasses import replace

import pytest

from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.pivot import Pivot
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD, SortKey

BY_MODEL = Pivot("model", "input_tokens")
BY_PERIOD = Pivot(PERIOD, "input_tokens")


@pytest.fixture
def view() -> ViewState:
    by_input = (SortKey("input_tokens", descending=True),)
    return ViewState(grouping=("project_id", "model"), per=Granularity.DAY, order=by_input)


def test_dimension_moves_to_the_columns_and_back(view: ViewState) -> None:
    pivoted = view.with_pivot(BY_MODEL)
    assert pivoted.grouping == ("project_id",)
    assert pivoted.dimensions == ("project_id", "model")
    assert pivoted.keys == (PERIOD, "project_id", "input_tokens")
    assert pivoted.with_pivot(None) == view
    assert pivoted.with_pivot(BY_PERIOD).grouping == view.grouping
    assert pivoted.with_pivot(BY_PERIOD).keys == (*view.grouping, "input_tokens")


def test_grouping_by_what_is_across_makes_figures_the_columns(view: ViewState) -> None:
    back = view.with_pivot(BY_MODEL).toggled("model")
    assert back.pivot is None
    assert back.grouping == view.grouping


def test_total_has_no_periods_across(view: ViewState) -> None:
    pivoted = view.with_pivot(BY_PERIOD)
    assert pivoted.with_per(Granularity.TOTAL).pivot is None
    assert pivoted.with_per(Granularity.MONTH).pivot == BY_PERIOD
    with pytest.raises(InputError):
        replace(view, per=Granularity.TOTAL).with_pivot(BY_PERIOD)


def test_pivot_and_comparison_refuse_each_other(view: ViewState) -> None:
    with pytest.raises(InputError):
        view.with_pivot(BY_MODEL).with_compare(Comparison.PREVIOUS)
    with pytest.raises(InputError):
        view.with_compare(Comparison.PREVIOUS).with_pivot(BY_MODEL)


def test_order_follows_the_columns(view: ViewState) -> None:
    by_one = SortKey(ColumnKey("input_tokens", where=("model", "gpt-6")), descending=True)
    pivoted = view.with_pivot(BY_MODEL).with_order([by_one])
    renamed = pivoted.with_pivot(Pivot("model", "output_tokens"))
    assert renamed.order == (SortKey(ColumnKey("output_tokens", where=("model", "gpt-6")), descending=True),)
    assert pivoted.with_pivot(BY_PERIOD).order == (SortKey("input_tokens", descending=True),)
    assert pivoted.with_pivot(None).order == view.default_order


def test_another_dataset_keeps_what_it_has(view: ViewState) -> None:
    costs = view.with_pivot(Pivot("project_id", "input_tokens")).with_dataset("costs")
    assert costs.pivot == Pivot("project_id", costs.dataset.default_columns[0])
    assert "project_id" not in costs.grouping
    assert view.with_pivot(BY_MODEL).with_dataset("costs").pivot is None
