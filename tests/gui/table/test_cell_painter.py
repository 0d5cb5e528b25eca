"""Tests the drawing of cells: bars, selection, numbers without enough room."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPalette, QRegion
from PySide6.QtWidgets import QApplication

from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.cell_painter import PADDING, row_height
from usage_viewer.gui.table.table_model import Presentation, TableModel
from usage_viewer.gui.table.table_pane import TablePane
from usage_viewer.gui.table.table_view import TableView

FLAGS = QItemSelectionModel.SelectionFlag


def _cell(pane: TablePane, row: int, name: str) -> QImage:
    image = pane.table.viewport().grab().toImage()
    return image.copy(pane.table.visualRect(pane.model.index(row, pane.model.section(name))))


def _bar_length(pane: TablePane, row: int) -> int:
    """Return the pixels along a line above the text that differ from the row's background."""
    cell = _cell(pane, row, "input_tokens")
    ground = cell.pixelColor(1, 1)
    return sum(cell.pixelColor(x, 5) != ground for x in range(cell.width()))


def test_bars_are_proportional_to_the_figures(full: TablePane) -> None:
    room = full.table.columnWidth(full.model.section("input_tokens")) - PADDING
    assert [_bar_length(full, row) for row in range(4)] == [round(room * share) for share in (1, 0.75, 0.5, 0.25)]


def test_bars_can_be_hidden(full: TablePane) -> None:
    full.table.set_presentation(Presentation(bars=False))
    assert [_bar_length(full, row) for row in range(4)] == [0] * 4


def test_selected_row_has_the_highlight_colour(full: TablePane) -> None:
    full.activateWindow()
    full.table.selectionModel().select(full.model.index(2, 0), FLAGS.ClearAndSelect | FLAGS.Rows)
    highlights = {
        full.table.palette().color(group, QPalette.ColorRole.Highlight).name()
        for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive)
    }
    assert _cell(full, 2, "output_tokens").pixelColor(3, 3).name() in highlights
    assert _cell(full, 1, "output_tokens").pixelColor(3, 3).name() not in highlights


def test_number_without_room_is_not_cut(
    full: TablePane, table_of: Callable[..., Table], view_of: Callable[..., ViewState]
) -> None:
    full.table.header.set_widths({"output_tokens": 40})
    pictures = []
    for value in (123_456_789, 987_654_321):
        table = table_of(model=["a"], output_tokens=[value])
        full.set_table(table, table.ordered(()), view_of(table))
        pictures.append(_cell(full, 0, "output_tokens"))
    assert pictures[0] == pictures[1]
    full.table.header.set_widths({"output_tokens": 140})
    assert _cell(full, 0, "output_tokens") != pictures[1]


def test_missing_figure_is_fainter(full: TablePane) -> None:
    def darkest(row: int) -> int:
        cell = _cell(full, row, "input_cached_tokens")
        return min(QColor(cell.pixel(x, y)).lightness() for x in range(cell.width()) for y in range(cell.height()))

    assert darkest(3) > darkest(0) + 60


def test_row_height_grows_with_the_font() -> None:
    small, large = QFont(), QFont()
    small.setPointSize(8)
    large.setPointSize(24)
    assert row_height(small) < row_height(large)
    assert row_height(small) % 4 == row_height(large) % 4 == 0


def _painted_in_parts(pane: TablePane, width: int, height: int) -> QImage:
    """Paints the viewport in small rectangles, as scrolling does."""
    viewport = pane.table.viewport()
    image = QImage(viewport.size(), QImage.Format.Format_RGB32)
    for y in range(0, viewport.height(), height):
        for x in range(0, viewport.width(), width):
            viewport.render(image, QPoint(x, y), QRegion(x, y, width, height))
    return image


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_parts_are_painted_like_the_whole(full: TablePane, direction: Qt.LayoutDirection) -> None:
    full.setLayoutDirection(direction)
    full.table.setCurrentIndex(full.model.index(1, 2))
    full.table.setFocus()
    full.table.verticalScrollBar().setValue(5)
    QApplication.processEvents()
    whole = _painted_in_parts(full, 2000, 2000)
    for size in ((53, 17), (2000, 1), (1, 2000), (300, 41)):
        assert _painted_in_parts(full, *size) == whole, size


def test_part_reads_only_its_own_texts(full: TablePane) -> None:
    places: list[int] = []

    class Watched(TableModel):
        def texts_of(self, first: int, count: int, place: int) -> list[str]:
            places.append(place)
            return super().texts_of(first, count, place)

    model = Watched()
    model.set_table(full.model.table, full.model.rows, full.model.view)
    table = TableView(model)
    places.clear()
    inside = table.visualRect(model.index(1, 2)).adjusted(1, 1, -1, -1)
    table.viewport().render(QImage(10, 10, QImage.Format.Format_RGB32), QPoint(), QRegion(inside))
    assert places == [2]


def test_cells_are_below_their_headers(full: TablePane) -> None:
    before = {name: _cell(full, 2, name) for name in ("output_tokens", "num_model_requests")}
    hidden = full.model.section("input_cached_tokens")
    full.table.setColumnHidden(hidden, True)
    full.table.header.moveSection(full.model.section("output_tokens"), 1)
    assert {name: _cell(full, 2, name) for name in before} == before


def test_current_cell_is_framed_while_focused(full: TablePane) -> None:
    full.table.setCurrentIndex(full.model.index(2, full.model.section("output_tokens")))
    full.table.clearSelection()
    full.table.setFocus()
    framed = _cell(full, 2, "output_tokens").pixelColor(1, 1)
    assert framed.name() == full.table.palette().color(QPalette.ColorRole.Highlight).name()
    full.totals.setFocus()
    assert _cell(full, 2, "output_tokens").pixelColor(1, 1) != framed


def test_empty_table_is_blank(
    pane: TablePane, table_of: Callable[..., Table], view_of: Callable[..., ViewState]
) -> None:
    empty = table_of(model=[], input_tokens=[])
    pane.set_table(empty, empty.ordered(()), view_of(empty))
    image = pane.table.viewport().grab().toImage()
    assert {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)} == {
        pane.table.palette().color(QPalette.ColorRole.Base).rgb()
    }


def test_amounts_are_aligned_at_the_point(
    pane: TablePane, table_of: Callable[..., Table], view_of: Callable[..., ViewState]
) -> None:
    amounts = [Decimal("1.00"), Decimal("12345.00"), Decimal("0.0031"), Decimal("-70.00")]
    table = table_of("costs", line_item=list("abcd"), amount=amounts)
    pane.set_table(table, table.ordered(()), view_of(table, dataset="costs"))
    ends = []
    for row in range(4):
        cell = _cell(pane, row, "amount")
        dark = {
            x for x in range(cell.width()) for y in range(cell.height()) if cell.pixelColor(x, y).lightness() < 60
        }
        ends.append(max(dark))  # of the cents: the digits after them are fainter
    assert max(ends) - min(ends) <= 1
    assert pane.table.cells.room_beyond("1.00", table.figure("amount")) > 0
