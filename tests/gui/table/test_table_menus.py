"""Menus of heads and cells: each entry asks for one view."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import Filter, SortKey, ViewState
from usage_viewer.gui.table.table_menus import ColumnsMenu, column_sections, moved, with_column
from usage_viewer.gui.table.table_pane import TablePane

COMPLETIONS = DATASETS["completions"]


@pytest.fixture
def asked(full: TablePane) -> list[ViewState]:
    views: list[ViewState] = []
    full.table.view_requested.connect(views.append)
    return views


def _action(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text().replace("&", "") == text)


def _texts(menu: QMenu) -> list[str]:
    return [action.text().replace("&", "") for action in menu.actions()]


def _cell_menu(pane: TablePane, row: int, name: str) -> QMenu:
    return pane.table.cell_menu(pane.model.index(row, pane.model.section(name)))


def _columns(menu: QMenu) -> ColumnsMenu:
    return next(child for child in menu.findChildren(ColumnsMenu))


def test_hiding_a_figure(full: TablePane, asked: list[ViewState]) -> None:
    _action(full.table.header_menu("output_tokens"), "Hide column").trigger()
    assert "output_tokens" not in asked[-1].shown_columns
    assert asked[-1].shown_columns[0] == "num_model_requests"


def test_ungrouping(full: TablePane, asked: list[ViewState]) -> None:
    menu = full.table.header_menu("model")
    assert "Hide column" not in _texts(menu)
    _action(menu, "Ungroup").trigger()
    assert asked[-1].grouping == ("project_id",)


def test_sorting_from_the_menu(full: TablePane, asked: list[ViewState]) -> None:
    menu = full.table.header_menu("output_tokens")
    for text in ("Sort ascending", "Sort descending", "Sort by this too", "Don't sort"):
        _action(menu, text).trigger()
    first = SortKey("input_tokens", descending=True)
    assert [view.order for view in asked] == [
        (SortKey("output_tokens"),),
        (SortKey("output_tokens", descending=True),),
        (first, SortKey("output_tokens", descending=True)),
        (),
    ]
    assert "Sort by this too" not in _texts(full.table.header_menu("input_tokens"))


def test_size_to_contents_forgets_the_users_width(full: TablePane) -> None:
    place = full.model.section("model")
    fitting = full.table.columnWidth(place)
    full.table.header.set_widths({"model": 333})
    assert full.table.columnWidth(place) == 333
    _action(full.table.header_menu("model"), "Size to contents").trigger()
    assert full.table.columnWidth(place) == fitting
    assert full.table.header.widths() == {}


def test_the_checklist_shows_and_hides_figures(full: TablePane, asked: list[ViewState]) -> None:
    menu = _columns(full.table.header_menu("model"))
    assert _action(menu, "Output").isChecked()
    assert not _action(menu, "Audio input").isChecked()
    _action(menu, "Audio input").trigger()
    _action(menu, "Output").trigger()  # the menu is still open, and goes on from the last view
    assert "input_audio_tokens" in asked[-1].shown_columns
    assert "output_tokens" not in asked[-1].shown_columns
    _action(menu, "Default columns").trigger()
    assert asked[-1].shown_columns == COMPLETIONS.default_columns
    assert not _action(menu, "Default columns").isEnabled()


def test_the_last_figure_stays(qtbot: QtBot, full: TablePane) -> None:
    asked: list[ViewState] = []
    menu = ColumnsMenu(ViewState(columns=("input_tokens",)), asked.append, full)
    assert not _action(menu, "Input").isEnabled()
    _action(menu, "Output").trigger()
    assert _action(menu, "Input").isEnabled()
    assert asked[-1].columns == ("input_tokens", "output_tokens")


def test_the_checklist_stays_open_under_mouse_and_space(qtbot: QtBot, full: TablePane) -> None:
    asked: list[ViewState] = []
    menu = ColumnsMenu(ViewState(), asked.append, full)
    menu.popup(full.mapToGlobal(full.rect().topLeft()))
    qtbot.waitUntil(menu.isVisible)
    action = _action(menu, "Audio input")
    qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())
    assert action.isChecked()
    menu.setActiveAction(action)
    qtbot.keyClick(menu, Qt.Key.Key_Space)
    assert not action.isChecked()
    assert menu.isVisible()
    assert len(asked) == 2
    menu.close()


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_every_figure_of_every_dataset_is_in_one_section(name: str) -> None:
    data = DATASETS[name]
    names = [one for _, section in column_sections(data) for one in section]
    assert sorted(names) == sorted(item.name for item in data.columns)


def test_sections_have_titles() -> None:
    assert [title for title, _ in column_sections(COMPLETIONS)] == ["Default", "Input", "Output"]


def test_a_figure_comes_back_to_its_place() -> None:
    shown = COMPLETIONS.default_columns
    without = [name for name in shown if name != "input_cached_tokens"]
    assert with_column(without, "input_cached_tokens", COMPLETIONS) == list(shown)
    assert with_column(["output_tokens"], "num_model_requests", COMPLETIONS)[0] == "num_model_requests"


def test_filtering_from_a_cell(full: TablePane, asked: list[ViewState]) -> None:
    menu = _cell_menu(full, 0, "project_id")
    _action(menu, "Filter to “Search”").trigger()
    _action(menu, "Exclude “Search”").trigger()
    assert [view.filters for view in asked] == [
        (Filter("project_id", frozenset(["proj_a"])),),
        (Filter("project_id", frozenset(["proj_a"]), exclude=True),),
    ]
    assert not any(text.startswith("Filter") for text in _texts(_cell_menu(full, 0, "input_tokens")))


def test_grouping_from_a_cell(full: TablePane, asked: list[ViewState]) -> None:
    menu = _cell_menu(full, 0, "input_tokens")
    groups = next(child for child in menu.findChildren(QMenu) if child.title() == "&Group by")
    assert _action(groups, "Model").isChecked()
    _action(groups, "User").trigger()
    assert asked[-1].grouping == ("model", "project_id", "user_id")


def test_copying_from_a_cell(full: TablePane) -> None:
    copied: list[str] = []
    full.table.copy_requested.connect(copied.append)
    menu = _cell_menu(full, 0, "model")
    _action(menu, "Copy").trigger()
    formats = next(child for child in menu.findChildren(QMenu) if child.title() == "Copy &as")
    for action in formats.actions():
        action.trigger()
    assert copied == ["", "tsv", "csv", "markdown", "json"]


def test_an_ampersand_in_a_name_is_one(
    pane: TablePane, table_of: Callable[..., Table], view_of: Callable[..., ViewState]
) -> None:
    table = table_of(labels={"p": "R&D" + "x" * 60}, project_id=["p"], input_tokens=[1])
    pane.set_table(table, table.ordered(()), view_of(table))
    text = _cell_menu(pane, 0, "project_id").actions()[0].text()
    assert "R&&D" in text
    assert len(text) < 60


@pytest.mark.parametrize(
    ("name", "before", "grouping", "columns"),
    [
        ("model", "", ("project_id", "model"), ("input_tokens", "output_tokens")),
        ("project_id", "model", ("project_id", "model"), ("input_tokens", "output_tokens")),
        ("output_tokens", "model", ("model", "project_id"), ("output_tokens", "input_tokens")),
        ("input_tokens", "", ("model", "project_id"), ("output_tokens", "input_tokens")),
    ],
)
def test_columns_move_among_their_kind(
    name: str, before: str, grouping: tuple[str, ...], columns: tuple[str, ...]
) -> None:
    view = ViewState(grouping=("model", "project_id"), columns=("input_tokens", "output_tokens"))
    result = moved(view, name, before)
    assert result is not None
    assert (result.grouping, result.shown_columns) == (grouping, columns)


@pytest.mark.parametrize(("name", "before"), [("model", "project_id"), ("period", ""), ("model", "model")])
def test_a_move_that_changes_nothing_asks_for_nothing(name: str, before: str) -> None:
    assert moved(ViewState(grouping=("model", "project_id")), name, before) is None
