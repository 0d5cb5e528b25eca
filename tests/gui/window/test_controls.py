"""Every control answers from what is held: at once, without a request, with the oracle's figures."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QLocale, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu

from usage_viewer.domain.table import FigureColumn
from usage_viewer.domain.view import SortKey, ViewState
from usage_viewer.gui.window.main_window import MainWindow

if TYPE_CHECKING:
    from tests.rigs.window import Desk, Hands, Oracle, Sums

SUMMED = ("num_model_requests", "input_tokens", "input_cached_tokens", "output_tokens")
CTRL = Qt.KeyboardModifier.ControlModifier


class Bench:
    """A window that holds 30 days; each step must be answered without a request, and rightly."""

    def __init__(
        self, desk: "Desk", hands: "Hands", oracle: "Oracle", shown: Callable[[MainWindow], "Sums"]
    ) -> None:
        self.desk, self.hands, self.oracle, self._shown = desk, hands, oracle, shown
        self.window = desk.start()
        self.page = self.window.page
        self._requests = len(desk.server.requests)

    @property
    def view(self) -> ViewState:
        return self.window.workspace.view

    def step(self, act: Callable[[], object]) -> None:
        self.desk.settle(self.window, act)
        self.check()

    def check(self) -> None:
        assert len(self.desk.server.requests) == self._requests, "a request was made"
        wanted, shown = self.oracle.sums(self.view), self._shown(self.window)
        assert shown.keys() == wanted.keys()
        figures = [name for name in self.view.shown_columns if name in SUMMED]
        for key, sums in wanted.items():
            assert {name: shown[key][name] for name in figures} == {name: sums[name] for name in figures}
            self._check_derived(shown[key], sums)
        self._check_totals(figures)

    def _check_derived(self, shown: "dict[str, int | None]", sums: "dict[str, int | None]") -> None:
        taken, given = sums["input_tokens"] or 0, sums["output_tokens"] or 0
        if "total_tokens" in shown:
            assert shown["total_tokens"] == taken + given
        if shown.get("cached_share") is not None:
            assert shown["cached_share"] == pytest.approx((sums["input_cached_tokens"] or 0) / taken)
        if shown.get("tokens_per_request") is not None:
            requests = sums["num_model_requests"] or 0
            assert shown["tokens_per_request"] == pytest.approx((taken + given) / requests)

    def _check_totals(self, figures: list[str]) -> None:
        labels, texts = self.page.totals.copy_text().split("\n")
        totals = self.oracle.totals(self.view)
        labelled = dict(zip(labels.split("\t"), texts.split("\t"), strict=True))
        for name in figures:
            column = self.page.model.table.by_name[name]
            assert isinstance(column, FigureColumn)
            text = labelled[column.label].replace(QLocale().groupSeparator(), "")
            assert text == (str(totals[name]) if totals else "–")


@pytest.fixture
def bench(desk: "Desk", hands: "Hands", oracle: "Oracle", sums_shown: Callable[[MainWindow], "Sums"]) -> Bench:
    return Bench(desk, hands, oracle, sums_shown)


def test_what_is_shown_first(bench: Bench) -> None:
    bench.check()
    inputs = [sums["input_tokens"] for sums in bench._shown(bench.window).values()]
    assert inputs == sorted(inputs, key=lambda value: -(value or 0))


def test_grouping_with_one_click_each(bench: Bench) -> None:
    chips = bench.page.grouping.chips
    bench.step(lambda: bench.hands.click(chips["model"].close_button))
    assert not bench.view.grouping
    grouping: tuple[str, ...] = ()
    for name, chip in chips.items():
        bench.step(lambda chip=chip: bench.hands.click(chip))  # type: ignore[misc]
        grouping = (*grouping, name)
        assert bench.view.grouping == grouping
    chips["project_id"].setFocus()
    bench.step(lambda: bench.hands.key(Qt.Key.Key_Right, CTRL))
    assert bench.view.grouping[:2] == ("user_id", "project_id")
    assert [head.name for head in bench.page.model.table.heads][:2] == ["user_id", "project_id"]
    bench.step(lambda: bench.hands.key(Qt.Key.Key_Delete))
    assert "project_id" not in bench.view.grouping


def test_the_period_of_a_row(bench: Bench) -> None:
    for key, rows in (("By day", 30), ("By week", None), ("By month", None), ("Total", None)):
        bench.hands.click(bench.page.per)
        bench.step(lambda key=key: bench.hands.pick(key))  # type: ignore[misc]
        days = {key[0] for key in bench._shown(bench.window)}
        assert rows is None or len(days) == rows
    assert bench.view.per.value == "total"


def test_the_range_narrows_within_what_is_held(bench: Bench) -> None:
    bench.hands.click(bench.page.range.button)
    popup = bench.page.range.popup
    assert popup.isVisible()
    popup.presets.setFocus()
    bench.hands.key(Qt.Key.Key_Up)  # from the last 30 days to the last 7
    assert popup.start.text() < popup.end.text()
    bench.step(lambda: bench.hands.key(Qt.Key.Key_Return))
    assert bench.page.status.text.startswith("7 of 7 days")
    bench.hands.key(Qt.Key.Key_R, Qt.KeyboardModifier.AltModifier)
    bench.desk.qtbot.waitUntil(popup.isVisible)
    popup.start.setFocus()
    popup.start.selectAll()
    bench.hands.type("-20d")
    popup.end.selectAll()
    popup.end.setFocus()
    bench.hands.type("-11d")
    bench.step(lambda: bench.hands.key(Qt.Key.Key_Return))
    assert bench.page.status.text.startswith("10 of 10 days")


def test_filters_by_checklist(bench: Bench) -> None:
    filters, hands = bench.page.filters, bench.hands
    hands.click(filters.add_chip)
    hands.pick("Project")
    hands.type("a")
    listed = filters.checklist.model.listed
    assert 1 < len(listed) < len(filters.checklist.model.values)
    bench.step(lambda: hands.key(Qt.Key.Key_Return))
    assert bench.view.filters[0].values == frozenset(listed)
    hands.click(filters.chips["project_id"])
    hands.click(filters.checklist.exclude)
    bench.step(lambda: hands.click(filters.checklist.apply_button))
    assert bench.view.filters[0].exclude
    bench.step(lambda: hands.click(filters.chips["project_id"].close_button))
    assert not bench.view.filters


def test_nothing_ticked_shows_nothing_and_one_click_clears_it(bench: Bench) -> None:
    filters, hands = bench.page.filters, bench.hands
    hands.click(filters.add_chip)
    hands.pick("Batch")
    hands.key(Qt.Key.Key_A, CTRL)  # all were ticked
    bench.step(lambda: hands.key(Qt.Key.Key_Return))
    assert bench.page.empty.isVisible()
    assert bench.page.empty.title == "Nothing matches the filters"
    bench.step(lambda: hands.click(hands.button("Clear all filters", bench.page.empty)))
    assert bench.page.table.isVisible()


def _cell_menu(bench: Bench, row: int, name: str) -> QMenu:
    table = bench.page.table
    index = bench.page.model.index(row, bench.page.model.section(name))
    point = table.visualRect(index).center()
    bench.desk.qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=point)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, table.viewport().mapToGlobal(point))
    QApplication.sendEvent(table.viewport(), event)
    return bench.hands.menu


def test_filter_to_this_and_exclude_this(bench: Bench) -> None:
    bench.step(lambda: bench.hands.click(bench.page.grouping.chips["batch"]))
    model = bench.page.model
    name = str(model.index(1, 0).data())
    bench.step(lambda: bench.hands.pick(f"Exclude “{name}”", _cell_menu(bench, 1, "model")))
    assert name not in {str(model.index(row, 0).data()) for row in range(model.rowCount())}
    name = str(model.index(2, 0).data())
    bench.step(lambda: bench.hands.pick(f"Filter to “{name}”", _cell_menu(bench, 2, "model")))
    assert {str(model.index(row, 0).data()) for row in range(model.rowCount())} == {name}
    bench.step(lambda: bench.hands.click(bench.page.filters.clear_chip))
    assert not bench.view.filtered
    bench.page.table.setFocus()
    bench.page.table.setCurrentIndex(model.index(0, model.section("batch")))
    bench.step(lambda: bench.hands.key(Qt.Key.Key_Return))
    assert bench.view.filters[0].dimension == "batch"


def test_the_search_box_finds_names_and_ids(bench: Bench) -> None:
    bench.step(lambda: bench.hands.click(bench.page.grouping.chips["project_id"]))
    window, oracle = bench.window, bench.oracle.sums(bench.view)
    bench.hands.key(Qt.Key.Key_F, CTRL)
    assert bench.page.filters.search.hasFocus()
    requests = len(bench.desk.server.requests)
    bench.desk.settle(window, lambda: bench.hands.type("ASTRA-m"))
    shown = bench._shown(window)
    found = {key: sums for key, sums in oracle.items() if "astra-m" in str(key[0])}
    assert shown.keys() == found.keys()
    assert len(found) < len(oracle)
    total = sum(sums["input_tokens"] or 0 for sums in found.values())
    column = bench.page.model.table.by_name["input_tokens"]
    assert isinstance(column, FigureColumn)
    assert column.total == total
    bench.step(lambda: bench.hands.key(Qt.Key.Key_Escape))
    assert len(bench.desk.server.requests) == requests
    project = next(str(key[1]) for key in oracle)
    bench.desk.settle(window, lambda: bench.hands.type(project))  # an id, though its name is shown
    assert {key[1] for key in bench._shown(window)} == {project}


def _order_is(bench: Bench, *keys: SortKey) -> None:
    assert bench.view.order == keys
    model = bench.page.model
    rows = [
        [model.index(row, model.section(key.column)).data(Qt.ItemDataRole.UserRole) for key in keys]
        for row in range(model.rowCount())
    ]
    ranked = list(range(len(rows)))
    for place in reversed(range(len(keys))):
        ranked.sort(key=lambda row: rows[row][place], reverse=keys[place].descending)
    assert [rows[row] for row in ranked] == rows


def test_sorting_by_click_and_ctrl_click(bench: Bench) -> None:
    hands, window = bench.hands, bench.window
    bench.step(lambda: hands.click(bench.page.grouping.chips["service_tier"]))
    bench.step(lambda: hands.sort(window, "output_tokens"))
    _order_is(bench, SortKey("output_tokens", descending=True))
    bench.step(lambda: hands.sort(window, "output_tokens"))
    _order_is(bench, SortKey("output_tokens"))
    bench.step(lambda: hands.sort(window, "model"))
    _order_is(bench, SortKey("model"))
    bench.step(lambda: hands.sort(window, "num_model_requests", add=True))
    _order_is(bench, SortKey("model"), SortKey("num_model_requests", descending=True))


def _header_menu(bench: Bench, name: str) -> QMenu:
    viewport, point = bench.page.table.header.viewport(), bench.hands.head(bench.window, name)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, viewport.mapToGlobal(point))
    QApplication.sendEvent(viewport, event)
    return bench.hands.menu


def test_columns_are_hidden_shown_and_moved(bench: Bench) -> None:
    hands, page = bench.hands, bench.page
    default = bench.view.shown_columns
    bench.step(lambda: hands.pick("Hide column", _header_menu(bench, "output_tokens")))
    assert bench.view.shown_columns == tuple(name for name in default if name != "output_tokens")
    menu = _header_menu(bench, "input_tokens")
    columns = next(action.menu() for action in menu.actions() if action.text() == "&Columns")
    assert isinstance(columns, QMenu)
    columns.popup(QPoint(0, 0))
    bench.step(lambda: hands.pick("Audio output", columns))
    assert columns.isVisible()  # for further ticks
    bench.step(lambda: hands.pick("Output", columns))
    assert {"output_tokens", "output_audio_tokens"} < set(bench.view.shown_columns)
    columns.close()
    menu.close()
    header = page.table.header
    start, end = hands.head(bench.window, "num_model_requests"), hands.head(bench.window, "input_cached_tokens")
    bench.step(lambda: hands.drag(header.viewport(), start, end + QPoint(9, 0)))
    names = bench.view.shown_columns
    assert names.index("num_model_requests") == names.index("input_cached_tokens") + 1
    assert tuple(column.name for column in page.model.table.figures) == names
