"""Tests the menus of headers and cells: each entry requests one view."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QItemSelectionModel
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, SortKey
from usage_viewer.gui.table.selection_keeper import selection_of
from usage_viewer.gui.table.table_menus import move_column
from usage_viewer.gui.table.table_pane import TablePane


@pytest.fixture
def requests(full: TablePane) -> list[ViewState]:
    views: list[ViewState] = []
    full.table.view_requested.connect(views.append)
    return views


def _action(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text().replace("&", "") == text)


def _texts(menu: QMenu) -> list[str]:
    return [action.text().replace("&", "") for action in menu.actions()]


def _cell_menu(pane: TablePane, row: int, name: str) -> QMenu:
    return pane.table.cell_menu(pane.model.index(row, pane.model.section(name)))


def test_hide_column(full: TablePane, requests: list[ViewState]) -> None:
    _action(full.table.header_menu("output_tokens"), "Hide column").trigger()
    assert "output_tokens" not in requests[-1].shown_columns
    assert requests[-1].shown_columns[0] == "num_model_requests"


def test_ungroup(full: TablePane, requests: list[ViewState]) -> None:
    menu = full.table.header_menu("model")
    assert "Hide column" not in _texts(menu)
    _action(menu, "Ungroup").trigger()
    assert requests[-1].grouping == ("project_id",)


def test_sort_entries(full: TablePane, requests: list[ViewState]) -> None:
    menu = full.table.header_menu("output_tokens")
    for text in ("Sort ascending", "Sort descending", "Also sort by this", "Don't sort"):
        _action(menu, text).trigger()
    first = SortKey("input_tokens", descending=True)
    assert [view.order for view in requests] == [
        (SortKey("output_tokens"),),
        (SortKey("output_tokens", descending=True),),
        (first, SortKey("output_tokens", descending=True)),
        (),
    ]
    assert "Also sort by this" not in _texts(full.table.header_menu("input_tokens"))


def test_size_to_contents_forgets_the_users_width(full: TablePane) -> None:
    place = full.model.section("model")
    fitting = full.table.columnWidth(place)
    full.table.header.set_widths({"model": 333})
    assert full.table.columnWidth(place) == 333
    _action(full.table.header_menu("model"), "Size to contents").trigger()
    assert full.table.columnWidth(place) == fitting
    assert full.table.header.widths() == {}


def test_filter_entries_of_a_cell(full: TablePane, requests: list[ViewState]) -> None:
    menu = _cell_menu(full, 0, "project_id")
    _action(menu, "Filter to “Search”").trigger()
    _action(menu, "Exclude “Search”").trigger()
    assert [view.filters for view in requests] == [
        (Filter("project_id", frozenset(["proj_a"])),),
        (Filter("project_id", frozenset(["proj_a"]), exclude=True),),
    ]
    assert not any(text.startswith("Filter") for text in _texts(_cell_menu(full, 0, "input_tokens")))


def test_grouping_entries_of_a_cell(full: TablePane, requests: list[ViewState]) -> None:
    menu = _cell_menu(full, 0, "input_tokens")
    groups = next(child for child in menu.findChildren(QMenu) if child.title() == "&Group by")
    assert _action(groups, "Model").isChecked()
    _action(groups, "User").trigger()
    assert requests[-1].grouping == ("model", "project_id", "user_id")


def test_copy_entries_of_a_cell(full: TablePane) -> None:
    copied: list[str] = []
    full.table.copy_requested.connect(copied.append)
    menu = _cell_menu(full, 0, "model")
    _action(menu, "Copy all 4 rows").trigger()
    formats = next(child for child in menu.findChildren(QMenu) if child.title() == "Copy &as")
    for action in formats.actions():
        action.trigger()
    assert copied == ["", "tsv", "csv", "markdown", "json"]


def test_cell_and_row_can_be_copied_alone(full: TablePane) -> None:
    cells: list[str] = []
    rows: list[int] = []
    full.table.cell_copy_requested.connect(cells.append)
    full.table.row_copy_requested.connect(rows.append)
    for name in ("model", "input_tokens"):
        menu = _cell_menu(full, 1, name)
        _action(menu, "Copy cell value").trigger()
        _action(menu, "Copy this row").trigger()
    row = int(full.model.rows[1])
    assert cells == [
        full.model.table.groups[0].labels[full.model.table.groups[0].code(row)],
        str(full.model.table.figure("input_tokens").value(row)),
    ]
    assert rows == [1, 1]


def test_entry_says_which_rows_are_copied(full: TablePane) -> None:
    for last, text in ((0, "Copy all 4 rows"), (1, "Copy 2 selected rows"), (3, "Copy all 4 rows")):
        full.table.selectionModel().select(
            selection_of(full.model, [(0, last)]), QItemSelectionModel.SelectionFlag.ClearAndSelect
        )
        _action(_cell_menu(full, 0, "model"), text)


def test_letters_of_copies_are_theirs_alone(full: TablePane) -> None:
    texts = [action.text() for action in _cell_menu(full, 0, "model").actions()]
    letters = [text.partition("&")[2][:1].lower() for text in texts]
    assert (letters.count("v"), letters.count("r")) == (1, 1)


def test_ampersand_in_a_name_is_shown(
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
    result = move_column(view, name, before)
    assert result is not None
    assert (result.grouping, result.shown_columns) == (grouping, columns)


@pytest.mark.parametrize(("name", "before"), [("model", "project_id"), ("period", ""), ("model", "model")])
def test_move_without_effect_requests_nothing(name: str, before: str) -> None:
    assert move_column(ViewState(grouping=("model", "project_id")), name, before) is None
