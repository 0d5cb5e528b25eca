"""Cells as they are drawn: bars, selection, numbers that don't fit."""

from collections.abc import Callable

from PySide6.QtCore import QItemSelectionModel
from PySide6.QtGui import QColor, QFont, QImage, QPalette

from usage_viewer.domain.tables import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.delegate import PADDING, row_height
from usage_viewer.gui.table_pane import TablePane
from usage_viewer.gui.usage_model import Presentation

FLAGS = QItemSelectionModel.SelectionFlag


def _cell(pane: TablePane, row: int, name: str) -> QImage:
    image = pane.table.viewport().grab().toImage()
    return image.copy(pane.table.visualRect(pane.model.index(row, pane.model.section(name))))


def _bar_length(pane: TablePane, row: int) -> int:
    """Pixels along a line above the text that aren't the row's own colour."""
    cell = _cell(pane, row, "input_tokens")
    ground = cell.pixelColor(1, 1)
    return sum(cell.pixelColor(x, 5) != ground for x in range(cell.width()))


def test_bars_are_as_long_as_the_figures(full: TablePane) -> None:
    room = full.table.columnWidth(full.model.section("input_tokens")) - PADDING
    assert [_bar_length(full, row) for row in range(4)] == [round(room * share) for share in (1, 0.75, 0.5, 0.25)]


def test_bars_can_be_switched_off(full: TablePane) -> None:
    full.table.set_presentation(Presentation(bars=False))
    assert [_bar_length(full, row) for row in range(4)] == [0] * 4


def test_a_selected_row_has_the_palettes_highlight(full: TablePane) -> None:
    full.activateWindow()
    full.table.selectionModel().select(full.model.index(2, 0), FLAGS.ClearAndSelect | FLAGS.Rows)
    highlights = {
        full.table.palette().color(group, QPalette.ColorRole.Highlight).name()
        for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive)
    }
    assert _cell(full, 2, "output_tokens").pixelColor(3, 3).name() in highlights
    assert _cell(full, 1, "output_tokens").pixelColor(3, 3).name() not in highlights


def test_a_number_that_does_not_fit_is_not_cut_to_another_one(
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


def test_missing_is_drawn_fainter_than_a_figure(full: TablePane) -> None:
    def darkest(row: int) -> int:
        cell = _cell(full, row, "input_cached_tokens")
        return min(QColor(cell.pixel(x, y)).lightness() for x in range(cell.width()) for y in range(cell.height()))

    assert darkest(3) > darkest(0) + 60


def test_rows_grow_with_the_font() -> None:
    small, large = QFont(), QFont()
    small.setPointSize(8)
    large.setPointSize(24)
    assert row_height(small) < row_height(large)
    assert row_height(small) % 4 == row_height(large) % 4 == 0
