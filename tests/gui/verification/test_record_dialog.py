"""Lists: read lazily, copied with titles, empty ones say so."""

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
def listing(qtbot: QtBot, parent: QWidget) -> RecordDialog:
    shown = RecordDialog("Things", RecordModel(FIELDS, ROWS), parent)
    shown.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(shown)
    with qtbot.waitExposed(shown):
        shown.open()
    return shown


def test_the_model_behaves(qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(RecordModel(FIELDS, ROWS), force_py=True)


def test_shows_titles_and_texts(listing: RecordDialog) -> None:
    model = listing.model
    assert [str(model.headerData(place, Qt.Orientation.Horizontal)).strip() for place in (0, 1)] == [
        "Name",
        "Count",
    ]
    assert model.data(model.index(1, 1)) == "2"
    assert model.data(model.index(0, 0), Qt.ItemDataRole.ToolTipRole) == "<qt>one &lt;b&gt;</qt>"
    assert model.data(model.index(0, 1), Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight
    assert listing.table.accessibleName() == listing.windowTitle() == "Things"


def test_copies_selected_rows_or_all_with_titles(qtbot: QtBot, listing: RecordDialog) -> None:
    qtbot.keyClick(listing.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "Name\tCount\none <b>\t1\ntwo\t2\nthree\t3\n"
    flags = QItemSelectionModel.SelectionFlag
    listing.table.selectionModel().select(listing.model.index(1, 0), flags.ClearAndSelect | flags.Rows)
    copy = next(button for button in listing.findChildren(QPushButton) if button.text() == "&Copy")
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "Name\tCount\ntwo\t2\n"


def test_makes_no_text_that_is_not_seen(qtbot: QtBot, parent: QWidget) -> None:
    asked: list[int] = []

    class Many(Sequence[int]):
        def __len__(self) -> int:
            return 1_000_000

        def __getitem__(self, place: Any) -> Any:
            if isinstance(place, int):
                asked.append(place)
                return place
            return range(len(self))[place]

    listing = RecordDialog("Many", RecordModel([Field[int]("Number", str)], Many()), parent)
    qtbot.addWidget(listing)
    with qtbot.waitExposed(listing):
        listing.open()
    listing.table.scrollToBottom()
    listing.table.viewport().grab()
    assert asked[-1] > 999_000
    assert len(asked) < 5000


def test_an_empty_list_says_so(listing: RecordDialog) -> None:
    listing.model.set_rows([])
    listing.say_when_empty("Nothing has changed")
    assert listing.nothing.isVisible()
    assert not listing.table.isVisible()
    listing.model.set_rows(ROWS)
    listing.say_when_empty("Nothing has changed")
    assert listing.table.isVisible()
    assert not listing.nothing.isVisible()


def test_escape_closes_it(qtbot: QtBot, listing: RecordDialog) -> None:
    qtbot.keyClick(listing.table, Qt.Key.Key_Escape)
    assert listing.isHidden()
