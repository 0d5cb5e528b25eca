"""Tests the list of unusual days in the window, with the spikes of the demo organization."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from tests.rigs.window import TIMEOUT, User, WindowRig, WindowUnderTest
from usage_viewer.demo.server.faults import Fault
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.verification.record_dialog import RecordDialog

CONTROL = Qt.KeyboardModifier.ControlModifier
RANGE = DateRange(None, datetime(2026, 11, 1), datetime(2026, 11, 16))
COSTS = ViewState("costs", RANGE, grouping=("line_item",), columns=("amount", "quantity"))


@pytest.fixture
def window(rig: WindowRig) -> WindowUnderTest:
    return rig.start()


def open_list(rig: WindowRig, user: User, window: WindowUnderTest) -> RecordDialog:
    """Open the list by its key."""
    with rig.qtbot.waitSignal(window.parts.unusual.listed, timeout=TIMEOUT) as opened:
        user.key(Qt.Key.Key_U, CONTROL)
    dialog: Any = opened.args[0] if opened.args else None
    assert isinstance(dialog, RecordDialog)
    return dialog


def test_days_above_their_weekday_are_listed_with_their_basis(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    rig.show(window, COSTS.with_compare(Comparison.PREVIOUS))
    before = len(rig.server.requests)
    dialog = open_list(rig, user, window)
    assert len(rig.server.requests) > before  # the weeks before were loaded
    titles = [field.title for field in dialog.model.fields]
    assert titles == ["Day", "Line item", "Amount (USD)", "Expected", "Above", "Basis", "Highest of these"]
    days = dialog.model.rows
    assert 0 < len(days) <= 10
    assert [day.above for day in days] == sorted((day.above for day in days), reverse=True)
    assert days[0].groups[0][0] == "line_item"
    assert dialog.model.fields[5].text(days[0]).startswith("8 × ")
    assert "the median of the same weekday in the 8 weeks before" in dialog.intro.text()
    assert dialog.table.accessibleName() == "Unusual days"
    assert dialog.focusWidget() is dialog.table
    user.key(Qt.Key.Key_C, CONTROL)
    assert QApplication.clipboard().text().splitlines()[0].split("\t") == titles
    user.key(Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_figure_that_does_not_add_up_over_days_is_explained(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    rig.show(window, replace(ViewState(), range=RANGE, columns=("cached_share",)))
    dialog = open_list(rig, user, window)
    assert not dialog.model.rows
    assert "can't be added up over days" in dialog.empty_label.text()
    assert dialog.empty_label.isVisible()


def test_list_is_made_of_stored_days_if_the_weeks_before_cannot_be_loaded(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    rig.show(window, COSTS)
    rig.server.faults = lambda request: Fault(status=400) if "/costs" in request.path else None
    dialog = open_list(rig, user, window)
    assert not dialog.model.rows
    assert "Not judged: 15 days with fewer than 4 earlier weekdays loaded." in dialog.intro.text()
    assert "The weeks before could not be loaded: " in dialog.intro.text()
