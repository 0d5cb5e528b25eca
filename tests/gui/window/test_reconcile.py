"""Tests the list of differences between bill and usage in the window, with the sample organization."""

from datetime import datetime
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from tests.rigs.edited_answers import billed_usage_only, edited
from tests.rigs.window import TIMEOUT, User, WindowRig, WindowUnderTest
from usage_viewer.app.bill.reconciliation import AGREES, NOT_PROVEN
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.verification.reconcile_list import ReconcileDialog

CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
RANGE = DateRange(None, datetime(2026, 10, 19), datetime(2026, 10, 23))
COMPLETIONS = ViewState("completions", RANGE, grouping=("model",))


@pytest.fixture
def window(rig: WindowRig) -> WindowUnderTest:
    return rig.start()


def open_list(rig: WindowRig, user: User, window: WindowUnderTest) -> ReconcileDialog:
    """Open the list by its key."""
    with rig.qtbot.waitSignal(window.parts.bill.listed, timeout=3 * TIMEOUT) as opened:
        user.key(Qt.Key.Key_R, CONTROL | SHIFT)
    dialog: Any = opened.args[0] if opened.args else None
    assert isinstance(dialog, ReconcileDialog)
    return dialog


def texts(dialog: ReconcileDialog, column: int) -> list[str]:
    return [dialog.model.fields[column].text(row) for row in dialog.model.rows]


def test_differences_are_listed_with_their_reasons(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    rig.show(window, COMPLETIONS)
    dialog = open_list(rig, user, window)
    assert [field.title for field in dialog.model.fields] == [
        "Day (UTC)", "Line item", "Reason", "Amount", "Billed", "Used", "Difference",
    ]  # fmt: skip
    assert {"Credit", "Evals", "No usage reported", "Not billed"} <= set(texts(dialog, 2))
    assert "differences." in dialog.intro.text()
    assert NOT_PROVEN in dialog.intro.text()
    assert dialog.table.accessibleName() == "Bill and usage"
    assert dialog.focusWidget() is dialog.table
    assert dialog.details.text() == dialog.model.rows[0].difference.reason.explanation
    user.key(Qt.Key.Key_C, CONTROL)
    lines = QApplication.clipboard().text().splitlines()
    assert len(lines) == 1 + len(dialog.model.rows)  # nothing is selected: all rows


def test_enter_opens_the_rows_of_the_bill_and_back_returns(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    rig.show(window, COMPLETIONS)
    dialog = open_list(rig, user, window)
    dialog.reasons.setCurrentIndex(dialog.reasons.findData("free_tokens"))
    assert set(texts(dialog, 2)) == {"Not billed"}
    dialog.table.setFocus()
    chosen = dialog.model.rows[0]
    rig.settle(window, lambda: user.key(Qt.Key.Key_Return))
    assert not window.findChildren(ReconcileDialog)
    assert window.view.dataset_name == "spend"
    last = window.workspace.last
    assert last is not None
    assert last.table.figure("amount").total == chosen.amounts[0][1]
    user.activate(window)
    rig.settle(window, lambda: user.key(Qt.Key.Key_Left, ALT))
    assert window.view == COMPLETIONS


def test_button_shows_the_usage_that_a_line_item_bills(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    rig.show(window, COMPLETIONS)
    dialog = open_list(rig, user, window)
    dialog.reasons.setCurrentIndex(dialog.reasons.findData("credit"))
    assert dialog.bill_button.isEnabled()
    assert not dialog.usage_button.isEnabled()
    dialog.reasons.setCurrentIndex(dialog.reasons.findData("free_tokens"))
    rig.settle(window, lambda: user.click(dialog.usage_button))
    assert window.view.dataset_name == "completions"
    assert window.view.filters[0].values == {"gpt-5.4-mini"}


def test_bill_that_agrees_is_said_to_agree(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    rig.server.faults = edited({"costs": billed_usage_only})
    rig.show(window, COMPLETIONS.with_range(DateRange(None, datetime(2026, 11, 2), datetime(2026, 11, 6))))
    dialog = open_list(rig, user, window)
    assert not dialog.model.rows
    assert dialog.empty_label.isVisible()
    assert dialog.empty_label.text() == AGREES
    assert not dialog.bill_button.isEnabled()
    assert not dialog.reasons.isVisible()
