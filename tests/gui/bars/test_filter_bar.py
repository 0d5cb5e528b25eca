from collections.abc import Callable, Sequence

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.domain.catalog import BATCH, MODEL, PROJECT
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, Value
from usage_viewer.gui.bars.filter_bar import SEARCH_DELAY_MS, FilterBar, filter_text

LEFT = Qt.MouseButton.LeftButton
NAMES = Names.of([Name("project", "proj_1", "R&D")])
VALUES: dict[str, Sequence[Value]] = {
    "project_id": [f"proj_{number}" for number in range(12)],
    "model": ["gpt-5", "gpt-6-astra"],
}
PLAIN = ViewState()
FILTERED = (
    PLAIN.with_filter(Filter("project_id", frozenset(["proj_1", "proj_2", "proj_3"])))
    .with_filter(Filter("model", frozenset(["gpt-5"]), exclude=True))
    .with_filter(Filter("batch", frozenset(["false"])))
)


@pytest.fixture
def bar(shown: Callable[[QWidget, int], None], wanted: list[ViewState]) -> FilterBar:
    bar = FilterBar(lambda dimension: VALUES.get(dimension, []), lambda: NAMES)
    bar.view_requested.connect(wanted.append)
    bar.show_view(FILTERED)
    shown(bar, 900)
    return bar


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Filter("project_id", frozenset(["proj_1"])), "Project: R&D"),
        (Filter("project_id", frozenset(["proj_1"]), exclude=True), "Project: not R&D"),
        (Filter("project_id", frozenset(["a", "b", "c"])), "Project: 3 of 12"),
        (Filter("project_id", frozenset(["a", "b"]), exclude=True), "Project: not 2 of 12"),
        (Filter("project_id", frozenset()), "Project: 0 of 12"),
        (Filter("project_id", frozenset([None])), "Project: (none)"),
    ],
)
def test_filter_text_of_one_and_several_values(chosen: Filter, expected: str) -> None:
    assert filter_text(chosen, PROJECT, NAMES, 12) == expected


def test_filter_text_of_boolean_is_yes_or_no() -> None:
    assert filter_text(Filter("batch", frozenset(["false"])), BATCH, NAMES, 2) == "Batch: no"
    assert filter_text(Filter("model", frozenset(["gpt-5"]), True), MODEL, NAMES, 2) == "Model: not gpt-5"


def test_bar_shows_chip_for_each_filter(bar: FilterBar, wanted: list[ViewState]) -> None:
    assert [chip.text() for chip in bar.chips.values()] == [
        "Project: 3 of 12",
        "Model: not gpt-5",
        "Batch: no",
    ]
    assert bar.clear_chip.isVisible()
    assert not wanted


def test_close_button_and_delete_remove_filter(bar: FilterBar, wanted: list[ViewState], qtbot: QtBot) -> None:
    qtbot.mouseClick(bar.chips["model"].close_button, LEFT)
    qtbot.keyClick(bar.chips["batch"], Qt.Key.Key_Delete)
    assert wanted == [FILTERED.without_filter("model"), FILTERED.without_filter("batch")]
    bar.show_view(wanted[0])
    assert list(bar.chips) == ["project_id", "batch"]


def test_clear_all_removes_filters_and_search(bar: FilterBar, wanted: list[ViewState], qtbot: QtBot) -> None:
    bar.show_view(FILTERED.with_search("abc"))
    with qtbot.waitSignal(bar.cleared):
        qtbot.mouseClick(bar.clear_chip, LEFT)
    assert wanted == [PLAIN]
    bar.show_view(PLAIN)
    assert not bar.clear_chip.isVisible()
    assert not bar.chips
    assert bar.search.text() == ""


