"""Tests every role and order of the model, and Qt's own checks."""

import html
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QLocale, Qt
from pytestqt.modeltest import ModelTester

from usage_viewer.domain.table import EMPTY, Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.table_model import (
    BLOCK,
    LEFT,
    RIGHT,
    SHARE_ROLE,
    SORT_ROLE,
    VALUE_ROLE,
    Presentation,
    TableModel,
)

TableOf = Callable[..., Table]
ViewOf = Callable[..., ViewState]
ROLE = Qt.ItemDataRole


@pytest.fixture
def model(models: Table, view_of: ViewOf) -> TableModel:
    shown = TableModel(QLocale("en_US"))
    view = view_of(models, "-input_tokens", "model")
    shown.set_table(models, models.ordered(view.order), view)
    return shown


def _cell(model: TableModel, row: int, name: str, role: int = ROLE.DisplayRole) -> Any:
    return model.data(model.index(row, model.section(name)), role)


def _head(model: TableModel, name: str, role: int = ROLE.DisplayRole) -> Any:
    return model.headerData(model.section(name), Qt.Orientation.Horizontal, role)


def _column(model: TableModel, name: str) -> list[str]:
    return [_cell(model, row, name) for row in range(model.rowCount())]


def test_passes_qts_model_tests(
    qtmodeltester: ModelTester, model: TableModel, models: Table, view_of: ViewOf
) -> None:
    qtmodeltester.check(model, force_py=True)
    qtmodeltester.check(model)  # Qt's own tester keeps watching the changes below
    model.set_presentation(Presentation(abbreviated=True))
    view = view_of(models, "model")
    model.set_table(models, models.ordered(view.order), view)
    model.set_table(EMPTY, np.zeros(0, np.int64), ViewState())
    qtmodeltester.check(model, force_py=True)


def test_rows_are_in_the_order_of_the_permutation(model: TableModel) -> None:
    assert _column(model, "input_tokens") == ["4,000", "3,000", "2,000", "1,000"]
    assert _column(model, "model") == ["gpt-6", "nano", "gpt-6", "o7"]
    assert _column(model, "project_id") == ["Search", "(none)", "Checkout", "Search"]
    assert _column(model, "input_cached_tokens") == ["1,000", "0", "500", "–"]
    assert _column(model, "cached_share") == ["25.0 %", "0.0 %", "25.0 %", "–"]


def test_texts_of_several_blocks(table_of: TableOf, view_of: ViewOf) -> None:
    count = 3 * BLOCK + 5
    table = table_of(model=[f"m{row}" for row in range(count)], input_tokens=range(count))
    model = TableModel(QLocale("en_US"))
    model.set_table(table, np.arange(count)[::-1].copy(), view_of(table))
    assert _column(model, "input_tokens") == [str(value) for value in reversed(range(count))]


def test_periods_have_a_label_and_bounds_in_the_tooltip(table_of: TableOf, view_of: ViewOf) -> None:
    table = table_of(period=[1, 0], input_tokens=[1, 2])
    model = TableModel(QLocale("C"))
    model.set_table(table, table.ordered(()), view_of(table))
    assert _column(model, "period") == ["Sun, 1 Nov 2026", "Mon, 2 Nov 2026"]
    assert "2026-11-01T00:00:00Z – 2026-11-02T00:00:00Z" in _cell(model, 0, "period", ROLE.ToolTipRole)
    assert _cell(model, 0, "period", VALUE_ROLE) == 0


def test_numbers_are_right_aligned(model: TableModel) -> None:
    assert _cell(model, 0, "model", ROLE.TextAlignmentRole) == LEFT
    assert _cell(model, 0, "input_tokens", ROLE.TextAlignmentRole) == RIGHT
    assert _head(model, "model", ROLE.TextAlignmentRole) == LEFT
    assert _head(model, "input_tokens", ROLE.TextAlignmentRole) == RIGHT


def test_value_role(model: TableModel) -> None:
    assert [_cell(model, row, "project_id", VALUE_ROLE) for row in range(4)] == ["proj_a", None, "proj_b", "proj_a"]
    assert _cell(model, 3, "input_cached_tokens", VALUE_ROLE) is None
    assert _cell(model, 0, "input_tokens", VALUE_ROLE) == 4000


def test_tooltip_of_a_named_value_has_its_id(model: TableModel) -> None:
    assert _cell(model, 0, "project_id", ROLE.ToolTipRole) == "<qt>Search<br>proj_a</qt>"
    assert _cell(model, 1, "project_id", ROLE.ToolTipRole) == ""
    assert _cell(model, 0, "model", ROLE.ToolTipRole) == ""


