"""Tests the layout of the pane and its scroll bar."""

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.table_pane import TablePane


def test_scroll_bar_moves_rows_and_totals(qtbot: QtBot, full: TablePane) -> None:
    assert not full.scroll_bar.isVisible()
    full.resize(320, 300)
    qtbot.waitUntil(full.scroll_bar.isVisible)
    assert full.scroll_bar.geometry().top() > full.totals.geometry().top()
    full.scroll_bar.setValue(40)
    assert full.table.horizontalScrollBar().value() == 40
    full.table.horizontalScrollBar().setValue(10)
    assert full.scroll_bar.value() == 10
    assert full.scroll_bar.maximum() == full.table.header.length() - full.table.viewport().width()


def test_totals_are_visible_below_the_rows(full: TablePane) -> None:
    assert full.totals.geometry().top() == full.table.geometry().bottom() + 1
    assert full.totals.isVisible()


def test_note_is_in_the_totals(full: TablePane) -> None:
    full.set_table(full.model.table, full.model.rows, full.model.view, "27 of 30 days")
    assert full.totals.label == "27 of 30 days: 4 groups"


def test_label_below_narrow_heads_is_not_cut(
    pane: TablePane, table_of: Callable[..., Table], view_of: Callable[..., ViewState]
) -> None:
    table = table_of(model=["a", "b"], input_tokens=[1, 2])
    pane.set_table(table, table.ordered(()), view_of(table), "27 of 30 days")
    metrics = pane.totals.fontMetrics()
    assert pane.totals.label_rect().width() > metrics.horizontalAdvance(pane.totals.label)
