"""Tests the header with mouse events: sorting, moving, resizing, menus."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from usage_viewer.domain.table import ColumnKey, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import SortKey
from usage_viewer.gui.table.table_pane import TablePane

LEFT_BUTTON = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


class Requests:
    """Collects the views that a pane's table requests; `answer` shows the last one, as the window does."""

    def __init__(self, pane: TablePane) -> None:
        self.views: list[ViewState] = []
        self._pane = pane
        pane.table.view_requested.connect(self.views.append)

    @property
    def last(self) -> ViewState:
        return self.views[-1]

    def answer(self) -> None:
        table = self._pane.model.table
        self._pane.set_table(table, table.ordered(self.last.order), self.last)


@pytest.fixture
def requests(full: TablePane) -> Requests:
    return Requests(full)


def _middle(pane: TablePane, name: str) -> QPoint:
    header, place = pane.table.header, pane.model.section(name)
    return QPoint(header.sectionViewportPosition(place) + header.sectionSize(place) // 2, header.height() // 2)


def _click(qtbot: QtBot, pane: TablePane, name: str, add: bool = False) -> None:
    modifier = CONTROL if add else Qt.KeyboardModifier.NoModifier
    qtbot.mouseClick(pane.table.header.viewport(), LEFT_BUTTON, modifier, _middle(pane, name))


def _drag(qtbot: QtBot, pane: TablePane, start: QPoint, end: QPoint) -> None:
    viewport = pane.table.header.viewport()
    qtbot.mousePress(viewport, LEFT_BUTTON, pos=start)
    for step in range(1, 6):
        qtbot.mouseMove(viewport, start + (end - start) * step / 5)
    qtbot.mouseRelease(viewport, LEFT_BUTTON, pos=end)


def test_second_click_reverses_the_order(qtbot: QtBot, full: TablePane, requests: Requests) -> None:
    _click(qtbot, full, "output_tokens")
    assert requests.last.order == (SortKey("output_tokens", descending=True),)
    requests.answer()
    _click(qtbot, full, "output_tokens")
    assert requests.last.order == (SortKey("output_tokens"),)
    _click(qtbot, full, "model")
    assert requests.last.order == (SortKey("model"),)


def test_ctrl_click_adds_a_second_key_and_reverses_it(qtbot: QtBot, full: TablePane, requests: Requests) -> None:
    _click(qtbot, full, "model", add=True)
    assert requests.last.order == (SortKey("input_tokens", descending=True), SortKey("model"))
    requests.answer()
    _click(qtbot, full, "model", add=True)
    assert requests.last.order == (SortKey("input_tokens", descending=True), SortKey("model", descending=True))


def test_click_selects_nothing(qtbot: QtBot, full: TablePane) -> None:
    _click(qtbot, full, "output_tokens")
    assert full.table.selected_rows() == []


def test_figure_is_dragged_among_figures(qtbot: QtBot, full: TablePane, requests: Requests) -> None:
    _drag(qtbot, full, _middle(full, "num_model_requests"), _middle(full, "input_cached_tokens") + QPoint(9, 0))
    assert requests.last.shown_columns == (
        "input_tokens",
        "input_cached_tokens",
        "num_model_requests",
        "output_tokens",
        "cached_share",
    )
    assert len(requests.views) == 1  # a drag is not a click


def test_dragged_section_returns_until_the_view_changes(qtbot: QtBot, full: TablePane) -> None:
    header = full.table.header
    with qtbot.waitSignal(header.column_moved) as moved:
        _drag(qtbot, full, _middle(full, "model"), _middle(full, "project_id") + QPoint(9, 0))
    assert moved.args == [ColumnKey("model"), ColumnKey("num_model_requests")]
    assert [header.visualIndex(place) for place in range(header.count())] == list(range(header.count()))


def test_figure_dragged_to_the_groups_becomes_the_first_figure(
    qtbot: QtBot, full: TablePane, requests: Requests
) -> None:
    _drag(qtbot, full, _middle(full, "input_tokens"), QPoint(3, 5))
    assert requests.last.shown_columns[:2] == ("input_tokens", "num_model_requests")
    assert requests.last.grouping == ("model", "project_id")


def test_dragged_edge_sets_the_users_width(qtbot: QtBot, full: TablePane) -> None:
    header = full.table.header
    place = full.model.section("model")
    before = header.sectionSize(place)
    edge = QPoint(header.sectionViewportPosition(place) + before - 1, header.height() // 2)
    with qtbot.waitSignal(header.widths_changed):
        _drag(qtbot, full, edge, edge + QPoint(40, 0))
    assert header.widths() == {"model": before + 40}


def test_widths_are_kept_for_columns_not_shown(
    full: TablePane, models: Table, view_of: Callable[..., ViewState]
) -> None:
    header = full.table.header
    header.set_widths({"output_tokens": 222, "not_shown_now": 99})
    assert header.sectionSize(full.model.section("output_tokens")) == 222
    fewer = Table(tuple(column for column in models.columns if column.name != "input_tokens"), models.rows)
    full.set_table(fewer, fewer.ordered(()), view_of(fewer))
    assert header.sectionSize(full.model.section("output_tokens")) == 222
    assert header.widths() == {"output_tokens": 222, "not_shown_now": 99}


def test_fitted_widths_are_not_the_users(full: TablePane) -> None:
    assert full.table.header.widths() == {}


def test_double_click_on_an_edge_fits_the_column(qtbot: QtBot, full: TablePane) -> None:
    header = full.table.header
    place = full.model.section("model")
    fitting = header.sectionSize(place)
    header.set_widths({"model": 300})
    edge = QPoint(header.sectionViewportPosition(place) + 299, header.height() // 2)
    qtbot.mouseDClick(header.viewport(), LEFT_BUTTON, pos=edge)
    assert header.sectionSize(place) == fitting
    assert header.widths() == {}


def test_right_click_opens_the_header_menu(full: TablePane) -> None:
    viewport = full.table.header.viewport()
    point = _middle(full, "input_tokens")
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, viewport.mapToGlobal(point))
    QApplication.sendEvent(viewport, event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert "&Hide column" in [action.text() for action in menu.actions()]
    menu.close()
