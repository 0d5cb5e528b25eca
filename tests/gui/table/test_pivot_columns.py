"""Tests that the columns of a pivot and of a comparison work like any other column of the window."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from tests.rigs.tables import COMPARED, KEYS_WITH_LIMITS, MONTHLY, PIVOTED, PIVOTED_NONE, PIVOTED_SHARE
from usage_viewer.app.export import Export
from usage_viewer.domain.selection_stats import SelectionStats
from usage_viewer.domain.table import ColumnKey, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import SortKey
from usage_viewer.gui.clipboard.clipboard import prepare, put
from usage_viewer.gui.table.table_model import SHARE_ROLE, SORT_ROLE
from usage_viewer.gui.table.table_pane import TablePane

ViewOf = Callable[..., ViewState]
LEFT_BUTTON = Qt.MouseButton.LeftButton
FLAGS = QItemSelectionModel.SelectionFlag


@pytest.fixture
def pivoted(pane: TablePane, pivot: Table, view_of: ViewOf) -> TablePane:
    """Show `pivot`, sorted by one of its columns."""
    _show(pane, pivot, view_of(pivot).with_order([SortKey(PIVOTED_NONE, descending=True)]))
    return pane


def _show(pane: TablePane, table: Table, view: ViewState) -> None:
    pane.set_table(table, table.ordered(view.order), view)


def _texts(pane: TablePane, column: ColumnKey) -> list[str]:
    model = pane.model
    return [model.data(model.index(row, model.section(column))) for row in range(model.rowCount())]


def _middle(pane: TablePane, column: ColumnKey) -> QPoint:
    header, place = pane.table.header, pane.model.section(column)
    return QPoint(header.sectionViewportPosition(place) + header.sectionSize(place) // 2, header.height() // 2)


def _action(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text().replace("&", "") == text)


def test_model_shows_every_column(qtmodeltester: ModelTester, pivoted: TablePane) -> None:
    qtmodeltester.check(pivoted.model)
    assert _texts(pivoted, ColumnKey("project_id")) == ["Search", "Chat", "(none)"]
    assert _texts(pivoted, ColumnKey("input_tokens")) == ["60", "50", "1"]
    assert _texts(pivoted, PIVOTED) == ["20", "40", "–"]
    assert _texts(pivoted, MONTHLY) == ["1", "2", "3"]
    assert _texts(pivoted, COMPARED) == ["–", "7", "8"]
    assert _texts(pivoted, PIVOTED_SHARE) == ["25.0 %", "25.0 %", "–"]
    labels = [pivoted.model.headerData(place, Qt.Orientation.Horizontal) for place in range(8)]
    assert labels[1:6] == ["Input", "Input, gpt-6", "Input, (none)", "Input, Oct 2026", "Input before"]


def test_sort_mark_and_bars_belong_to_one_column(pivoted: TablePane) -> None:
    model = pivoted.model
    marks = [model.headerData(place, Qt.Orientation.Horizontal, SORT_ROLE) for place in range(8)]
    assert [mark is not None for mark in marks] == [False, False, False, True, False, False, False, False]
    lengths = [model.data(model.index(0, place), SHARE_ROLE) for place in range(8)]
    assert [length is not None for length in lengths] == [False, False, False, True, False, False, False, False]


@pytest.mark.parametrize("key", KEYS_WITH_LIMITS)
def test_click_on_a_header_sorts_by_its_column(qtbot: QtBot, pivoted: TablePane, key: ColumnKey) -> None:
    pivoted.resize(1600, 400)
    with qtbot.waitSignal(pivoted.table.view_requested) as requested:
        qtbot.mouseClick(pivoted.table.header.viewport(), LEFT_BUTTON, pos=_middle(pivoted, key))
    assert requested.args is not None
    view = requested.args[0]
    assert view.order == (SortKey(key, descending=key != PIVOTED_NONE),)
    _show(pivoted, pivoted.model.table, view)
    numbers = [int(text) for text in _texts(pivoted, key) if text != "–"]
    assert numbers == sorted(numbers, reverse=view.order[0].descending)


def test_sort_entries_of_the_menu_keep_the_limits(pivoted: TablePane) -> None:
    views: list[ViewState] = []
    pivoted.table.view_requested.connect(views.append)
    menu = pivoted.table.header_menu(COMPARED)
    _action(menu, "Sort ascending").trigger()
    _action(menu, "Also sort by this").trigger()
    assert [view.order[-1] for view in views] == [SortKey(COMPARED), SortKey(COMPARED, descending=True)]
    assert len(views[-1].order) == 2


def test_hide_column_hides_the_figure_and_its_sort_keys(pivoted: TablePane) -> None:
    views: list[ViewState] = []
    pivoted.table.view_requested.connect(views.append)
    _action(pivoted.table.header_menu(MONTHLY), "Hide column").trigger()
    assert "input_tokens" not in views[0].shown_columns
    assert views[0].order == ()


def test_each_column_has_its_own_width(qtbot: QtBot, pivoted: TablePane, pivot: Table, view_of: ViewOf) -> None:
    pivoted.resize(1600, 400)
    header = pivoted.table.header
    place = pivoted.model.section(PIVOTED)
    before = [header.sectionSize(section) for section in range(8)]
    edge = QPoint(header.sectionViewportPosition(place) + before[place] - 1, header.height() // 2)
    with qtbot.waitSignal(header.widths_changed):
        qtbot.mousePress(header.viewport(), LEFT_BUTTON, pos=edge)
        qtbot.mouseMove(header.viewport(), edge + QPoint(20, 0))
        qtbot.mouseRelease(header.viewport(), LEFT_BUTTON, pos=edge + QPoint(40, 0))
    width = header.sectionSize(place)
    assert width > before[place]
    assert header.widths() == {"input_tokens@where=model=gpt-6": width}
    changed = [header.sectionSize(section) != before[section] for section in range(8)]
    assert changed == [section == place for section in range(8)]
    pivoted.table.header.set_widths({})
    header.set_widths({PIVOTED.text: 222, COMPARED.text: 111})
    _show(pivoted, pivot, view_of(pivot))
    assert header.sectionSize(place) == 222
    assert header.sectionSize(pivoted.model.section(COMPARED)) == 111


def test_each_column_has_its_own_total(pivoted: TablePane) -> None:
    pivoted.resize(1600, 400)
    labels, totals = (line.split("\t") for line in pivoted.totals.copy_text().split("\n"))
    assert dict(zip(labels, totals, strict=True)) == {
        "Input": "111",
        "Input, gpt-6": "60",
        "Input, (none)": "51",
        "Input, Oct 2026": "6",
        "Input before": "15",
        "Cached, gpt-6": "15",
        "Cached share, gpt-6": "25.0 %",
    }
    rects = [pivoted.totals.section_rect(key) for key in (ColumnKey("input_tokens"), *KEYS_WITH_LIMITS)]
    assert [rect.left() for rect in rects] == sorted({rect.left() for rect in rects})
    menu = pivoted.totals.menu(pivoted.totals.section_rect(COMPARED).center())
    assert menu.actions()[0].text().replace("&", "") == "Copy 15"


def test_statistics_are_those_of_the_current_column(qtbot: QtBot, pivoted: TablePane) -> None:
    table, model = pivoted.table, pivoted.model
    with qtbot.waitSignal(table.selection_stats_changed) as emitted:
        table.selectAll()
        table.selectionModel().setCurrentIndex(model.index(0, model.section(COMPARED)), FLAGS.NoUpdate)
    assert emitted.args == [SelectionStats(3, "Input before", 2, 15, emitted.args[0].average, 7, 8, unit="tokens")]
    with qtbot.waitSignal(table.selection_stats_changed) as emitted:
        table.selectionModel().setCurrentIndex(model.index(0, model.section(PIVOTED_SHARE)), FLAGS.NoUpdate)
    assert emitted.args is not None
    assert emitted.args[0].average == 15 / 60  # of the parts with the same limits


def test_tooltip_has_the_parts_with_the_same_limits(pivoted: TablePane) -> None:
    model = pivoted.model
    tip = model.data(model.index(0, model.section(PIVOTED_SHARE)), Qt.ItemDataRole.ToolTipRole)
    assert tip == "<qt>Cached share, gpt-6 = Cached ÷ Input<br>Cached, gpt-6: 5<br>Input, gpt-6: 20</qt>"


def test_current_column_is_kept_after_a_new_result(pivoted: TablePane, pivot: Table) -> None:
    model = pivoted.model
    pivoted.table.setCurrentIndex(model.index(1, model.section(MONTHLY)))
    fewer = Table(tuple(column for column in pivot.columns if column.key != PIVOTED), pivot.rows)
    _show(pivoted, fewer, model.view)
    assert pivoted.table.currentIndex().column() == model.section(MONTHLY) == 3


def test_rows_are_copied_with_every_column(qapp: QApplication, pivoted: TablePane) -> None:
    model = pivoted.model
    put(prepare(Export(model.table, model.rows)), qapp.clipboard())
    lines = [line.split("\t") for line in qapp.clipboard().text().splitlines()]
    assert lines[0][2:6] == ["Input, gpt-6", "Input, (none)", "Input, Oct 2026", "Input before"]
    assert lines[1] == ["Search", "60", "20", "40", "1", "", "5", "0.25"]


def test_columns_are_drawn_and_elided_like_plain_ones(pivoted: TablePane) -> None:
    pivoted.table.header.set_widths({PIVOTED.text: 150, MONTHLY.text: 150})
    view = pivoted.model.view.with_order([SortKey(PIVOTED)])
    _show(pivoted, pivoted.model.table, view)
    image = pivoted.table.viewport().grab().toImage()
    cell = image.copy(pivoted.table.visualRect(pivoted.model.index(0, pivoted.model.section(PIVOTED))))
    colours = {cell.pixel(x, y) for x in range(cell.width()) for y in range(cell.height())}
    assert len(colours) > 3  # text and bar
    assert np.array_equal(pivoted.model.rows, [0, 1, 2])
