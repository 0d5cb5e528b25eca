"""Tests comparisons in the window: the control, the columns, the order, the fetch and the messages."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.domain.column_key import ChangeKind, ColumnKey
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import SortKey
from usage_viewer.gui.verification.verifier import CellSources

CHANGE = ColumnKey("amount", change=ChangeKind.AMOUNT)
BEFORE = ColumnKey("amount", compared=True)
WEEK = DateRange(None, datetime(2026, 11, 9), datetime(2026, 11, 16))
COSTS = ViewState("costs", WEEK, grouping=("line_item",), columns=("amount",))


@pytest.fixture
def window(rig: WindowRig) -> WindowUnderTest:
    return rig.start()


def amounts(table: Table, column: ColumnKey) -> dict[object, Decimal]:
    """Return the amount of each line item that has one."""
    figures, head = table.figure(column).figures, table.groups[0]
    rows = {head.value(row): figures.at(row) for row in range(table.rows)}
    return {item: Decimal(value) for item, value in rows.items() if value is not None}


def test_previous_period_is_chosen_by_keys_fetched_and_sorted_by_its_change(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    rig.show(window, COSTS)
    now, requests = amounts(window.page.model.table, ColumnKey("amount")), len(rig.server.requests)
    user.key(Qt.Key.Key_M, Qt.KeyboardModifier.AltModifier)
    rig.qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    rig.settle(window, lambda: user.key(Qt.Key.Key_P))
    assert window.view.compare is Comparison.PREVIOUS
    assert len(rig.server.requests) > requests
    assert window.page.compare.accessibleName() == "Comparison: vs previous"
    model, table = window.page.model, window.page.model.table
    assert amounts(table, ColumnKey("amount")) == now
    changes = [table.figure(CHANGE).figures.at(row) for row in model.rows.tolist()]
    assert changes == sorted(changes, key=lambda change: -Decimal(change or 0))
    labels = [column.label for column in table.columns]
    assert labels[1:3] == ["New or gone", "Amount (USD)"]
    assert labels[3:] == ["Amount (USD), before", "Amount (USD), change", "Amount (USD), change %"]
    assert "Compared with 2 Nov 2026 to 8 Nov 2026." in window.page.notes.text
    before = amounts(table, BEFORE)
    week_before = DateRange(None, datetime(2026, 11, 2), datetime(2026, 11, 9))
    rig.show(window, replace(COSTS, range=week_before))
    assert amounts(window.page.model.table, ColumnKey("amount")) == before
    total = window.page.model.table.figure("amount").total
    assert sum(before.values()) == total


def test_sorted_column_is_visible(rig: WindowRig, window: WindowUnderTest) -> None:
    rig.show(window, replace(window.view, range=WEEK))
    table = window.page.table
    rig.settle(window, lambda: window.page.compare.menu_actions[Comparison.PREVIOUS].trigger())
    (key,) = window.view.order
    assert key.column.change is ChangeKind.AMOUNT
    section = window.page.model.section(key.column)
    assert table.horizontalScrollBar().value() > 0
    assert table.columnViewportPosition(section) >= 0
    assert table.columnViewportPosition(section) + table.columnWidth(section) <= table.viewport().width()


def test_comparison_survives_a_restart_and_is_undone(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    rig.show(window, COSTS)
    rig.settle(window, lambda: window.page.compare.menu_actions[Comparison.WEEKDAY].trigger())
    assert window.view.order == (SortKey(CHANGE, descending=True),)
    assert "There is no usage in the compared period." not in window.page.notes.text
    rig.close(window)
    window = rig.start()
    assert (window.view.compare, window.view.order) == (Comparison.WEEKDAY, (SortKey(CHANGE, descending=True),))
    rig.settle(window, lambda: window.page.compare.menu_actions[Comparison.NONE].trigger())
    assert window.view.order == window.view.default_order
    assert window.page.model.table.find_figure(BEFORE) is None
    rig.settle(window, lambda: user.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier))
    assert window.page.model.table.find_figure(BEFORE) is not None


def test_copy_has_the_comparison_and_says_the_compared_days(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    rig.show(window, COSTS.with_compare(Comparison.MONTH))
    window.commands.provenance.trigger()
    with rig.qtbot.waitSignal(window.copying.done):
        user.key(Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QApplication.clipboard().text().splitlines()
    assert "compared with 2026-10-09 – 2026-10-15" in lines[0]
    assert lines[1].split("\t")[-2:] == ["Amount (USD), change", "Amount (USD), change %"]
    assert len(lines) == window.page.model.table.rows + 2


def test_days_are_compared_with_days_and_new_rows_are_marked(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    view = replace(COSTS, per=Granularity.DAY, range=DateRange(None, datetime(2026, 10, 1), datetime(2026, 11, 1)))
    rig.show(window, view.with_compare(Comparison.MONTH))
    table = window.page.model.table
    figures = [table.figure(ColumnKey("amount")), table.figure(BEFORE), table.figure(CHANGE)]
    now, before, change = (Decimal(figure.total or 0) for figure in figures)
    assert change == now - before
    assert sum(Decimal(value or 0) for value in table.figure(CHANGE).figures.listed()) == change
    assert "The periods differ in length: 31 days and 30 days." in window.page.notes.text
    marks, period = table.by_name["new_or_gone"], table.period
    assert period is not None
    last = len(period.periods) - 1  # 31 October: September has no such day
    rows = [row for row in range(table.rows) if period.value(row) == last]
    assert rows
    assert {marks.value(row) for row in rows} == {"new"}
    user.sort(window, "new_or_gone")
    rig.qtbot.waitUntil(lambda: window.page.model.view.order[0].column.name == "new_or_gone")


def test_open_period_is_compared_up_to_the_last_full_hour(rig: WindowRig, window: WindowUnderTest) -> None:
    rig.show(window, ViewState(grouping=("model",), columns=("input_tokens",)).with_compare(Comparison.PREVIOUS))
    other = window.workspace.last.look.compared  # type: ignore[union-attr]
    assert other is not None
    now = int(rig.clock())
    assert other.coverage.periods.span.end == now - now % 3600 - 30 * 86400
    assert other.coverage.complete
    assert "Compared up to" in window.page.notes.text


def test_tooltip_of_a_change_has_both_figures(rig: WindowRig, window: WindowUnderTest) -> None:
    rig.show(window, COSTS.with_compare(Comparison.PREVIOUS))
    model = window.page.model
    tip = model.data(model.index(0, model.section(CHANGE)), Qt.ItemDataRole.ToolTipRole)
    assert "Amount (USD), before:" in tip
    assert "Amount (USD):" in tip
    assert "of the total" not in tip


@pytest.mark.parametrize("width", [640, 800])
def test_control_has_room_in_a_narrow_window(rig: WindowRig, window: WindowUnderTest, width: int) -> None:
    window.resize(width, 600)
    rig.show(window, COSTS.with_compare(Comparison.PREVIOUS))
    page = window.page
    assert window.width() <= max(width, 800)
    controls = (page.dataset, page.range, page.compare, page.per, page.zone)
    rects = [control.geometry() for control in controls if control.isVisible()]
    assert page.compare.width() >= page.compare.fontMetrics().horizontalAdvance(page.compare.choice)
    assert all(not one.intersects(other) for one, other in pairwise(rects))


def test_sources_of_a_figure_before_are_records_of_the_compared_period(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    view = replace(COSTS, per=Granularity.DAY)
    rig.show(window, view.with_compare(Comparison.PREVIOUS))
    page, table = window.page, window.page.model.table
    marks = table.by_name["new_or_gone"]
    row = next(place for place, at in enumerate(page.model.rows.tolist()) if not marks.value(at))
    page.table.setCurrentIndex(page.model.index(row, page.model.section(BEFORE)))
    with rig.qtbot.waitSignal(window.verifier.sources_found) as found:
        user.key(Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    sources = found.args[0] if found.args else None
    assert isinstance(sources, CellSources)
    at, period = int(page.model.rows[row]), table.period
    assert period is not None
    day = int(period.periods.bounds[period.value(at)])
    assert [item.bucket.start for item in sources.contributions] == [day - 7 * 86400]
    place = sources.metrics.index("amount")
    assert sum(item.figures[place] or 0 for item in sources.contributions) == table.figure(BEFORE).figures.at(at)
