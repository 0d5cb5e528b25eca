"""Tests *Include empty rows* in the window, with the demo organization's unused keys and idle hours."""

from dataclasses import replace
from datetime import datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from tests.rigs.window import Oracle, User, WindowRig, WindowUnderTest, shown_sums
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import Granularity
from usage_viewer.query.empty_rows import INCLUDED

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(rig: WindowRig) -> WindowUnderTest:
    return rig.start()


def test_unused_keys_are_two_actions_away(
    rig: WindowRig, user: User, window: WindowUnderTest, oracle: Oracle
) -> None:
    rig.show(window, window.view.with_grouping(()))
    rig.settle(window, lambda: user.click(window.page.grouping.chips["api_key_id"]))
    used = {key[0] for key in oracle.sums(window.view)}
    before = {head.total for head in window.page.model.table.figures}
    rig.settle(window, lambda: user.key(Qt.Key.Key_E, CONTROL))
    listed = {item.id for item in rig.server.organization.directory.keys if item.deleted is None}
    unused = {key[0]: cells for key, cells in shown_sums(window).items() if key[0] not in used}
    assert listed - used
    assert set(unused) == {key for key in listed - used if ("api_key", key) in window.workspace.names.by_id}
    assert {cells["num_model_requests"] for cells in unused.values()} == {0}
    assert {head.total for head in window.page.model.table.figures} == before
    assert INCLUDED in window.page.notes.text
    with rig.qtbot.waitSignal(window.copying.done):
        user.key(Qt.Key.Key_C, CONTROL)
    assert len(QApplication.clipboard().text().splitlines()) == window.page.model.table.rows + 1


def test_idle_hours_are_rows_until_undone(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    day = DateRange(None, datetime(2026, 11, 7), datetime(2026, 11, 8))
    base = replace(window.view, range=day, per=Granularity.HOUR, grouping=(), zone="Asia/Tokyo")
    rig.show(window, base.only("model", "gpt-6-canvas"))
    expected = shown_sums(window)
    assert 0 < len(expected) < 24
    rig.settle(window, window.commands.include_empty.trigger)
    assert window.commands.include_empty.isChecked()
    shown = shown_sums(window)
    assert len(shown) == 24
    assert {key: cells for key, cells in shown.items() if cells["num_model_requests"]} == expected
    rig.settle(window, lambda: user.key(Qt.Key.Key_Z, CONTROL))
    assert not window.commands.include_empty.isChecked()
    assert shown_sums(window) == expected
    assert INCLUDED not in window.page.notes.text


def test_choice_is_kept_until_the_next_start(rig: WindowRig, window: WindowUnderTest) -> None:
    rig.settle(window, window.commands.include_empty.trigger)
    rig.close(window)
    again = rig.start()
    assert again.view.include_empty
    assert again.commands.include_empty.isChecked()
