"""Tests the dialog of records: lazy texts, copies with titles, and the text of an empty list."""

from collections.abc import Sequence
from typing import Any

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from usage_viewer.gui.verification.record_dialog import Field, RecordDialog, RecordModel

FIELDS: list[Field[tuple[str, int]]] = [
    Field("Name", lambda row: row[0]),
    Field("Count", lambda row: str(row[1]), number=True),
]
ROWS = [("one <b>", 1), ("two", 2), ("three", 3)]


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


@pytest.fixture
def dialog(qtbot: QtBot, parent: QWidget) -> RecordDialog:
    shown = RecordDialog("Things", RecordModel(FIELDS, ROWS), parent)
    shown.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(shown)
    with qtbot.waitExposed(shown):
        shown.open()
    return shown


def test_model_is_valid(qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(RecordModel(FIELDS, ROWS), force_py=True)


def test_model_has_titles_texts_and_tooltips(dialog: RecordDialog) -> None:
    model = dialog.model
    assert [str(model.headerData(column, Qt.Orientation.Horizontal)).strip() for column in (0, 1)] == [
        "Name",
        "Count",
    ]
    assert model.data(model.index(1, 1)) == "2"
    assert model.data(model.index(0, 0), Qt.ItemDataRole.ToolTipRole) == "<qt>one &lt;b&gt;</qt>"
    assert model.data(model.index(0, 1), Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight
    assert dialog.table.accessibleName() == dialog.windowTitle() == "Things"


def test_copy_takes_selected_rows_or_all_with_titles(qtbot: QtBot, dialog: RecordDialog) -> None:
    qtbot.keyClick(dialog.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "Name\tCount\none <b>\t1\ntwo\t2\nthree\t3\n"
    flags = QItemSelectionModel.SelectionFlag
    dialog.table.selectionModel().select(dialog.model.index(1, 0), flags.ClearAndSelect | flags.Rows)
    copy_button = next(button for button in dialog.findChildren(QPushButton) if button.text() == "&Copy")
    qtbot.mouseClick(copy_button, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "Name\tCount\ntwo\t2\n"


def test_only_visible_rows_are_read(qtbot: QtBot, parent: QWidget) -> None:
    read_rows: list[int] = []

    class ManyRows(Sequence[int]):
        def __len__(self) -> int:
            return 1_000_000

        def __getitem__(self, index: Any) -> Any:
            if isinstance(index, int):
                read_rows.append(index)
                return index
            return range(len(self))[index]

    dialog = RecordDialog("Many", RecordModel([Field[int]("Number", str)], ManyRows()), parent)
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.open()
    dialog.table.scrollToBottom()
    dialog.table.viewport().grab()
    assert read_rows[-1] > 999_000
    assert len(read_rows) < 5000


def test_empty_list_shows_text_instead_of_table(dialog: RecordDialog) -> None:
    dialog.model.set_rows([])
    dialog.set_empty_text("No changes")
    assert dialog.empty_label.isVisible()
    assert not dialog.table.isVisible()
    dialog.model.set_rows(ROWS)
    dialog.set_empty_text("No changes")
    assert dialog.table.isVisible()
    assert not dialog.empty_label.isVisible()


def test_escape_closes_dialog(qtbot: QtBot, dialog: RecordDialog) -> None:
    qtbot.keyClick(dialog.table, Qt.Key.Key_Escape)
    assert dialog.isHidden()
