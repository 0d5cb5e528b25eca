"""The table: selection at any size, its statistics, keys, menus, and what survives a new answer."""

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
from usage_viewer.domain.view import Filter, SortKey, ViewState
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
    """Notes which rows Qt looks at."""

    def __init__(self) -> None:
        super().__init__(QLocale("en_US"))
        self.looked_at: set[int] = set()

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        self.looked_at.add(index.row())
        return super().flags(index)


def _select(pane: TablePane, *rows: int) -> None:
    for row in rows:
        pane.table.selectionModel().select(pane.model.index(row, 0), FLAGS.Select | FLAGS.Rows)


def _go_to(pane: TablePane, row: int, name: str) -> None:
    pane.table.setCurrentIndex(pane.model.index(row, pane.model.section(name)))


def _show(pane: TablePane, table: Table, view: ViewState) -> None:
    pane.set_table(table, table.ordered(view.order), view)


# Selection


def test_ranges_are_merged_and_in_order(full: TablePane) -> None:
    _select(full, 3, 0, 1)
    assert full.table.selected_rows() == [(0, 1), (3, 3)]
    _select(full, 2)
    assert full.table.selected_rows() == [(0, 3)]


def test_the_whole_of_a_million_rows_is_one_range_and_no_row_is_asked(
    qtbot: QtBot, models: Table, view_of: ViewOf
) -> None:
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
    # Only what is in sight (and the corners of the selection): a head that asked for its column would ask for all.
    assert len(model.looked_at) < 100


def test_a_million_rows_end_where_they_end(qtbot: QtBot, pane: TablePane, models: Table, view_of: ViewOf) -> None:
    pane.set_table(models, np.arange(MILLION) % 4, view_of(models))
    _go_to(pane, 0, "input_tokens")
    qtbot.keyClick(pane.table, KEY.Key_End, CONTROL)
    assert pane.table.currentIndex().row() == MILLION - 1
    assert pane.table.selected_rows() == [(MILLION - 1, MILLION - 1)]
    qtbot.keyClick(pane.table, KEY.Key_Home, CONTROL | SHIFT)
    assert pane.table.selected_rows() == [(0, MILLION - 1)]
    assert pane.table.rowAt(0) == 0
    qtbot.keyClick(pane.table, KEY.Key_End, CONTROL | SHIFT)
    assert pane.table.selected_rows() == [(MILLION - 1, MILLION - 1)]  # back to where it began


def test_selecting_all_of_nothing(pane: TablePane) -> None:
    pane.table.selectAll()
    assert pane.table.selected_rows() == []


def test_statistics_follow_selection_and_current_column(qtbot: QtBot, full: TablePane) -> None:
    table = full.table
    with qtbot.waitSignal(table.selection_stats_changed) as told:
        _go_to(full, 0, "output_tokens")
        _select(full, 1)
    assert told.args is not None
    assert told.args[0] == SelectionStats(2, "Output", 2, 50, 25, 10, 40, unit="tokens")
    with qtbot.waitSignal(table.selection_stats_changed) as told:
        table.selectionModel().setCurrentIndex(full.model.index(0, 0), FLAGS.NoUpdate)
    assert told.args is not None
    assert told.args[0].column_label == "Requests"


def test_many_changes_are_told_once(qtbot: QtBot, full: TablePane) -> None:
    told: list[SelectionStats] = []
    full.table.selection_stats_changed.connect(told.append)
    _select(full, 0, 1, 2, 3)
    qtbot.waitUntil(lambda: bool(told))
    assert [stats.rows for stats in told] == [4]


# What survives a new answer


def test_a_sort_keeps_rows_selected_by_what_they_are_about(full: TablePane, models: Table, view_of: ViewOf) -> None:
    _select(full, 0, 3)  # gpt-6 of Search, o7 of Search
    _go_to_without_selecting(full, 1, "output_tokens")  # nano
    _show(full, models, view_of(models, "input_tokens"))
    assert full.table.selected_rows() == [(0, 0), (3, 3)]
    assert (full.table.currentIndex().row(), full.table.currentIndex().column()) == (2, 5)


def _go_to_without_selecting(pane: TablePane, row: int, name: str) -> None:
    pane.table.selectionModel().setCurrentIndex(pane.model.index(row, pane.model.section(name)), FLAGS.NoUpdate)


def test_newer_figures_keep_what_is_still_there(full: TablePane, table_of: TableOf, view_of: ViewOf) -> None:
    _select(full, 0, 1)  # gpt-6 of Search, nano of none
    newer = table_of(
        model=["new", "nano", "o7"],
        project_id=["proj_a", None, "proj_a"],
        input_tokens=[9, 8, 7],
    )
    _show(full, newer, view_of(newer))
    names = [full.model.data(full.model.index(row, 0)) for row in range(3)]
    assert full.table.selected_rows() == [(names.index("nano"), names.index("nano"))]


