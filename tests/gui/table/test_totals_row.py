"""Tests the label, the place and the copying of the totals."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from PySide6.QtCore import QEvent, QLocale, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QMenu, QToolTip
from pytestqt.qtbot import QtBot

from usage_viewer.domain.period import Granularity
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.formatting.numbers import NumberFormat
from usage_viewer.gui.table.table_model import Presentation
from usage_viewer.gui.table.table_pane import TablePane
from usage_viewer.gui.table.totals_row import totals_label

ENGLISH = NumberFormat(QLocale("en_US"))


@pytest.mark.parametrize(
    ("rows", "view", "note", "label"),
    [
        (42, ViewState(), "", "Total of 42 groups"),
        (1, ViewState(), "", "Total of 1 group"),
        (42, ViewState(), "27 of 30 days", "27 of 30 days: 42 groups"),
        (1234, ViewState(per=Granularity.DAY), "", "Total of 1,234 rows"),
        (0, ViewState(), "", "Total of 0 groups"),
        (1, ViewState(grouping=()), "", "Total of 1 row"),
    ],
)
def test_label_counts_rows_or_groups(rows: int, view: ViewState, note: str, label: str) -> None:
    assert totals_label(Table((), rows), view, note, ENGLISH) == label


def test_accessible_name_has_all_totals(full: TablePane) -> None:
    assert full.totals.accessibleName() == (
        "Total of 4 groups; Requests: 10; Input: 10,000; Cached: 1,500; Output: 100; Cached share: 15.0 %"
    )


def test_tooltip_of_a_total_has_all_digits(
    pane: TablePane, table_of: Callable[..., Table], view_of: Callable[..., ViewState]
) -> None:
    table = table_of("costs", line_item=["a", "b"], amount=[Decimal("1234.56789"), Decimal("-0.001")])
    pane.set_table(table, table.ordered(()), view_of(table, dataset="costs"))
    point = pane.totals.section_rect("amount").center()
    help_event = QHelpEvent(QEvent.Type.ToolTip, point, pane.totals.mapToGlobal(point))
    QApplication.sendEvent(pane.totals, help_event)
    assert "1,234.56689" in pane.totals.toolTip()
    QToolTip.hideText()
    assert table.figure("amount").total_text(pane.model.form) == "1,234.57"
    assert [pane.model.index(row, 1).data() for row in range(2)] == ["1,234.57", "−0.0010"]


def test_each_total_is_below_its_column(full: TablePane) -> None:
    header = full.table.header
    for column in full.model.table.figures:
        place = full.model.section(column.name)
        rect = full.totals.section_rect(column.name)
        assert (rect.left(), rect.width()) == (header.sectionViewportPosition(place), header.sectionSize(place))
    heads = full.totals.label_rect()
    assert heads.left() == 0
    assert heads.right() + 1 == full.totals.section_rect("num_model_requests").left()


def test_totals_follow_widths_scrolling_and_hiding(qtbot: QtBot, full: TablePane) -> None:
    before = full.totals.section_rect("output_tokens")
    full.table.header.set_widths({"model": full.table.columnWidth(0) + 50})
    assert full.totals.section_rect("output_tokens") == before.translated(50, 0)
    full.resize(300, 300)
    qtbot.waitUntil(lambda: full.scroll_bar.maximum() > 20)
    full.scroll_bar.setValue(20)
    assert full.totals.section_rect("output_tokens") == before.translated(30, 0)
    full.table.header.hideSection(full.model.section("output_tokens"))
    assert full.totals.section_rect("output_tokens").isEmpty()


def test_totals_are_drawn_in_their_rectangles(full: TablePane) -> None:
    drawn = full.totals.grab().toImage()
    background = drawn.pixelColor(drawn.width() - 2, drawn.height() - 3)
    for name in ("input_tokens", "cached_share"):
        rect = full.totals.section_rect(name).adjusted(2, 3, -2, -3)
        colours = {
            drawn.pixelColor(x, y).name()
            for x in range(rect.left(), rect.right())
            for y in range(rect.top(), rect.bottom())
        }
        assert background.name() in colours
        assert len(colours) > 2  # text, smoothed


def test_abbreviated_totals_are_copied_exactly(full: TablePane) -> None:
    full.table.set_presentation(Presentation(abbreviated=True))
    assert "Input: 10,000" in full.totals.accessibleName()
    assert "10,000" in full.totals.copy_text()


def _triggered(full: TablePane, menu: QMenu, place: int) -> list[str]:
    copied: list[str] = []
    full.totals.copy_requested.connect(copied.append)
    menu.actions()[place].trigger()
    return copied


def test_copy_one_total(full: TablePane) -> None:
    menu = full.totals.menu(full.totals.section_rect("input_tokens").center())
    assert [action.text().replace("&", "") for action in menu.actions()] == ["Copy 10,000", "Copy all totals"]
    assert _triggered(full, menu, 0) == ["10,000"]


def test_copy_all_totals_by_menu_and_key(qtbot: QtBot, full: TablePane) -> None:
    text = "Requests\tInput\tCached\tOutput\tCached share\n10\t10,000\t1,500\t100\t15.0 %"
    assert _triggered(full, full.totals.menu(QPoint(2, 2)), 0) == [text]
    with qtbot.waitSignal(full.totals.copy_requested) as copied:
        qtbot.keyClick(full.totals, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert copied.args == [text]


def test_missing_total_is_a_dash(
    pane: TablePane, table_of: Callable[..., Table], view_of: Callable[..., ViewState]
) -> None:
    table = table_of(model=["a"], input_cached_tokens=[None])
    pane.set_table(table, table.ordered(()), view_of(table))
    assert pane.totals.copy_text() == "Cached\n–"
