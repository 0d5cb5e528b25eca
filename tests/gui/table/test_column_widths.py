"""Tests fitting columns to their contents."""

from collections.abc import Callable

from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.table_header import LARGEST_FITTED, MINIMUM
from usage_viewer.gui.table.table_pane import TablePane

TableOf = Callable[..., Table]
ViewOf = Callable[..., ViewState]


def _width(pane: TablePane, name: str) -> int:
    return pane.table.columnWidth(pane.model.section(name))


def _show(pane: TablePane, view_of: ViewOf, table: Table) -> None:
    pane.set_table(table, table.ordered(()), view_of(table))


def test_long_number_and_its_total_are_never_cut(pane: TablePane, table_of: TableOf, view_of: ViewOf) -> None:
    _show(pane, view_of, table_of(model=["a"], input_tokens=[10**60]))
    assert _width(pane, "input_tokens") > LARGEST_FITTED
    assert _width(pane, "input_tokens") > pane.table.cells.text_width(pane.model.data(pane.model.index(0, 1)))


def test_long_text_is_cut_at_the_limit(pane: TablePane, table_of: TableOf, view_of: ViewOf) -> None:
    _show(pane, view_of, table_of(model=["x" * 500], input_tokens=[1]))
    assert _width(pane, "model") == LARGEST_FITTED


def test_header_fits_above_short_cells(full: TablePane) -> None:
    share = full.model.table.by_name["cached_share"]
    assert _width(full, "cached_share") >= full.table.header.label_width(share) > MINIMUM


def test_new_figures_never_narrow_a_column(pane: TablePane, table_of: TableOf, view_of: ViewOf) -> None:
    _show(pane, view_of, table_of(model=["a"], input_tokens=[10**20]))
    wide = _width(pane, "input_tokens")
    _show(pane, view_of, table_of(model=["a"], input_tokens=[1]))
    assert _width(pane, "input_tokens") == wide
    _show(pane, view_of, table_of(model=["a"], input_tokens=[10**30]))
    assert _width(pane, "input_tokens") > wide
    _show(pane, view_of, table_of(project_id=["a"], input_tokens=[1]))
    assert _width(pane, "input_tokens") < wide


def test_only_the_first_rows_are_measured(pane: TablePane, table_of: TableOf, view_of: ViewOf) -> None:
    names = ["a"] * 999 + ["a much longer name than all the others"]
    _show(pane, view_of, table_of(model=names, input_tokens=[1] * 1000))
    assert _width(pane, "model") < pane.table.cells.text_width(names[-1])
