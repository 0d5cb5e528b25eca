"""Tests that the default columns of one dataset are never taken for those of another."""

from usage_viewer.domain.pivot import Pivot
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.column_choice import USUAL, ColumnChoice

COMPLETIONS = ViewState()
SHOWN = (*COMPLETIONS.shown_columns, "cost")
CHOICE = ColumnChoice("completions", SHOWN)


def test_defaults_are_what_a_view_without_chosen_columns_shows() -> None:
    assert CHOICE.shown(COMPLETIONS) == CHOICE.explicit(COMPLETIONS).columns == SHOWN
    assert USUAL.shown(COMPLETIONS) == COMPLETIONS.shown_columns


def test_chosen_figures_and_the_figure_of_a_pivot_stay() -> None:
    chosen = COMPLETIONS.with_columns(["output_tokens"])
    pivot = COMPLETIONS.with_pivot(Pivot("model", "input_tokens")).with_grouping(())
    for view in (chosen, pivot):
        assert CHOICE.shown(view) == view.shown_columns
        assert CHOICE.explicit(view) == view


def test_another_dataset_on_the_way_has_its_own_defaults() -> None:
    searches = COMPLETIONS.with_dataset("web_search_calls")
    assert CHOICE.shown(searches) == searches.dataset.default_columns
    assert CHOICE.explicit(searches) == searches