def test_chip_opens_checklist(bar: FilterBar, wanted: list[ViewState], qtbot: QtBot) -> None:
    qtbot.mouseClick(bar.chips["project_id"], LEFT)
    assert bar.checklist.isVisible()
    assert bar.checklist.count.text() == "3 of 12"
    qtbot.keyClick(bar.checklist.list, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(bar.checklist.list, Qt.Key.Key_Return)
    assert wanted == [FILTERED.without_filter("project_id")]


def test_menu_adds_filter(bar: FilterBar, wanted: list[ViewState], qtbot: QtBot) -> None:
    bar.show_view(PLAIN)
    qtbot.mouseClick(bar.add_chip, LEFT)
    actions = {action.text(): action for action in bar.menu.actions()}
    assert list(actions) == [dimension.label for dimension in PLAIN.dataset.dimensions]
    qtbot.mouseClick(bar.menu, LEFT, pos=bar.menu.actionGeometry(actions["Model"]).center())
    assert bar.checklist.isVisible()
    qtbot.keyClicks(bar.checklist.search, "astra")
    qtbot.keyClick(bar.checklist.search, Qt.Key.Key_Return)
    assert wanted == [PLAIN.only("model", "gpt-6-astra")]


def test_change_of_dataset_closes_menu_and_checklist(bar: FilterBar, qtbot: QtBot) -> None:
    qtbot.mouseClick(bar.add_chip, LEFT)
    bar.show_view(PLAIN.with_zone("local"))
    assert bar.menu.isVisible()
    bar.show_view(ViewState(dataset_name="embeddings"))
    assert not bar.menu.isVisible()
    bar.open_checklist("model")
    bar.show_view(ViewState(dataset_name="vector_stores", grouping=()))
    assert not bar.checklist.isVisible()
    bar.open_checklist("model")  # by a click on the menu while it fades out
    assert not bar.checklist.isVisible()


def test_menu_checks_dimensions_with_filter(bar: FilterBar, qtbot: QtBot) -> None:
    qtbot.keyClick(bar.add_chip, Qt.Key.Key_Return)
    checked = [action.text() for action in bar.menu.actions() if action.isChecked()]
    assert checked == ["Project", "Model", "Batch"]
    bar.menu.close()


def test_filter_without_values_is_shown_and_can_be_removed(
    bar: FilterBar, wanted: list[ViewState], qtbot: QtBot
) -> None:
    bar.show_view(PLAIN.with_filter(Filter("project_id", frozenset())))
    assert bar.chips["project_id"].text() == "Project: 0 of 12"
    qtbot.mouseClick(bar.chips["project_id"].close_button, LEFT)
    assert wanted == [PLAIN]


def test_search_begins_when_typing_pauses(bar: FilterBar, wanted: list[ViewState], qtbot: QtBot) -> None:
    qtbot.keyClicks(bar.search, "astra")
    assert not wanted
    qtbot.waitUntil(lambda: bool(wanted), timeout=SEARCH_DELAY_MS * 10)
    assert wanted == [FILTERED.with_search("astra")]


def test_enter_starts_search_at_once(bar: FilterBar, wanted: list[ViewState], qtbot: QtBot) -> None:
    qtbot.keyClicks(bar.search, "a")
    qtbot.keyClick(bar.search, Qt.Key.Key_Return)
    assert wanted == [FILTERED.with_search("a")]
    bar.show_view(wanted[0])
    QTest.qWait(SEARCH_DELAY_MS * 2)
    assert len(wanted) == 1


def test_esc_clears_search(bar: FilterBar, wanted: list[ViewState], qtbot: QtBot) -> None:
    bar.show_view(FILTERED.with_search("abc"))
    assert bar.search.text() == "abc"
    qtbot.keyClick(bar.search, Qt.Key.Key_Escape)
    assert wanted == [FILTERED]
    assert bar.search.isClearButtonEnabled()


def test_new_view_does_not_overwrite_text_while_typing(bar: FilterBar, qtbot: QtBot) -> None:
    qtbot.keyClicks(bar.search, "ast")
    bar.show_view(FILTERED.with_search("as"))
    assert bar.search.text() == "ast"
    qtbot.keyClick(bar.search, Qt.Key.Key_Return)
    bar.show_view(FILTERED.with_search("ast"))
    bar.show_view(FILTERED)
    assert bar.search.text() == ""


def test_find_shortcut_focuses_search_box(bar: FilterBar, qtbot: QtBot) -> None:
    bar.show_view(FILTERED.with_search("abc"))
    bar.chips["model"].setFocus()
    QTest.keySequence(bar, QKeySequence(QKeySequence.StandardKey.Find))
    assert bar.search.hasFocus()
    assert bar.search.selectedText() == "abc"


def test_tab_order_is_from_left_to_right(bar: FilterBar, qtbot: QtBot) -> None:
    qtbot.keyClick(bar, Qt.Key.Key_L, Qt.KeyboardModifier.AltModifier)
    tab_order: list[QWidget] = [*bar.chips.values(), bar.add_chip, bar.clear_chip, bar.search]
    for part in tab_order:
        assert part.hasFocus()
        assert part.accessibleName()
        assert part.accessibleDescription()
        qtbot.keyClick(part, Qt.Key.Key_Tab)


def test_names_with_markup_are_shown_literally(bar: FilterBar) -> None:
    bar.show_view(PLAIN.only("model", "<img src=x>"))
    chip = bar.chips["model"]
    assert chip.text() == "Model: <img src=x>"
    assert "<img" not in chip.toolTip()


def test_chips_wrap_left_of_search_box_in_narrow_window(bar: FilterBar, qtbot: QtBot) -> None:
    bar.resize(500, 160)
    assert len({chip.y() for chip in [*bar.chips.values(), bar.clear_chip]}) > 1
    assert bar.search.geometry().right() <= 500
    assert all(chip.geometry().right() < bar.search.x() for chip in bar.chips.values())
