"""Tests the table's selection, statistics, keys and menus, and its state after a new result."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QLocale,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    Qt,
)
from PySide6.QtGui import QColor, QContextMenuEvent, QFont, QPalette
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from usage_viewer.domain.period import Granularity
from usage_viewer.domain.selection_stats import SelectionStats
from usage_viewer.domain.table import EMPTY, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, SortKey
from usage_viewer.gui.table.table_model import Presentation, TableModel
from usage_viewer.gui.table.table_pane import TablePane
from usage_viewer.gui.table.table_view import TableView

TableOf = Callable[..., Table]
ViewOf = Callable[..., ViewState]
MILLION = 1_000_000
KEY = Qt.Key
FLAGS = QItemSelectionModel.SelectionFlag
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class WatchedModel(TableModel):
    """Records the rows that Qt reads."""

    def __init__(self) -> None:
        super().__init__(QLocale("en_US"))
        self.read_rows: set[int] = set()

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        self.read_rows.add(index.row())
        return super().flags(index)


def _select(pane: TablePane, *rows: int) -> None:
    for row in rows:
        pane.table.selectionModel().select(pane.model.index(row, 0), FLAGS.Select | FLAGS.Rows)


def _go_to(pane: TablePane, row: int, name: str) -> None:
    pane.table.setCurrentIndex(pane.model.index(row, pane.model.section(name)))


def _show(pane: TablePane, table: Table, view: ViewState) -> None:
    pane.set_table(table, table.ordered(view.order), view)


# Selection


def test_selected_ranges_are_combined_and_in_order(full: TablePane) -> None:
    _select(full, 3, 0, 1)
    assert full.table.selected_rows() == [(0, 1), (3, 3)]
    _select(full, 2)
    assert full.table.selected_rows() == [(0, 3)]


def test_select_all_of_a_million_rows_reads_no_row(qtbot: QtBot, models: Table, view_of: ViewOf) -> None:
    model = WatchedModel()
    table = TableView(model)
    qtbot.addWidget(table)
    table.resize(900, 400)
    with qtbot.waitExposed(table):
        table.show()
    table.set_table(models, np.arange(MILLION) % 4, view_of(models, "-input_tokens"))
    qtbot.keyClick(table, KEY.Key_A, CONTROL)
    assert table.selected_rows() == [(0, MILLION - 1)]
    assert table.selectionModel().selection().count() == 1
    table.viewport().repaint()
    table.header.viewport().repaint()
    # Only the visible rows and the corners of the selection: a header that asks about its column reads all rows.
    assert len(model.read_rows) < 100


def test_ctrl_end_selects_the_last_of_a_million_rows(
    qtbot: QtBot, pane: TablePane, models: Table, view_of: ViewOf
) -> None:
    pane.set_table(models, np.arange(MILLION) % 4, view_of(models))
    _go_to(pane, 0, "input_tokens")
    qtbot.keyClick(pane.table, KEY.Key_End, CONTROL)
    assert pane.table.currentIndex().row() == MILLION - 1
    assert pane.table.selected_rows() == [(MILLION - 1, MILLION - 1)]
    qtbot.keyClick(pane.table, KEY.Key_Home, CONTROL | SHIFT)
    assert pane.table.selected_rows() == [(0, MILLION - 1)]
    assert pane.table.rowAt(0) == 0
    qtbot.keyClick(pane.table, KEY.Key_End, CONTROL | SHIFT)
    assert pane.table.selected_rows() == [(MILLION - 1, MILLION - 1)]  # back at the anchor


def test_select_all_of_an_empty_table(pane: TablePane) -> None:
    pane.table.selectAll()
    assert pane.table.selected_rows() == []


def test_statistics_follow_selection_and_current_column(qtbot: QtBot, full: TablePane) -> None:
    table = full.table
    with qtbot.waitSignal(table.selection_stats_changed) as emitted:
        _go_to(full, 0, "output_tokens")
        _select(full, 1)
    assert emitted.args is not None
    assert emitted.args[0] == SelectionStats(2, "Output", 2, 50, 25, 10, 40, unit="tokens")
    with qtbot.waitSignal(table.selection_stats_changed) as emitted:
        table.selectionModel().setCurrentIndex(full.model.index(0, 0), FLAGS.NoUpdate)
    assert emitted.args is not None
    assert emitted.args[0].column_label == "Requests"


def test_many_changes_emit_statistics_once(qtbot: QtBot, full: TablePane) -> None:
    emitted: list[SelectionStats] = []
    full.table.selection_stats_changed.connect(emitted.append)
    _select(full, 0, 1, 2, 3)
    qtbot.waitUntil(lambda: bool(emitted))
    assert [stats.rows for stats in emitted] == [4]


# After a new result


def test_sorting_keeps_the_selected_rows(full: TablePane, models: Table, view_of: ViewOf) -> None:
    _select(full, 0, 3)  # gpt-6 of Search, o7 of Search
    _go_to_without_selecting(full, 1, "output_tokens")  # nano
    _show(full, models, view_of(models, "input_tokens"))
    assert full.table.selected_rows() == [(0, 0), (3, 3)]
    assert (full.table.currentIndex().row(), full.table.currentIndex().column()) == (2, 5)


def _go_to_without_selecting(pane: TablePane, row: int, name: str) -> None:
    pane.table.selectionModel().setCurrentIndex(pane.model.index(row, pane.model.section(name)), FLAGS.NoUpdate)


def test_new_result_keeps_the_selection_of_remaining_rows(
    full: TablePane, table_of: TableOf, view_of: ViewOf
) -> None:
    _select(full, 0, 1)  # gpt-6 of Search, nano of none
    newer = table_of(
        model=["new", "nano", "o7"],
        project_id=["proj_a", None, "proj_a"],
        input_tokens=[9, 8, 7],
    )
    _show(full, newer, view_of(newer))
    names = [full.model.data(full.model.index(row, 0)) for row in range(3)]
    assert full.table.selected_rows() == [(names.index("nano"), names.index("nano"))]


def test_other_grouping_clears_the_selection(full: TablePane, table_of: TableOf, view_of: ViewOf) -> None:
    _select(full, 0)
    other = table_of(model=["gpt-6"], input_tokens=[1])
    _show(full, other, view_of(other))
    assert full.table.selected_rows() == []
    assert not full.table.currentIndex().isValid()


def test_large_selection_is_cleared(pane: TablePane, table_of: TableOf, view_of: ViewOf) -> None:
    table = table_of(model=[f"m{row}" for row in range(1001)], input_tokens=range(1001))
    _show(pane, table, view_of(table))
    pane.table.selectAll()
    _show(pane, table, view_of(table, "-input_tokens"))
    assert pane.table.selected_rows() == []


def test_same_view_keeps_the_scroll_position_and_sorting_resets_it(
    pane: TablePane, table_of: TableOf, view_of: ViewOf
) -> None:
    table = table_of(model=[f"m{row}" for row in range(500)], input_tokens=range(500))
    _show(pane, table, view_of(table))
    bar = pane.table.verticalScrollBar()
    bar.setValue(3000)
    _show(pane, table, view_of(table))
    assert bar.value() == 3000
    _show(pane, table, view_of(table, "-input_tokens"))
    assert bar.value() == 0


def test_empty_result_clears_the_selection(full: TablePane, models: Table, view_of: ViewOf) -> None:
    _select(full, 0)
    full.set_table(EMPTY, np.zeros(0, np.int64), ViewState())
    _show(full, models, view_of(models))
    assert full.table.selected_rows() == []


# Keys


def test_control_enter_on_a_group_filters_to_its_value(qtbot: QtBot, full: TablePane) -> None:
    _go_to(full, 1, "project_id")
    with qtbot.waitSignal(full.table.view_requested) as requested:
        qtbot.keyClick(full.table, KEY.Key_Return, CONTROL)
    assert requested.args is not None
    assert requested.args[0].filters == (Filter("project_id", frozenset([None])),)


def test_control_enter_on_a_figure_requests_nothing(qtbot: QtBot, full: TablePane) -> None:
    _go_to(full, 1, "input_tokens")
    with qtbot.assertNotEmitted(full.table.view_requested):
        qtbot.keyClick(full.table, KEY.Key_Return, CONTROL)


def test_keys_copy_and_sort(qtbot: QtBot, full: TablePane) -> None:
    _go_to(full, 1, "output_tokens")
    with qtbot.waitSignal(full.table.copy_requested) as copied:
        qtbot.keyClick(full.table, KEY.Key_C, CONTROL)
    assert copied.args == [""]
    with qtbot.waitSignal(full.table.view_requested) as requested:
        qtbot.keyClick(full.table, KEY.Key_S, CONTROL | SHIFT)
    assert requested.args is not None
    assert requested.args[0].order == (SortKey("output_tokens", descending=True),)


def test_arrows_home_end_and_space(qtbot: QtBot, full: TablePane) -> None:
    table = full.table
    _go_to(full, 0, "model")
    qtbot.keyClick(table, KEY.Key_Down, SHIFT)
    assert table.selected_rows() == [(0, 1)]
    qtbot.keyClick(table, KEY.Key_End)
    assert (table.currentIndex().row(), table.currentIndex().column()) == (1, full.model.columnCount() - 1)
    qtbot.keyClick(table, KEY.Key_Home)
    assert table.currentIndex().column() == 0
    qtbot.keyClick(table, KEY.Key_Down, CONTROL)
    qtbot.keyClick(table, KEY.Key_Down, CONTROL)
    qtbot.keyClick(table, KEY.Key_Space, CONTROL)
    assert table.selected_rows() == [(1, 1), (3, 3)]


def test_typing_finds_a_row(qtbot: QtBot, full: TablePane) -> None:
    _go_to(full, 0, "input_tokens")
    qtbot.keyClicks(full.table, "na")
    assert full.table.currentIndex().row() == 1
    assert full.model.data(full.table.currentIndex()) == "nano"


def test_tab_leaves_the_table(qtbot: QtBot, full: TablePane) -> None:
    full.activateWindow()
    full.table.setFocus()
    qtbot.waitUntil(full.table.hasFocus)
    qtbot.keyClick(full.table, KEY.Key_Tab)
    assert full.totals.hasFocus()


# Menus


def test_menu_key_opens_the_menu_of_the_current_cell(full: TablePane) -> None:
    _go_to(full, 0, "project_id")
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(1, 1), QPoint(1, 1))
    QApplication.sendEvent(full.table.viewport(), event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert menu.actions()[0].text() == "&Filter to “Search”"
    menu.close()


def test_right_click_opens_the_menu_of_the_cell(full: TablePane) -> None:
    viewport = full.table.viewport()
    point = full.table.visualRect(full.model.index(2, full.model.section("project_id"))).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, viewport.mapToGlobal(point))
    QApplication.sendEvent(viewport, event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert menu.actions()[0].text() == "&Filter to “Checkout”"
    menu.close()


def test_no_menu_below_the_rows(full: TablePane) -> None:
    point = QPoint(10, full.table.viewport().height() - 2)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, full.table.viewport().mapToGlobal(point))
    QApplication.sendEvent(full.table.viewport(), event)
    assert QApplication.activePopupWidget() is None


# Appearance


def test_font_and_colours_follow_changes(full: TablePane) -> None:
    table = full.table
    before = table.rowHeight(0), table.columnWidth(0)
    larger = QFont(table.font())
    larger.setPointSizeF(larger.pointSizeF() * 2)
    table.setFont(larger)
    assert table.rowHeight(0) > before[0]
    assert table.columnWidth(0) > before[1]
    palette = QPalette(QColor("#202020"))
    palette.setColor(QPalette.ColorRole.Base, QColor("#101010"))
    palette.setColor(QPalette.ColorRole.Text, QColor("#ffffff"))
    full.setPalette(palette)
    stripe = table.palette().color(QPalette.ColorRole.AlternateBase)
    assert 0x10 < stripe.red() < 0x20  # close to the new background


def test_abbreviating_narrows_columns(pane: TablePane, table_of: TableOf, view_of: ViewOf) -> None:
    table = table_of(model=["a"], input_tokens=[10**24])
    _show(pane, table, view_of(table))
    before = pane.table.columnWidth(1)
    pane.table.set_presentation(Presentation(abbreviated=True))
    assert pane.table.columnWidth(1) < before


@pytest.mark.parametrize("per", [Granularity.DAY, Granularity.MONTH])
def test_table_of_periods_without_groups(
    pane: TablePane, table_of: TableOf, view_of: ViewOf, per: Granularity
) -> None:
    table = table_of(period=[0], per=per, input_tokens=[1])
    _show(pane, table, view_of(table, per=per))
    assert pane.model.data(pane.model.index(0, 0)).endswith("2026")


def test_result_with_other_columns_is_painted_once(
    full: TablePane, table_of: TableOf, view_of: ViewOf, qtbot: QtBot
) -> None:
    painted: list[QEvent.Type] = []

    class PaintRecorder(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                painted.append(event.type())
            return False

    recorder = PaintRecorder()
    full.table.viewport().installEventFilter(recorder)
    qtbot.wait(60)  # pending events
    painted.clear()
    table = table_of(project_id=["a much longer name than before", "b"], input_tokens=[123_456_789, 2])
    full.set_table(table, table.ordered(()), view_of(table))
    qtbot.wait(60)
    assert len(painted) == 1
    full.table.viewport().removeEventFilter(recorder)
