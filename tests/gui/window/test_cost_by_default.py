"""The window shows cost beside usage where costs are stored, and says in a strip of which days it is not known."""

from datetime import UTC, datetime, timedelta

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication

from tests.app.test_unavailable import failing
from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.domain.cost_figures import COST
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import SortKey
from usage_viewer.gui.table.columns_menu import ColumnsMenu

FIRST = datetime.now(UTC).date() - timedelta(days=40)
WEEK = DateRange.days(FIRST, FIRST + timedelta(days=6))
THREE_DAYS = DateRange.days(FIRST, FIRST + timedelta(days=2))


def choose(rig: WindowRig, window: WindowUnderTest, name: str) -> None:
    rig.settle(window, lambda: window.page.dataset.menu_actions[name].trigger())


def start_with_spend(rig: WindowRig, chosen: DateRange) -> WindowUnderTest:
    """Open the window on the week, with the costs of some of its days."""
    window = rig.start()
    rig.show(window, window.view.with_range(WEEK))
    rig.show(window, ViewState("spend", chosen, grouping=("model",)))
    rig.show(window, ViewState("completions", WEEK, grouping=("model",)))
    return window


def columns(window: WindowUnderTest) -> list[str]:
    return [column.name for column in window.page.model.table.figures]


def columns_menu(window: WindowUnderTest, user: User) -> dict[str, QAction]:
    user.key(Qt.Key.Key_C, Qt.KeyboardModifier.AltModifier)
    menu = user.menu
    assert isinstance(menu, ColumnsMenu)
    return {action.text().replace("&", ""): action for action in menu.actions()}


def test_cost_is_shown_after_spend_was_loaded(rig: WindowRig, user: User) -> None:
    window = rig.start()
    rig.show(window, window.view.with_range(WEEK))
    usual = list(window.view.shown_columns)
    assert columns(window) == usual
    assert not any("/costs" in request.path for request in rig.server.requests)
    choose(rig, window, "spend")
    rig.show(window, window.view.with_range(WEEK))
    choose(rig, window, "completions")
    assert columns(window) == [*usual, COST]
    assert window.view.columns == (), "the user chose nothing"
    assert not window.page.incomplete.isVisible()
    model = window.page.model
    index = model.index(0, model.section(COST))
    assert str(index.data()) not in ("–", "0.00")
    assert "Cost (USD)" in str(model.headerData(model.section(COST), Qt.Orientation.Horizontal))
    tip = str(model.headerData(model.section(COST), Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole))
    assert "What the bill attributes to this usage" in tip


def test_user_hides_and_shows_cost_and_returns_to_the_default(rig: WindowRig, user: User) -> None:
    window = start_with_spend(rig, WEEK)
    entries = columns_menu(window, user)
    assert entries["Cost"].isChecked()
    assert not entries["Default columns"].isEnabled()
    rig.settle(window, entries["Cost"].trigger)
    assert COST not in columns(window)
    user.menu.close()
    choose(rig, window, "costs")
    choose(rig, window, "completions")
    assert COST not in columns(window), "the user's choice stays"
    entries = columns_menu(window, user)
    assert not entries["Cost"].isChecked()
    rig.settle(window, entries["Default columns"].trigger)
    user.menu.close()
    assert columns(window)[-1] == COST
    header = window.page.table.header_menu(COST)
    rig.settle(window, next(item for item in header.actions() if "Hide" in item.text()).trigger)
    assert COST not in columns(window)


def test_sorting_drilling_and_going_back_keep_the_default(rig: WindowRig, user: User) -> None:
    window = start_with_spend(rig, WEEK)
    rig.server.requests.clear()
    rig.settle(window, lambda: window.page.table.sort_by(window.page.model.table.figure(COST).key))
    assert window.view.order == (SortKey(COST, descending=True),)
    assert window.view.columns == ()
    figures = window.page.model.table.figure(COST)
    shown = [figures.value(int(row)) for row in window.page.model.rows]
    known = [value for value in shown if value is not None]
    assert known == sorted(known, reverse=True)
    assert rig.server.requests == []
    rig.settle(window, window.workspace.go_back)
    assert columns(window)[-1] == COST


def test_records_of_a_cost_are_listed(rig: WindowRig) -> None:
    window = start_with_spend(rig, WEEK)
    model = window.page.model
    menu = window.page.table.cell_menu(model.index(0, model.section(COST)))
    with rig.qtbot.waitSignal(window.verifier.sources_found):
        next(item for item in menu.actions() if "sources" in item.text().replace("&", "")).trigger()


