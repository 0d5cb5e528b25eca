"""The heads under a real mouse: sorting, moving, resizing, hovering."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from usage_viewer.domain.table import Table
from usage_viewer.domain.view import SortKey, ViewState
from usage_viewer.gui.table.table_pane import TablePane

LEFT_BUTTON = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


class Asked:
    """The views that a pane's table asks for; `answer` shows each at once, as the window does."""

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
def asked(full: TablePane) -> Asked:
    return Asked(full)


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


def test_a_click_sorts_and_another_turns_it_round(qtbot: QtBot, full: TablePane, asked: Asked) -> None:
    _click(qtbot, full, "output_tokens")
    assert asked.last.order == (SortKey("output_tokens", descending=True),)
    asked.answer()
    _click(qtbot, full, "output_tokens")
    assert asked.last.order == (SortKey("output_tokens"),)
    _click(qtbot, full, "model")
    assert asked.last.order == (SortKey("model"),)


def test_ctrl_click_adds_a_second_key_and_turns_it(qtbot: QtBot, full: TablePane, asked: Asked) -> None:
    _click(qtbot, full, "model", add=True)
    assert asked.last.order == (SortKey("input_tokens", descending=True), SortKey("model"))
    asked.answer()
    _click(qtbot, full, "model", add=True)
    assert asked.last.order == (SortKey("input_tokens", descending=True), SortKey("model", descending=True))


def test_a_click_selects_nothing(qtbot: QtBot, full: TablePane) -> None:
    _click(qtbot, full, "output_tokens")
    assert full.table.selected_rows() == []


def test_a_figure_is_dragged_among_figures(qtbot: QtBot, full: TablePane, asked: Asked) -> None:
    _drag(qtbot, full, _middle(full, "num_model_requests"), _middle(full, "input_cached_tokens") + QPoint(9, 0))
    assert asked.last.shown_columns == (
        "input_tokens",
        "input_cached_tokens",
        "num_model_requests",
        "output_tokens",
        "cached_share",
    )
    assert len(asked.views) == 1  # the drag is no click


def test_a_dragged_section_waits_for_the_view_where_it_was(qtbot: QtBot, full: TablePane) -> None:
    header = full.table.header
    with qtbot.waitSignal(header.column_moved) as moved:
        _drag(qtbot, full, _middle(full, "model"), _middle(full, "project_id") + QPoint(9, 0))
    assert moved.args == ["model", "num_model_requests"]
    assert [header.visualIndex(place) for place in range(header.count())] == list(range(header.count()))


def test_a_figure_stops_at_the_groups(qtbot: QtBot, full: TablePane, asked: Asked) -> None:
    _drag(qtbot, full, _middle(full, "input_tokens"), QPoint(3, 5))
    assert asked.last.shown_columns[:2] == ("input_tokens", "num_model_requests")
    assert asked.last.grouping == ("model", "project_id")


def test_a_dragged_edge_resizes_and_is_remembered_by_name(qtbot: QtBot, full: TablePane) -> None:
    header = full.table.header
    place = full.model.section("model")
    before = header.sectionSize(place)
    edge = QPoint(header.sectionViewportPosition(place) + before - 1, header.height() // 2)
    with qtbot.waitSignal(header.widths_changed):
        _drag(qtbot, full, edge, edge + QPoint(40, 0))
    assert header.widths() == {"model": before + 40}


def test_remembered_widths_come_back_with_their_columns(
    full: TablePane, models: Table, view_of: Callable[..., ViewState]
) -> None:
    header = full.table.header
    header.set_widths({"output_tokens": 222, "not_shown_now": 99})
    assert header.sectionSize(full.model.section("output_tokens")) == 222
    fewer = Table(tuple(column for column in models.columns if column.name != "input_tokens"), models.rows)
    full.set_table(fewer, fewer.ordered(()), view_of(fewer))
    assert header.sectionSize(full.model.section("output_tokens")) == 222
    assert header.widths() == {"output_tokens": 222, "not_shown_now": 99}


def test_widths_that_the_program_sets_are_not_the_users(full: TablePane) -> None:
    assert full.table.header.widths() == {}


def test_a_double_click_on_an_edge_fits_the_column_again(qtbot: QtBot, full: TablePane) -> None:
    header = full.table.header
    place = full.model.section("model")
    fitting = header.sectionSize(place)
    header.set_widths({"model": 300})
    edge = QPoint(header.sectionViewportPosition(place) + 299, header.height() // 2)
    qtbot.mouseDClick(header.viewport(), LEFT_BUTTON, pos=edge)
    assert header.sectionSize(place) == fitting
    assert header.widths() == {}


def test_a_right_click_opens_the_columns_menu(full: TablePane) -> None:
    viewport = full.table.header.viewport()
    point = _middle(full, "input_tokens")
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, viewport.mapToGlobal(point))
    QApplication.sendEvent(viewport, event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert "&Hide column" in [action.text() for action in menu.actions()]
    menu.close()
