"""Tests the window where the organization refuses combinations of dimensions, always or before a day."""

import json

from PySide6.QtWidgets import QApplication

from tests.rigs.window import WindowRig, WindowUnderTest
from usage_viewer.demo.api.refusal import RefusedGroupings
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.table import GroupColumn
from usage_viewer.domain.view_parts import NOT_AVAILABLE


def show_costs(rig: WindowRig, window: WindowUnderTest, *grouping: str) -> GroupColumn:
    view = window.view.with_dataset("costs").with_range(DateRange(Preset.LAST_90_DAYS)).with_grouping(grouping)
    rig.show(window, view)
    (column,) = (item for item in window.page.model.table.columns if isinstance(item, GroupColumn))
    return column


def test_days_without_a_dimension_are_rows_of_their_own_and_said(rig: WindowRig) -> None:
    rig.server.refused = RefusedGroupings.of(rules=["costs:api_key_id<2026-11-01"])
    window = rig.start()
    column = show_costs(rig, window, "api_key_id")
    assert NOT_AVAILABLE in column.values
    assert "API key is not available before 1 Nov 2026." in window.page.notes.text
    assert window.page.model.table.figures[0].total == total_of(rig, window)
    window.commands.copy_json.trigger()
    rig.qtbot.waitUntil(lambda: "available" in QApplication.clipboard().text())
    rows = json.loads(QApplication.clipboard().text())
    assert {"available": False} in [row["api_key_id"] for row in rows]
    model = window.page.model
    labels = [model.data(model.index(row, 0)) for row in range(model.rowCount())]
    assert "(not available)" in labels


def total_of(rig: WindowRig, window: WindowUnderTest) -> object:
    """Return the total of the same range without any grouping."""
    assert window.workspace.session is not None
    return window.workspace.session.look(window.view.with_grouping(())).table.figures[0].total


def test_dimension_that_is_granted_alone_is_shown(rig: WindowRig) -> None:
    rig.server.refused = RefusedGroupings.of(rules=["costs:user_id+*"])
    window = rig.start()
    show_costs(rig, window, "line_item")
    total = window.page.model.table.figures[0].total
    column = show_costs(rig, window, "user_id")
    assert NOT_AVAILABLE not in column.values
    assert len(column.values) > 3
    assert window.page.model.table.figures[0].total == total
    assert "not available" not in window.page.notes.text


def test_ask_again_loads_what_is_granted_now(rig: WindowRig) -> None:
    rig.server.refused = RefusedGroupings.of(rules=["costs:user_id<2026-11-01"])
    window = rig.start()
    assert NOT_AVAILABLE in show_costs(rig, window, "user_id").values
    rig.server.refused = RefusedGroupings()
    rig.settle(window, window.commands.ask_again.trigger)
    (column,) = (item for item in window.page.model.table.columns if isinstance(item, GroupColumn))
    assert NOT_AVAILABLE not in column.values
    assert "not available" not in window.page.notes.text
