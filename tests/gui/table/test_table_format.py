"""Tests the mark of periods that are not final: after the label, fainter, spoken."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from usage_viewer.domain.period_status import PeriodStatus
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.cell_painter import PADDING
from usage_viewer.gui.table.table_format import MARKS, split_mark
from usage_viewer.gui.table.table_model import ACCESSIBLE, Presentation
from usage_viewer.gui.table.table_pane import TablePane

MAY_CHANGE, IN_PROGRESS = PeriodStatus.MAY_CHANGE, PeriodStatus.IN_PROGRESS


def statuses(marked: dict[int, PeriodStatus]) -> NDArray[np.int8]:
    """Return the statuses of 30 days, which are final except the `marked` ones."""
    return np.array([marked.get(day, PeriodStatus.FINAL) for day in range(30)], np.int8)


@pytest.fixture
def days(pane: TablePane, table_of: Callable[..., Table], view_of: Callable[..., ViewState]) -> TablePane:
    """Show three days: the first is final, the second may change, the third is in progress."""
    table = table_of(period=[0, 1, 2], input_tokens=[1, 2, 3])
    pane.set_table(table, table.ordered(()), view_of(table), statuses=statuses({1: MAY_CHANGE, 2: IN_PROGRESS}))
    return pane


def _cell(pane: TablePane, row: int) -> QImage:
    image = pane.table.viewport().grab().toImage()
    return image.copy(pane.table.visualRect(pane.model.index(row, 0)))


def _ink(cell: QImage, first: int, last: int) -> int:
    """Return the darkest lightness between two columns of pixels."""
    last = min(last, cell.width())
    return min(cell.pixelColor(x, y).lightness() for x in range(first, last) for y in range(2, cell.height() - 2))


def test_each_status_has_its_mark_in_cell_speech_and_tooltip(days: TablePane) -> None:
    model = days.model
    labels = [model.data(model.index(row, 0)) for row in range(3)]
    assert [split_mark(label)[1] for label in labels] == ["", " · may still change", " · in progress"]
    assert [model.data(model.index(row, 0), ACCESSIBLE) for row in range(3)] == labels
    tips = [model.data(model.index(row, 0), Qt.ItemDataRole.ToolTipRole) for row in range(3)]
    assert ["may still change" in text for text in tips] == [False, True, False]
    assert ["has not ended yet" in text for text in tips] == [False, False, True]


def test_mark_is_fainter_than_the_label(days: TablePane) -> None:
    cells, model = days.table.cells, days.model
    label = split_mark(model.data(model.index(1, 0)))[0]
    begin = PADDING + cells.text_width(label) + 2
    end = begin + cells.text_width(MARKS[MAY_CHANGE])
    cell = _cell(days, 1)
    assert _ink(cell, begin, end) > _ink(cell, PADDING, begin - 4) + 40
    other = _cell(days, 0)
    assert _ink(other, begin, end) > 230  # nothing is drawn there


def test_mark_is_left_out_before_the_label_is_cut(days: TablePane) -> None:
    cells, model = days.table.cells, days.model
    label = split_mark(model.data(model.index(1, 0)))[0]
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
    days.set_table(table, table.ordered(()), view_of(table), statuses=statuses({29: MAY_CHANGE}))
    days.table.set_presentation(Presentation())
    assert days.table.columnWidth(0) == wide
    days.set_table(table, table.ordered(()), view_of(table), statuses=statuses({}))
    days.table.set_presentation(Presentation())
    assert days.table.columnWidth(0) < wide
