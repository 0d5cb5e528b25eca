"""Tests the checklist of columns."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.cost_figures import with_costs
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.columns_menu import ColumnsMenu, column_sections, with_column
from usage_viewer.gui.table.table_pane import TablePane

COMPLETIONS = DATASETS["completions"]


@pytest.fixture
def requests(full: TablePane) -> list[ViewState]:
    views: list[ViewState] = []
    full.table.view_requested.connect(views.append)
    return views


def _action(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text().replace("&", "") == text)


def _columns(menu: QMenu) -> ColumnsMenu:
    return next(child for child in menu.findChildren(ColumnsMenu))


def test_shows_and_hides_figures(full: TablePane, requests: list[ViewState]) -> None:
    menu = _columns(full.table.header_menu("model"))
    assert _action(menu, "Output").isChecked()
    assert not _action(menu, "Audio input").isChecked()
    _action(menu, "Audio input").trigger()
    _action(menu, "Output").trigger()  # the open menu continues from the last view
    assert "input_audio_tokens" in requests[-1].shown_columns
    assert "output_tokens" not in requests[-1].shown_columns
    _action(menu, "Default columns").trigger()
    assert requests[-1].shown_columns == COMPLETIONS.default_columns
    assert not _action(menu, "Default columns").isEnabled()


def test_last_figure_cannot_be_hidden(qtbot: QtBot, full: TablePane) -> None:
    requests: list[ViewState] = []
    menu = ColumnsMenu(ViewState(columns=("input_tokens",)), requests.append, full)
    assert not _action(menu, "Input").isEnabled()
    _action(menu, "Output").trigger()
    assert _action(menu, "Input").isEnabled()
    assert requests[-1].columns == ("input_tokens", "output_tokens")


def test_stays_open_on_click_and_space(qtbot: QtBot, full: TablePane) -> None:
    requests: list[ViewState] = []
    menu = ColumnsMenu(ViewState(), requests.append, full)
    menu.popup(full.mapToGlobal(full.rect().topLeft()))
    qtbot.waitUntil(menu.isVisible)
    action = _action(menu, "Audio input")
    qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())
    assert action.isChecked()
    menu.setActiveAction(action)
    qtbot.keyClick(menu, Qt.Key.Key_Space)
    assert not action.isChecked()
    assert menu.isVisible()
    assert len(requests) == 2
    menu.close()


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_every_figure_is_in_one_section(name: str) -> None:
    data = with_costs(DATASETS[name])
    names = [figure for _, section in column_sections(data) for figure in section]
    assert sorted(names) == sorted(item.name for item in data.columns)


def test_sections_have_titles() -> None:
    assert [title for title, _ in column_sections(COMPLETIONS)] == ["Default", "Input", "Output", "Cost"]


def test_figure_returns_to_its_place() -> None:
    shown = COMPLETIONS.default_columns
    without = [name for name in shown if name != "input_cached_tokens"]
    assert with_column(without, "input_cached_tokens", COMPLETIONS) == list(shown)
    assert with_column(["output_tokens"], "num_model_requests", COMPLETIONS)[0] == "num_model_requests"
