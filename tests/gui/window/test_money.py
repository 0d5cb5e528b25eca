"""Tests money in the real window: cents that add up, exact tooltips and copies, the order of Costs."""

import re
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.table import FigureColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import SortKey
from usage_viewer.gui.formatting.numbers import MINUS

CENT = Decimal("0.01")


@pytest.fixture
def window(rig: WindowRig) -> WindowUnderTest:
    """Open the window and choose Costs as the menu does."""
    window = rig.start()
    rig.settle(window, lambda: window.page.dataset.menu_actions["costs"].trigger())
    return window


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace(MINUS, "-"))


def _cents(text: str) -> Decimal:
    """Return what a reader adds: the amount up to its cents."""
    return Decimal(0) if text[0] in "<>" else (_number(text) * 100).__trunc__() * CENT


def _amounts(window: WindowUnderTest) -> tuple[FigureColumn, list[str]]:
    model = window.page.model
    place = model.section("amount")
    column = model.table.figure("amount")
    return column, [str(model.index(row, place).data()) for row in range(model.rowCount())]


def test_spend_is_first_and_costs_are_second() -> None:
    assert list(DATASETS)[:2] == ["spend", "costs"]


def test_costs_open_with_the_largest_amount_and_bars(window: WindowUnderTest) -> None:
    assert window.view.order == (SortKey("amount", descending=True),)
    model = window.page.model
    _, texts = _amounts(window)
    assert [_number(text) for text in texts] == sorted(map(_number, texts), reverse=True)
    assert model.bars is not None
    assert model.bars.key.name == "amount"
    assert model.table.figure("amount").label == "Amount (USD)"


def _check(rig: WindowRig, window: WindowUnderTest, view: ViewState) -> list[str]:
    rig.show(window, view)
    column, texts = _amounts(window)
    assert texts
    shown_total = column.total_text(window.page.model.form)
    assert sum(map(_cents, texts)) == _number(shown_total), view
    assert column.total is not None
    assert _number(shown_total) == Decimal(column.total).quantize(CENT, ROUND_HALF_EVEN)
    for text, row in zip(texts, window.page.model.rows.tolist(), strict=True):
        exact = Decimal(str(column.value(row)))
        assert abs(_cents(text) - exact.quantize(CENT, ROUND_HALF_EVEN)) <= CENT
        if abs(exact) >= CENT:
            assert len(text.rpartition(".")[2]) == 2
        elif exact:
            assert text.strip("0.,−"), "no amount reads as zero"
    return texts


def test_shown_cents_add_up_in_any_view(rig: WindowRig, window: WindowUnderTest) -> None:
    view = window.view.with_grouping(["line_item"])
    by_line = _check(rig, window, view)
    assert any(text.startswith(MINUS) for text in by_line), "the credit is negative"
    assert _check(rig, window, view.with_order([])) != by_line
    assert sorted(_check(rig, window, view.with_order([]))) == sorted(by_line)
    texts = _check(rig, window, view.with_grouping(["line_item", "project_id"]).with_per(Granularity.DAY))
    assert len(texts) > 1000
    assert any(len(text.rpartition(".")[2]) > 2 for text in texts)
    _check(rig, window, view.only("line_item", "gpt-5.1, input_tokens").with_grouping(["project_id"]))
    _check(rig, window, view.with_search("cached"))


def test_all_digits_are_in_the_tooltips(rig: WindowRig, window: WindowUnderTest) -> None:
    model = window.page.model
    column, texts = _amounts(window)
    index = model.index(0, model.section("amount"))
    exact = column.value(int(model.rows[0]))
    assert f"{exact:,} USD" in index.data(Qt.ItemDataRole.ToolTipRole)
    assert f"{exact:,}" != texts[0]
    assert f"{column.total:,}" in window.page.totals.copy_text()


def test_statistics_of_the_selection_have_the_decimals_of_the_column(
    rig: WindowRig, window: WindowUnderTest, user: User
) -> None:
    window.page.table.selectAll()
    rig.qtbot.waitUntil(lambda: "Average" in window.page.status.text)
    text = window.page.status.text
    column, _ = _amounts(window)
    assert f"Sum {column.total_text(window.page.model.form)}" in text
    numbers = text.partition("Sum ")[2]
    for part in numbers.split(", "):
        assert len(part.rpartition(".")[2]) <= 6, part
    average = numbers.partition("Average ")[2].partition(", ")[0]
    assert len(average.rpartition(".")[2]) == 2


def test_copied_html_shows_the_cents_of_the_table(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    column, texts = _view_with_moved_cents(rig, window)
    with rig.qtbot.waitSignal(window.copying.done):
        user.key(Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    document = QApplication.clipboard().mimeData().html()
    copied = re.findall(r'<td align=right class=[mx] sdval="([^"]*)"[^>]*>([^<]*)</td>', document)
    assert [text for _, text in copied] == texts
    order = window.page.model.rows
    assert [Decimal(exact) for exact, _ in copied] == [column.figures.at(int(row)) for row in order]


def _view_with_moved_cents(rig: WindowRig, window: WindowUnderTest) -> tuple[FigureColumn, list[str]]:
    """Show a view in which a row's cents are not its rounded amount, so that all rows add up to the total.

    Which days have such rows depends on the amounts of the demo organization, which end today.
    """
    view = window.view.with_per(Granularity.DAY)
    for grouping in (["line_item"], ["line_item", "project_id"], ["project_id"], ["api_key_id"], ["user_id"]):
        rig.show(window, view.with_grouping(grouping))
        column, texts = _amounts(window)
        exact = [Decimal(str(column.figures.at(int(row)))) for row in window.page.model.rows]
        if [round(amount, 2) for amount in exact] != list(map(_cents, texts)):
            assert column.shown is not None
            return column, texts
    pytest.fail("no cent was moved in any of these views")
