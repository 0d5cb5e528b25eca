"""Tests the mark of periods that may change: after the label, fainter, spoken."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.cell_painter import PADDING
from usage_viewer.gui.table.table_format import MAY_CHANGE
from usage_viewer.gui.table.table_model import ACCESSIBLE, Presentation
from usage_viewer.gui.table.table_pane import TablePane


@pytest.fixture
def days(pane: TablePane, table_of: Callable[..., Table], view_of: Callable[..., ViewState]) -> TablePane:
    """Show two days, of which the second may change."""
    table = table_of(period=[0, 1], input_tokens=[1, 2])
    may_change = np.zeros(30, np.bool_)
    may_change[1] = True
    pane.set_table(table, table.ordered(()), view_of(table), may_change=may_change)
    return pane


def _cell(pane: TablePane, row: int) -> QImage:
    image = pane.table.viewport().grab().toImage()
    return image.copy(pane.table.visualRect(pane.model.index(row, 0)))


def _ink(cell: QImage, first: int, last: int) -> int:
    """Return the darkest lightness between two columns of pixels."""
    last = min(last, cell.width())
    return min(cell.pixelColor(x, y).lightness() for x in range(first, last) for y in range(2, cell.height() - 2))


def test_periods_that_may_change_are_marked(days: TablePane) -> None:
    model = days.model
    labels = [model.data(model.index(row, 0)) for row in (0, 1)]
    assert [label.endswith(MAY_CHANGE) for label in labels] == [False, True]
    assert model.data(model.index(1, 0), ACCESSIBLE) == labels[1]
    tips = [model.data(model.index(row, 0), Qt.ItemDataRole.ToolTipRole) for row in (0, 1)]
    assert ["May still change" in text for text in tips] == [False, True]


def test_mark_is_fainter_than_the_label(days: TablePane) -> None:
    cells, model = days.table.cells, days.model
    label = model.data(model.index(1, 0)).removesuffix(MAY_CHANGE)
    begin = PADDING + cells.text_width(label) + 2
    end = begin + cells.text_width(MAY_CHANGE)
    cell = _cell(days, 1)
    assert _ink(cell, begin, end) > _ink(cell, PADDING, begin - 4) + 40
    other = _cell(days, 0)
    assert _ink(other, begin, end) > 230  # nothing is drawn there


def test_mark_is_left_out_before_the_label_is_cut(days: TablePane) -> None:
    cells, model = days.table.cells, days.model
    label = model.data(model.index(1, 0)).removesuffix(MAY_CHANGE)
    width = cells.text_width(label) + 2 * PADDING + 12
    days.table.header.set_widths({"period": width})
    cell = _cell(days, 1)
    assert _ink(cell, PADDING + cells.text_width(label) + 2, cell.width() - 1) > 230


def test_column_has_room_for_the_mark_of_any_row(
    days: TablePane, table_of: Callable[..., Table], view_of: Callable[..., ViewState]
) -> None:
    wide = days.table.columnWidth(0)
    table = table_of(period=[0, 1], input_tokens=[1, 2])
    days.table.set_presentation(Presentation())
    days.set_table(table, table.ordered(()), view_of(table), may_change=np.eye(1, 30, 29, np.bool_)[0])
    days.table.set_presentation(Presentation())
    assert days.table.columnWidth(0) == wide
    days.set_table(table, table.ordered(()), view_of(table), may_change=np.zeros(30, np.bool_))
    days.table.set_presentation(Presentation())
    assert days.table.columnWidth(0) < wide
