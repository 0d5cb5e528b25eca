"""Tests the list of line items in the window: one that is not recognized is mapped by hand, and undone."""

from datetime import datetime
from typing import Any

import pytest
from PySide6.QtCore import Qt

from tests.rigs.edited_answers import Row, edited
from tests.rigs.window import TIMEOUT, User, WindowRig, WindowUnderTest
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.verification.line_item_list import NO_USAGE, LineItemsDialog, MapDialog

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
SPEND = ViewState(
    "spend",
    DateRange(None, datetime(2026, 11, 4), datetime(2026, 11, 6)),
    grouping=("line_item", "model"),
    columns=("amount",),
)


def mystery(day: str, row: Row) -> Row:
    return row | {"line_item": "mystery"} if row["line_item"] == "o5, input" else row


@pytest.fixture
def window(rig: WindowRig) -> WindowUnderTest:
    rig.server.faults = edited({"costs": mystery})
    window = rig.start()
    rig.show(window, SPEND)
    return window


def open_list(rig: WindowRig, user: User, window: WindowUnderTest) -> LineItemsDialog:
    with rig.qtbot.waitSignal(window.parts.bill.listed, timeout=3 * TIMEOUT) as opened:
        user.key(Qt.Key.Key_I, CONTROL | SHIFT)
    dialog: Any = opened.args[0] if opened.args else None
    assert isinstance(dialog, LineItemsDialog)
    return dialog


def models(window: WindowUnderTest) -> set[object]:
    """Return the models that the table shows for the line item."""
    last = window.workspace.last
    assert last is not None
    lines, model = last.table.groups
    return {model.value(row) for row in range(last.table.rows) if lines.value(row) == "mystery"}


def test_line_item_is_mapped_by_hand_with_the_keyboard_and_undone(
    rig: WindowRig, user: User, window: WindowUnderTest
) -> None:
    assert models(window) == {None}
    dialog = open_list(rig, user, window)
    dialog.unrecognized.setChecked(True)
    names = [item.meaning.text for item in dialog.model.rows]
    dialog.table.setFocus()
    dialog.table.make_current(names.index("mystery"))
    assert not dialog.undo_button.isEnabled()
    user.key(Qt.Key.Key_Return)
    form = dialog.findChild(MapDialog)
    assert form is not None
    assert form.service.accessibleName() == "Usage of"
    form.service.setCurrentIndex(form.service.findData("completions"))
    form.model.setCurrentIndex(form.model.findData("o5"))
    form.kind.setCurrentIndex(form.kind.findData("output"))
    assert form.agreement.text() == "The billed quantity is equal to this usage on 0 of 2 days."
    form.kind.setCurrentIndex(form.kind.findData("input"))
    assert form.agreement.text() == "The billed quantity is equal to this usage on 2 of 2 days."
    rig.settle(window, form.button.click)
    assert models(window) == {"o5"}
    current = dialog.current
    assert current is not None
    texts = [field.text(current) for field in dialog.model.fields]
    assert (texts[0], texts[3], texts[4]) == ("mystery", "Completions · o5 · input", "by hand")
    assert "mapped by hand" in " ".join(window.workspace.last.look.notes if window.workspace.last else ())
    user.activate(dialog)
    dialog.table.setFocus()
    rig.settle(window, lambda: user.key(Qt.Key.Key_Delete))
    assert models(window) == {None}
    assert dialog.current is not None
    assert not dialog.current.is_by_hand


def test_no_usage_is_a_choice(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    dialog = open_list(rig, user, window)
    item = next(one for one in dialog.model.rows if one.meaning.text == "mystery")
    dialog.map_requested.emit(item)
    form = dialog.findChild(MapDialog)
    assert form is not None
    form.service.setCurrentText(NO_USAGE)
    assert (form.target, form.model.isEnabled(), form.kind.isEnabled()) == (None, False, False)
    rig.settle(window, form.button.click)
    assert models(window) == {None}
    store = window.workspace.store_session
    assert store is not None
    assert store.mappings.by_line == {("mystery", "tokens"): None}
