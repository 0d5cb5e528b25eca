"""Tests that period and group columns stay in sight while the figures scroll sideways."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QHelpEvent, QImage
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.table_pane import TablePane

FIGURES = ("num_model_requests", "input_tokens", "input_cached_tokens", "output_tokens")
LEFT_BUTTON = Qt.MouseButton.LeftButton
RTL = Qt.LayoutDirection.RightToLeft


@pytest.fixture
def wide(pane: TablePane, table_of: Callable[..., Table], view_of: Callable[..., ViewState]) -> TablePane:
    """A pane of 600 pixels with two groups, 220 pixels wide, and 1,200 pixels of figures."""
    table = table_of(
        model=[f"model {row % 7}" for row in range(40)],
        project_id=[f"project {row}" for row in range(40)],
        **{name: [row * 1000 for row in range(40)] for name in FIGURES},
    )
    pane.resize(600, 300)
    pane.set_table(table, table.ordered(()), view_of(table))
    pane.table.header.set_widths({"model": 100, "project_id": 120} | dict.fromkeys(FIGURES, 300))
    QApplication.processEvents()
    return pane


def scroll_to_end(pane: TablePane) -> None:
    pane.scroll_bar.setValue(pane.scroll_bar.maximum())
    assert pane.table.header.offset() > 500
    QApplication.processEvents()


def grabbed(widget: QWidget, area: QRect) -> QImage:
    return widget.grab(area).toImage()


@pytest.mark.parametrize("direction", list(Qt.LayoutDirection)[:2])
def test_frozen_columns_look_the_same_wherever_the_figures_are(
    wide: TablePane, direction: Qt.LayoutDirection
) -> None:
    wide.setLayoutDirection(direction)
    QApplication.processEvents()
    room = wide.table.viewport().width()
    groups = QRect(room - 219 if direction == RTL else 0, 0, 219, 10_000)
    parts = (wide.table.viewport(), wide.table.header.viewport(), wide.totals)
    wide.table.selectRow(2)
    below = groups.translated(wide.table.viewport().x(), 0)
    areas = [groups & parts[0].rect(), groups & parts[1].rect(), below & wide.totals.rect()]
    first = [grabbed(part, area) for part, area in zip(parts, areas, strict=True)]
    rest = [grabbed(part, part.rect()) for part in parts]
    scroll_to_end(wide)
    assert [grabbed(part, area) for part, area in zip(parts, areas, strict=True)] == first
    assert [grabbed(part, part.rect()) for part in parts] != rest


def test_a_line_separates_frozen_columns_only_while_scrolled(wide: TablePane) -> None:
    line = QRect(219, 0, 1, 10_000)
    parts = (wide.table.viewport(), wide.table.header.viewport(), wide.totals)
    before = [grabbed(part, line & part.rect()) for part in parts]
    scroll_to_end(wide)
    for part, plain in zip(parts, before, strict=True):
        scrolled = grabbed(part, line & part.rect())
        assert scrolled != plain
        assert len({scrolled.pixel(0, y) for y in range(scrolled.height())}) == 1
    wide.scroll_bar.setValue(0)
    assert [grabbed(part, line & part.rect()) for part in parts] == before


@pytest.mark.parametrize("direction", list(Qt.LayoutDirection)[:2])
def test_each_click_goes_to_the_cell_that_is_shown(
    qtbot: QtBot, wide: TablePane, direction: Qt.LayoutDirection
) -> None:
    wide.setLayoutDirection(direction)
    scroll_to_end(wide)
    table, columns = wide.table, wide.model.columns
    sides = (50, 150, 560) if direction != RTL else (wide.table.viewport().width() - 50,)
    for x, name in zip(sides, ("model", "project_id", "output_tokens"), strict=False):
        cell = table.indexAt(QPoint(x, table.visualRect(wide.model.index(3, 0)).center().y()))
        assert (cell.row(), columns[cell.column()].name) == (3, name)
        qtbot.mouseClick(table.viewport(), LEFT_BUTTON, pos=table.visualRect(cell).center())
        assert table.currentIndex() == cell
        assert table.header.offset() > 500, "a click on a frozen column scrolls nothing"


def test_header_of_a_frozen_column_sorts_and_resizes_it(qtbot: QtBot, wide: TablePane) -> None:
    header = wide.table.header
    requests: list[ViewState] = []
    wide.table.view_requested.connect(requests.append)
    scroll_to_end(wide)
    qtbot.mouseClick(header.viewport(), LEFT_BUTTON, pos=QPoint(150, 5))
    assert requests[-1].order[0].column.name == "project_id"
    qtbot.mouseClick(header.viewport(), LEFT_BUTTON, pos=QPoint(560, 5))
    assert requests[-1].order[0].column.name == "output_tokens"
    qtbot.mousePress(header.viewport(), LEFT_BUTTON, pos=QPoint(99, 5))
    for x in (105, 120, 129):
        qtbot.mouseMove(header.viewport(), QPoint(x, 5))
    qtbot.mouseRelease(header.viewport(), LEFT_BUTTON, pos=QPoint(129, 5))
    assert header.widths()["model"] == 130
    assert header.frozen.width == 250
    qtbot.mouseDClick(header.viewport(), LEFT_BUTTON, pos=QPoint(129, 5))
    assert "model" not in header.widths(), "the width fits again"


def test_frozen_column_is_dragged_before_another(qtbot: QtBot, wide: TablePane) -> None:
    header = wide.table.header
    requests: list[ViewState] = []
    wide.table.view_requested.connect(requests.append)
    scroll_to_end(wide)
    qtbot.mousePress(header.viewport(), LEFT_BUTTON, pos=QPoint(150, 5))
    qtbot.mouseMove(header.viewport(), QPoint(60, 5))
    qtbot.mouseRelease(header.viewport(), LEFT_BUTTON, pos=QPoint(30, 5))
    assert requests[-1].grouping == ("project_id", "model")


def test_tooltip_is_the_one_of_the_shown_column(wide: TablePane) -> None:
    header = wide.table.header
    tips: list[str] = []
    for offset in (0, wide.scroll_bar.maximum()):
        wide.scroll_bar.setValue(offset)
        point = QPoint(150, 5)
        event = QHelpEvent(QEvent.Type.ToolTip, point, header.viewport().mapToGlobal(point))
        QApplication.sendEvent(header.viewport(), event)
        tips.append(wide.model.headerData(header.frozen.section_at(150), Qt.Orientation.Horizontal, 3))
    assert tips[0] == tips[1]


def test_keys_never_leave_the_current_cell_under_frozen_columns(qtbot: QtBot, wide: TablePane) -> None:
    scroll_to_end(wide)
    table = wide.table
    table.setFocus()
    table.setCurrentIndex(wide.model.index(0, len(wide.model.columns) - 1))
    for expected in ("input_cached_tokens", "input_tokens", "num_model_requests", "project_id", "model"):
        qtbot.keyClick(table, Qt.Key.Key_Left)
        current = table.currentIndex()
        assert wide.model.columns[current.column()].name == expected
        place = table.visualRect(current)
        frozen = table.header.frozen
        if current.column() >= frozen.count:
            assert place.left() >= frozen.width
        assert place.right() < table.viewport().width()
        assert table.indexAt(place.center()) == current


def test_columns_wider_than_half_of_the_table_scroll(wide: TablePane) -> None:
    frozen = wide.table.header.frozen
    scroll_to_end(wide)
    assert (frozen.count, frozen.width) == (2, 220)
    wide.table.header.set_widths({"model": 100, "project_id": 350})
    assert (frozen.count, frozen.width) == (1, 100)
    wide.table.header.set_widths({"model": 400})
    assert (frozen.count, frozen.width) == (0, 0)
    wide.scroll_bar.setValue(0)
    assert frozen.count == 0


def test_figures_without_groups_freeze_nothing(
    pane: TablePane, table_of: Callable[..., Table], view_of: Callable[..., ViewState]
) -> None:
    table = table_of(**{name: [1] for name in FIGURES})
    pane.set_table(table, table.ordered(()), view_of(table))
    pane.table.header.set_widths(dict.fromkeys(FIGURES, 400))
    QApplication.processEvents()
    scroll_to_end(pane)
    assert pane.table.header.frozen.count == 0


def test_menu_of_a_total_under_frozen_columns_is_not_offered(wide: TablePane) -> None:
    scroll_to_end(wide)
    assert len(wide.totals.menu(QPoint(50, 5)).actions()) == 1
    assert len(wide.totals.menu(QPoint(560, 5)).actions()) == 2
