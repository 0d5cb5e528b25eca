"""Tests *Include empty rows* in the window, with the demo organization's unused keys and idle hours."""

import re
from dataclasses import replace
from datetime import datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from tests.rigs.window import Oracle, User, WindowRig, WindowUnderTest, shown_sums
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.names import NEVER
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


def test_last_use_of_keys_is_shown_sorted_and_copied(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    rig.show(window, window.view.with_grouping(["api_key_id"]).with_empty_rows(True))
    model, listed = window.page.model, rig.server.organization.last_used(int(rig.server.clock()))
    user.sort(window, "api_key_id_last_used")
    column, head = model.table.by_name["api_key_id_last_used"], model.table.by_name["api_key_id"]
    of_key = {head.value(row): column.value(row) for row in range(model.table.rows)}
    keys = [item.id for item in rig.server.organization.directory.keys if item.deleted is None]
    assert {key: of_key[key] for key in keys if key in of_key} == {
        key: listed.get(key, NEVER) for key in keys if key in of_key
    }
    assert len(set(keys) & set(of_key)) > 20
    rig.qtbot.waitUntil(lambda: model.texts(0, 1)[0] == "never")
    assert re.match("(Sat|Sun|Mon|Tue|Wed|Thu|Fri), ", model.texts(0, 1)[-2])
    with rig.qtbot.waitSignal(window.copying.done):
        user.key(Qt.Key.Key_C, CONTROL)
    lines = [line.split("\t") for line in QApplication.clipboard().text().splitlines()]
    assert lines[0][1] == "API key last used (UTC)"
    assert lines[1][1] == "never"
    moments = [line[1] for line in lines[1:] if line[1] not in ("never", "")]
    assert moments == sorted(moments)
    rig.close(window)
    assert [key.column.name for key in rig.start().view.order] == ["api_key_id_last_used"]


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