def test_another_grouping_selects_nothing(full: TablePane, table_of: TableOf, view_of: ViewOf) -> None:
    _select(full, 0)
    other = table_of(model=["gpt-6"], input_tokens=[1])
    _show(full, other, view_of(other))
    assert full.table.selected_rows() == []
    assert not full.table.currentIndex().isValid()


def test_a_large_selection_is_cleared(pane: TablePane, table_of: TableOf, view_of: ViewOf) -> None:
    table = table_of(model=[f"m{row}" for row in range(1001)], input_tokens=range(1001))
    _show(pane, table, view_of(table))
    pane.table.selectAll()
    _show(pane, table, view_of(table, "-input_tokens"))
    assert pane.table.selected_rows() == []


def test_newer_figures_leave_the_place_and_a_sort_shows_the_top(
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


def test_an_empty_answer_and_back(full: TablePane, models: Table, view_of: ViewOf) -> None:
    _select(full, 0)
    full.set_table(EMPTY, np.zeros(0, np.int64), ViewState())
    _show(full, models, view_of(models))
    assert full.table.selected_rows() == []


# Keys


def test_enter_on_a_group_filters_to_it(qtbot: QtBot, full: TablePane) -> None:
    _go_to(full, 1, "project_id")
    with qtbot.waitSignal(full.table.view_requested) as asked:
        qtbot.keyClick(full.table, KEY.Key_Return)
    assert asked.args is not None
    assert asked.args[0].filters == (Filter("project_id", frozenset([None])),)


def test_enter_on_a_figure_asks_for_nothing(qtbot: QtBot, full: TablePane) -> None:
    _go_to(full, 1, "input_tokens")
    with qtbot.assertNotEmitted(full.table.view_requested):
        qtbot.keyClick(full.table, KEY.Key_Return)


def test_keys_copy_and_sort(qtbot: QtBot, full: TablePane) -> None:
    _go_to(full, 1, "output_tokens")
    with qtbot.waitSignal(full.table.copy_requested) as copied:
        qtbot.keyClick(full.table, KEY.Key_C, CONTROL)
    assert copied.args == [""]
    with qtbot.waitSignal(full.table.view_requested) as asked:
        qtbot.keyClick(full.table, KEY.Key_S, CONTROL | SHIFT)
    assert asked.args is not None
    assert asked.args[0].order == (SortKey("output_tokens", descending=True),)


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


def test_typing_goes_to_the_row_that_begins_so(qtbot: QtBot, full: TablePane) -> None:
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


def test_the_menu_key_opens_the_menu_of_the_current_cell(full: TablePane) -> None:
    _go_to(full, 0, "project_id")
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(1, 1), QPoint(1, 1))
    QApplication.sendEvent(full.table.viewport(), event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert menu.actions()[0].text() == "&Filter to “Search”"
    menu.close()


def test_a_right_click_opens_the_menu_of_the_cell_under_it(full: TablePane) -> None:
    viewport = full.table.viewport()
    point = full.table.visualRect(full.model.index(2, full.model.section("project_id"))).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, viewport.mapToGlobal(point))
    QApplication.sendEvent(viewport, event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert menu.actions()[0].text() == "&Filter to “Checkout”"
    menu.close()


def test_no_menu_beside_the_rows(full: TablePane) -> None:
    point = QPoint(10, full.table.viewport().height() - 2)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, full.table.viewport().mapToGlobal(point))
    QApplication.sendEvent(full.table.viewport(), event)
    assert QApplication.activePopupWidget() is None


# Looks


def test_a_change_of_font_or_colours_is_followed(full: TablePane) -> None:
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
    assert 0x10 < stripe.red() < 0x20  # quiet, on the new colour


def test_abbreviating_makes_columns_fit_again(pane: TablePane, table_of: TableOf, view_of: ViewOf) -> None:
    table = table_of(model=["a"], input_tokens=[10**24])
    _show(pane, table, view_of(table))
    before = pane.table.columnWidth(1)
    pane.table.set_presentation(Presentation(abbreviated=True))
    assert pane.table.columnWidth(1) < before


@pytest.mark.parametrize("per", [Granularity.DAY, Granularity.MONTH])
def test_a_table_of_periods_alone(pane: TablePane, table_of: TableOf, view_of: ViewOf, per: Granularity) -> None:
    table = table_of(period=[0], per=per, input_tokens=[1])
    _show(pane, table, view_of(table, per=per))
    assert pane.model.data(pane.model.index(0, 0)).endswith("2026")


def test_an_answer_with_other_columns_is_painted_once(
    full: TablePane, table_of: TableOf, view_of: ViewOf, qtbot: QtBot
) -> None:
    painted: list[QEvent.Type] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                painted.append(event.type())
            return False

    watch = Watch()
    full.table.viewport().installEventFilter(watch)
    qtbot.wait(60)  # what was under way
    painted.clear()
    table = table_of(project_id=["a much longer name than before", "b"], input_tokens=[123_456_789, 2])
    full.set_table(table, table.ordered(()), view_of(table))
    qtbot.wait(60)
    assert len(painted) == 1
    full.table.viewport().removeEventFilter(watch)
