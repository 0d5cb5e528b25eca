"""Tests the list of prices in the window, with the planted price changes of the sample organization."""

from datetime import date, datetime
from typing import Any

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtWidgets import QMenu

from tests.app.test_unavailable import failing
from tests.rigs.window import TIMEOUT, User, WindowRig, WindowUnderTest, entry
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.verification.price_list import PriceDialog

CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
RANGE = DateRange(None, datetime(2026, 10, 28), datetime(2026, 11, 8))
SPEND = ViewState("spend", RANGE, grouping=("model",), columns=("amount", "quantity"))


@pytest.fixture
def window(rig: WindowRig) -> WindowUnderTest:
    window = rig.start()
    rig.show(window, SPEND)
    return window


def opened(rig: WindowRig, window: WindowUnderTest, act: Any) -> PriceDialog:
    """Act, and return the list that opens."""
    with rig.qtbot.waitSignal(window.parts.bill.listed, timeout=3 * TIMEOUT) as signal:
        act()
    dialog: Any = signal.args[0] if signal.args else None
    assert isinstance(dialog, PriceDialog)
    return dialog


def go_to(window: WindowUnderTest, column: str, value: str) -> None:
    """Make the cell of a column in the row of a model the current one."""
    table, model = window.page.table, window.page.model
    group = model.table.groups[0]
    row = next(row for row in range(model.rowCount()) if group.value(int(model.rows[row])) == value)
    index = model.index(row, model.section(column))
    table.setFocus()
    table.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)


def line_items(dialog: PriceDialog) -> set[str]:
    return {row.line_item for row in dialog.model.rows}


def test_all_prices_and_only_changed_ones(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    go_to(window, "model", "o5")  # a cell without an amount
    dialog = opened(rig, window, lambda: user.key(Qt.Key.Key_P, CONTROL | SHIFT))
    assert len(line_items(dialog)) > 60
    assert "11 final days" in dialog.intro.text()
    assert not dialog.all_lines.isVisible()
    dialog.changed_only.setChecked(True)
    assert line_items(dialog) == {"web search tool calls"}
    texts = [field.text(dialog.model.rows[1]) for field in dialog.model.fields]
    assert texts[3:7] == ["0.003 USD", "unit", "0.0025", "+20 %"]
    assert texts[7].startswith("+")
    assert [field.text(dialog.model.rows[0]) for field in dialog.model.fields][5:] == ["", "", ""]
    assert dialog.table.accessibleName() == "Prices"
    user.key(Qt.Key.Key_Escape)


def test_amount_leads_to_the_prices_of_its_line_items(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    go_to(window, "amount", "o5")
    dialog = opened(rig, window, lambda: user.key(Qt.Key.Key_P, CONTROL | SHIFT))
    assert line_items(dialog)
    assert all(line.startswith("o5, ") for line in line_items(dialog))
    dialog.all_lines.setChecked(True)
    assert len(line_items(dialog)) > 60
    dialog.reject()


def test_menu_of_an_amount_has_its_prices_and_enter_opens_their_days(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    go_to(window, "quantity", "o5")
    table = window.page.table
    menu: QMenu = table.cell_menu(table.currentIndex())
    assert "Show prices…" not in [action.text().replace("&", "") for action in menu.actions()]
    go_to(window, "amount", "o5")
    menu = table.cell_menu(table.currentIndex())
    dialog = opened(rig, window, entry(menu, "Show prices…").trigger)
    dialog.table.setFocus()
    chosen = dialog.model.rows[0]
    rig.settle(window, lambda: user.key(Qt.Key.Key_Return))
    assert window.view.dataset_name == "spend"
    assert window.view.filters[0].values == {chosen.line_item}
    last = window.workspace.last
    assert last is not None
    assert float(chosen.price) in {float(value) for value in last.table.figure("price").figures.present()}
    user.activate(window)
    rig.settle(window, lambda: user.key(Qt.Key.Key_Left, ALT))
    assert window.view == SPEND


def test_costs_that_are_not_loaded_yet_are_loaded_or_the_error_is_shown(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    before = RANGE.days(date(2026, 9, 1), date(2026, 9, 3))
    rig.show(window, ViewState("vector_stores", before, grouping=()))
    dialog = opened(rig, window, lambda: user.key(Qt.Key.Key_P, CONTROL | SHIFT))
    assert "2026-09-01" in dialog.intro.text()
    dialog.reject()


def test_without_costs_the_error_is_shown(rig: WindowRig, user: User) -> None:
    rig.server.faults = failing("costs", 403, "Your key may not read costs.")
    window = rig.start()
    window.page.table.setFocus()
    rig.settle(window, lambda: user.key(Qt.Key.Key_P, CONTROL | SHIFT))
    assert window.error is not None