def test_days_without_cost_are_said_and_one_button_loads_them(rig: WindowRig, user: User) -> None:
    window = start_with_spend(rig, THREE_DAYS)
    strip = window.page.incomplete
    assert strip.title == "Cost covers 3 of 7 days"
    missing = [FIRST + timedelta(days=days) for days in (3, 6)]
    text = strip.accessibleName().partition("Missing: ")[2]
    assert all(str(day.day) in text for day in missing)
    assert text.endswith("(UTC).")
    assert window.page.status.text.startswith("Complete: 7 days")
    before = window.page.model.table.figure(COST).total
    rig.settle(window, lambda: user.click(user.button("Load cost", strip)))
    assert not strip.isVisible()
    total = window.page.model.table.figure(COST).total
    assert before is not None
    assert total is not None
    assert total > before > 0


def test_refused_costs_leave_usage_as_it_was_and_are_said(rig: WindowRig, user: User) -> None:
    rig.server.faults = failing("costs", 403, "Your key may not read costs.")
    window = rig.start()
    rig.show(window, window.view.with_range(WEEK))
    requests = window.page.model.table.figure("num_model_requests").total
    assert not window.page.incomplete.isVisible()
    rig.show(window, window.view.with_columns((*window.view.shown_columns, COST)))
    assert window.page.model.table.figure("num_model_requests").total == requests
    assert window.page.model.table.figure(COST).total is None
    model = window.page.model
    assert {str(model.index(row, model.section(COST)).data()) for row in range(model.rowCount())} == {"–"}
    assert window.page.banner.title.startswith("Costs: ")
    window.page.banner.clear()
    assert window.page.incomplete.title == "Cost is not available"
    rig.server.faults = None
    rig.settle(window, lambda: user.click(user.button("Retry", window.page.incomplete)))
    assert not window.page.incomplete.isVisible()
    assert window.page.model.table.figure(COST).total


def test_costs_that_fail_leave_usage_and_are_said(rig: WindowRig) -> None:
    window = start_with_spend(rig, THREE_DAYS)
    rig.server.faults = failing("costs", 400, "Boo.")
    rig.show(window, window.view.with_columns((*window.view.shown_columns, COST)))
    assert window.error is not None
    assert not window.page.incomplete.isVisible(), "one failure is told once"
    window.page.banner.clear()
    assert window.page.incomplete.title == "Cost covers 3 of 7 days"


def test_attribution_is_in_tooltips_accessible_texts_totals_and_copies(rig: WindowRig, user: User) -> None:
    window = start_with_spend(rig, WEEK)
    model, role = window.page.model, Qt.ItemDataRole
    place = model.section(COST)
    figures = model.table.figure(COST)
    assert figures.origin is not None
    for row in range(model.rowCount()):
        words = figures.origin.text(int(model.rows[row]))
        index = model.index(row, place)
        if words:
            assert f"Attribution: {words}" in str(index.data(role.ToolTipRole))
            assert str(index.data(role.AccessibleTextRole)).endswith(f", {words}")
        else:
            assert "Attribution" not in str(index.data(role.ToolTipRole))
    assert "attributed" not in str(model.index(0, model.section("input_tokens")).data(role.AccessibleTextRole))
    header = str(model.headerData(place, Qt.Orientation.Horizontal, role.ToolTipRole))
    assert "Attribution: billed · attributed by tokens." in header
    assert "billed · attributed by tokens" in window.page.totals.accessibleName()
    window.commands.copy_json.trigger()
    rig.qtbot.waitUntil(lambda: "cost_attribution" in QApplication.clipboard().text())


def test_cost_older_than_its_usage_is_said(rig: WindowRig, user: User) -> None:
    morning = datetime.now(UTC).replace(hour=10, minute=0)
    rig.clock.ahead = morning.timestamp() - rig.clock.now
    window = rig.start()
    rig.show(window, ViewState("spend", window.view.range, grouping=("model",)))
    rig.clock.ahead += 4 * 3600
    rig.show(window, ViewState("completions", window.view.range, grouping=("model",)))
    strip = window.page.incomplete
    assert strip.title == "Cost may have changed"
    assert strip.accessibleName().startswith("Cost may have changed. Not final when loaded: ")
    rig.settle(window, lambda: user.click(user.button("Load cost", strip)))
    assert not strip.isVisible()
