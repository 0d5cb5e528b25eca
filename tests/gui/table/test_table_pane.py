"""The pane: one horizontal scroll bar for rows and totals."""

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.table_pane import TablePane


def test_one_bar_scrolls_rows_and_totals_together(qtbot: QtBot, full: TablePane) -> None:
    assert not full.scroll_bar.isVisible()
    full.resize(320, 300)
    qtbot.waitUntil(full.scroll_bar.isVisible)
    assert full.scroll_bar.geometry().top() > full.totals.geometry().top()
    full.scroll_bar.setValue(40)
    assert full.table.horizontalScrollBar().value() == 40
    full.table.horizontalScrollBar().setValue(10)
    assert full.scroll_bar.value() == 10
    assert full.scroll_bar.maximum() == full.table.header.length() - full.table.viewport().width()


def test_the_totals_stay_in_sight_under_the_rows(full: TablePane) -> None:
    assert full.totals.geometry().top() == full.table.geometry().bottom() + 1
    assert full.totals.isVisible()


def test_the_note_reaches_the_totals(full: TablePane) -> None:
    full.set_table(full.model.table, full.model.rows, full.model.view, "27 of 30 days")
    assert full.totals.label == "27 of 30 days: 4 groups"


def test_the_label_below_the_heads_is_never_cut(
    pane: TablePane, table_of: Callable[..., Table], view_of: Callable[..., ViewState]
) -> None:
    """However narrow the values are: it says whether something is missing."""
    table = table_of(model=["a", "b"], input_tokens=[1, 2])
    pane.set_table(table, table.ordered(()), view_of(table), "27 of 30 days")
    metrics = pane.totals.fontMetrics()
    assert pane.totals.label_rect().width() > metrics.horizontalAdvance(pane.totals.label)
