"""Tests the layout of the pane and its scroll bar."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
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


@pytest.mark.parametrize("rows", [4, 60])
def test_shrinking_in_one_step_shows_the_scroll_bar(
    qtbot: QtBot, table_of: Callable[..., Table], view_of: Callable[..., ViewState], rows: int
) -> None:
    table = table_of(model=[f"m{row}" for row in range(rows)], input_tokens=[1] * rows, output_tokens=[1] * rows)
    window = QWidget()
    qtbot.addWidget(window)
    pane = TablePane(QLocale("en_US"), window)
    pane.set_table(table, table.ordered(()), view_of(table))
    column = QVBoxLayout(window)
    column.addWidget(pane, 1)
    window.resize(900, 400)
    with qtbot.waitExposed(window):
        window.show()
    for width in (200, 900, 180):
        window.resize(width, 300)
        qtbot.wait(50)
        needed = pane.table.header.length() > pane.table.viewport().width()
        assert pane.scroll_bar.isVisible() is needed is (width < 900)
        if needed:
            assert pane.scroll_bar.height() >= pane.scroll_bar.sizeHint().height()
            assert pane.scroll_bar.geometry().bottom() == pane.rect().bottom()


def test_totals_end_where_the_vertical_scroll_bar_begins(
    pane: TablePane, table_of: Callable[..., Table], view_of: Callable[..., ViewState]
) -> None:
    table = table_of(model=[f"m{row}" for row in range(60)], input_tokens=[10**40] * 60)
    pane.set_table(table, table.ordered(()), view_of(table))
    pane.table.header.set_widths({"model": 500, "input_tokens": 600})  # the total lies under the scroll bar
    QApplication.processEvents()
    edge = pane.table.viewport().width()
    assert edge < pane.width()
    picture = pane.totals.grab().toImage()
    for shift in range(0, pane.table.horizontalScrollBar().maximum() + 1, 20):
        pane.table.horizontalScrollBar().setValue(shift)
        picture = pane.totals.grab().toImage()
        strip = [picture.pixel(x, y) for x in range(edge, pane.width()) for y in range(2, picture.height())]
        assert len(set(strip)) == 1, shift


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