def test_markup_in_a_name_is_escaped(table_of: TableOf, view_of: ViewOf) -> None:
    table = table_of(labels={"p": "<img src=x>"}, project_id=["p"], input_tokens=[1])
    model = TableModel(QLocale("C"))
    model.set_table(table, table.ordered(()), view_of(table))
    assert _cell(model, 0, "project_id") == "<img src=x>"
    assert "<img" not in _cell(model, 0, "project_id", ROLE.ToolTipRole)
    assert html.unescape("&lt;img src=x&gt;") in html.unescape(_cell(model, 0, "project_id", ROLE.ToolTipRole))


def test_tooltip_of_a_derived_figure_has_its_parts(model: TableModel) -> None:
    tip = _cell(model, 0, "cached_share", ROLE.ToolTipRole)
    assert tip == "<qt>Cached share = Cached ÷ Input<br>Cached: 1,000<br>Input: 4,000</qt>"


def test_tooltip_of_the_sorted_figure_has_its_share_of_the_total(model: TableModel) -> None:
    assert _cell(model, 0, "input_tokens", ROLE.ToolTipRole) == "<qt>40.0 % of the total</qt>"


def test_abbreviated_numbers_have_exact_ones_in_the_tooltip(model: TableModel) -> None:
    model.set_presentation(Presentation(abbreviated=True))
    assert _cell(model, 0, "input_tokens") == "4.00 k"
    assert "4,000" in _cell(model, 0, "input_tokens", ROLE.ToolTipRole)
    assert _cell(model, 0, "input_tokens", ROLE.AccessibleTextRole) == "4,000"
    model.set_presentation(Presentation())
    assert _cell(model, 0, "input_tokens") == "4,000"


def test_accessible_texts(model: TableModel) -> None:
    assert _cell(model, 3, "input_cached_tokens", ROLE.AccessibleTextRole) == "not given"
    assert _cell(model, 1, "project_id", ROLE.AccessibleTextRole) == "(none)"
    assert _head(model, "input_tokens", ROLE.AccessibleTextRole) == "Input, sorted descending, key 1 of 2"
    assert _head(model, "input_tokens") == "Input"


def test_bars_compare_the_first_sorted_figure_with_its_largest(model: TableModel) -> None:
    assert [_cell(model, row, "input_tokens", SHARE_ROLE) for row in range(4)] == [1.0, 0.75, 0.5, 0.25]
    assert _cell(model, 0, "output_tokens", SHARE_ROLE) is None
    assert _cell(model, 0, "model", SHARE_ROLE) is None
    model.set_presentation(Presentation(bars=False))
    assert _cell(model, 0, "input_tokens", SHARE_ROLE) is None


def test_bar_of_a_share_has_its_length(models: Table, view_of: ViewOf) -> None:
    model = TableModel()
    view = view_of(models, "model", "-cached_share")
    model.set_table(models, np.arange(4), view)
    assert [_cell(model, row, "cached_share", SHARE_ROLE) for row in range(4)] == [0.25, 0.0, 0.25, 0.0]
    assert "of the total" not in _cell(model, 0, "cached_share", ROLE.ToolTipRole)


def test_negative_and_missing_figures_have_no_bar(table_of: TableOf, view_of: ViewOf) -> None:
    table = table_of(model=["a", "b", "c"], input_cached_tokens=[-5, None, 0])
    model = TableModel()
    model.set_table(table, np.arange(3), view_of(table, "input_cached_tokens"))
    assert [_cell(model, row, "input_cached_tokens", SHARE_ROLE) for row in range(3)] == [0.0, 0.0, 0.0]


def test_headers_have_their_place_in_the_order(model: TableModel, models: Table, view_of: ViewOf) -> None:
    assert _head(model, "input_tokens", SORT_ROLE) == (True, 1, 2)
    assert _head(model, "model", SORT_ROLE) == (False, 2, 2)
    assert _head(model, "output_tokens", SORT_ROLE) is None
    model.set_table(models, np.arange(4), view_of(models, "num_requests_removed", "-model"))
    assert _head(model, "model", SORT_ROLE) == (True, 1, 1)


def test_headers_have_labels_and_tooltips(model: TableModel) -> None:
    assert _head(model, "project_id") == "Project"
    assert "Sum of all usage in this row." in _head(model, "input_tokens", ROLE.ToolTipRole)
    assert model.headerData(0, Qt.Orientation.Vertical) is None
    assert model.headerData(99, Qt.Orientation.Horizontal) is None


def test_other_roles_and_indices_return_none(model: TableModel) -> None:
    for role in (ROLE.FontRole, ROLE.BackgroundRole, ROLE.CheckStateRole, ROLE.DecorationRole):
        assert _cell(model, 0, "model", role) is None
    assert model.data(model.index(99, 0)) is None
    assert model.rowCount(model.index(0, 0)) == model.columnCount(model.index(0, 0)) == 0
    assert model.section("nowhere") == -1
