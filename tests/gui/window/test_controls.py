"""Tests that every control shows stored data at once, without a request, with the oracle's figures."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QLocale, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu

from tests.rigs.window import Oracle, User, WindowRig, shown_sums
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.table import FigureColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import SortKey

SUMMED = ("num_model_requests", "input_tokens", "input_cached_tokens", "output_tokens")
CTRL = Qt.KeyboardModifier.ControlModifier


class CheckedWindow:
    """A window with 30 stored days; each step must show the oracle's figures without a request."""

    def __init__(self, rig: WindowRig, user: User, oracle: Oracle) -> None:
        self.rig, self.user, self.oracle = rig, user, oracle
        self.window = rig.start()
        self.page = self.window.page
        self._requests = len(rig.server.requests)

    @property
    def view(self) -> ViewState:
        return self.window.workspace.view

    def step(self, act: Callable[[], object]) -> None:
        self.rig.settle(self.window, act)
        self.check()

    def check(self) -> None:
        assert len(self.rig.server.requests) == self._requests, "a request was made"
        expected, shown = self.oracle.sums(self.view), shown_sums(self.window)
        assert shown.keys() == expected.keys()
        figures = [name for name in self.view.shown_columns if name in SUMMED]
        for key, sums in expected.items():
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
def checked(rig: WindowRig, user: User, oracle: Oracle) -> CheckedWindow:
    return CheckedWindow(rig, user, oracle)


def test_first_view_is_sorted_by_input(checked: CheckedWindow) -> None:
    checked.check()
    inputs = [sums["input_tokens"] for sums in shown_sums(checked.window).values()]
    assert inputs == sorted(inputs, key=lambda value: -(value or 0))


def test_one_click_groups_by_a_dimension(checked: CheckedWindow) -> None:
    chips = checked.page.grouping.chips
    checked.step(lambda: checked.user.click(chips["model"].close_button))
    assert not checked.view.grouping
    grouping: tuple[str, ...] = ()
    for name in sorted(chips, key=lambda name: (chips[name].y(), chips[name].x())):
        checked.step(lambda chip=chips[name]: checked.user.click(chip))  # type: ignore[misc]
        grouping = (*grouping, name)
        assert checked.view.grouping == grouping
    chips["project_id"].setFocus()
    checked.step(lambda: checked.user.key(Qt.Key.Key_Right, CTRL))
    assert checked.view.grouping[:3] == ("model", "user_id", "project_id")
    assert [head.name for head in checked.page.model.table.heads][:3] == ["model", "user_id", "project_id"]
    checked.step(lambda: checked.user.key(Qt.Key.Key_Delete))
    assert "project_id" not in checked.view.grouping


def test_period_menu(checked: CheckedWindow) -> None:
    for key, rows in (("By day", 30), ("By week", None), ("By month", None), ("Total", None)):
        checked.user.click(checked.page.per)
        checked.step(lambda key=key: checked.user.pick(key))  # type: ignore[misc]
        days = {key[0] for key in shown_sums(checked.window)}
        assert rows is None or len(days) == rows
    assert checked.view.per.value == "total"


def test_narrower_range_needs_no_request(checked: CheckedWindow) -> None:
    checked.user.click(checked.page.range.button)
    popup = checked.page.range.popup
    assert popup.isVisible()
    popup.presets.setFocus()
    checked.user.key(Qt.Key.Key_Up)  # from the last 30 days to the last 7
    assert popup.start.text() < popup.end.text()
    checked.step(lambda: checked.user.key(Qt.Key.Key_Return))
    assert checked.page.status.text.startswith("Complete: 7 days")
    checked.user.key(Qt.Key.Key_R, Qt.KeyboardModifier.AltModifier)
    checked.rig.qtbot.waitUntil(popup.isVisible)
    popup.start.setFocus()
    popup.start.selectAll()
    checked.user.type("-20d")
    popup.end.selectAll()
    popup.end.setFocus()
    checked.user.type("-11d")
    checked.step(lambda: checked.user.key(Qt.Key.Key_Return))
    assert checked.page.status.text.startswith("Complete: 10 days")


def test_checklist_filters(checked: CheckedWindow) -> None:
    filters, user = checked.page.filters, checked.user
    user.click(filters.add_chip)
    user.pick("Project")
    user.type("a")
    listed = filters.checklist.model.listed
    assert 1 < len(listed) < len(filters.checklist.model.values)
    checked.step(lambda: user.key(Qt.Key.Key_Return))
    assert checked.view.filters[0].values == frozenset(listed)
    user.click(filters.chips["project_id"])
    user.click(filters.checklist.exclude)
    checked.step(lambda: user.click(filters.checklist.apply_button))
    assert checked.view.filters[0].exclude
    checked.step(lambda: user.click(filters.chips["project_id"].close_button))
    assert not checked.view.filters


def test_filter_without_values_shows_no_rows_until_cleared(checked: CheckedWindow) -> None:
    filters, user = checked.page.filters, checked.user
    user.click(filters.add_chip)
    user.pick("Batch")
    user.key(Qt.Key.Key_A, CTRL)  # all were ticked
    checked.step(lambda: user.key(Qt.Key.Key_Return))
    assert checked.page.empty.isVisible()
    assert checked.page.empty.title == "Nothing matches the filters"
    checked.step(lambda: user.click(user.button("Clear all filters", checked.page.empty)))
    assert checked.page.table.isVisible()


def _cell_menu(checked: CheckedWindow, row: int, name: str) -> QMenu:
    table = checked.page.table
    index = checked.page.model.index(row, checked.page.model.section(name))
    point = table.visualRect(index).center()
    checked.rig.qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=point)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, table.viewport().mapToGlobal(point))
    QApplication.sendEvent(table.viewport(), event)
    return checked.user.menu


def test_cell_menu_filters_to_and_excludes_a_value(checked: CheckedWindow) -> None:
    checked.step(lambda: checked.user.click(checked.page.grouping.chips["batch"]))
    model = checked.page.model
    name = str(model.index(1, 0).data())
    checked.step(lambda: checked.user.pick(f"Exclude “{name}”", _cell_menu(checked, 1, "model")))
    assert name not in {str(model.index(row, 0).data()) for row in range(model.rowCount())}
    name = str(model.index(2, 0).data())
    checked.step(lambda: checked.user.pick(f"Filter to “{name}”", _cell_menu(checked, 2, "model")))
    assert {str(model.index(row, 0).data()) for row in range(model.rowCount())} == {name}
    checked.step(lambda: checked.user.click(checked.page.filters.clear_chip))
    assert not checked.view.filtered
    checked.page.table.setFocus()
    checked.page.table.setCurrentIndex(model.index(0, model.section("batch")))
    checked.step(lambda: checked.user.key(Qt.Key.Key_Return, CTRL))
    assert checked.view.filters[0].dimension == "batch"


def test_search_finds_names_and_ids(checked: CheckedWindow) -> None:
    checked.step(lambda: checked.user.click(checked.page.grouping.chips["project_id"]))
    window, oracle = checked.window, checked.oracle.sums(checked.view)
    checked.user.key(Qt.Key.Key_F, CTRL)
    assert checked.page.filters.search.hasFocus()
    requests = len(checked.rig.server.requests)
    checked.rig.settle(window, lambda: checked.user.type("ASTRA-m"))
    shown = shown_sums(window)
    found = {key: sums for key, sums in oracle.items() if "astra-m" in str(key[0])}
    assert shown.keys() == found.keys()
    assert len(found) < len(oracle)
    total = sum(sums["input_tokens"] or 0 for sums in found.values())
    column = checked.page.model.table.by_name["input_tokens"]
    assert isinstance(column, FigureColumn)
    assert column.total == total
    checked.step(lambda: checked.user.key(Qt.Key.Key_Escape))
    assert len(checked.rig.server.requests) == requests
    project = next(str(key[1]) for key in oracle)
    checked.rig.settle(window, lambda: checked.user.type(project))  # an id, though its name is shown
    assert {key[1] for key in shown_sums(window)} == {project}


def _order_is(checked: CheckedWindow, *keys: SortKey) -> None:
    assert checked.view.order == keys
    model = checked.page.model
    rows = [
        [model.index(row, model.section(key.column)).data(Qt.ItemDataRole.UserRole) for key in keys]
        for row in range(model.rowCount())
    ]
    ranked = list(range(len(rows)))
    for place in reversed(range(len(keys))):
        ranked.sort(key=lambda row: rows[row][place], reverse=keys[place].descending)
    assert [rows[row] for row in ranked] == rows


def test_click_and_ctrl_click_sort(checked: CheckedWindow) -> None:
    user, window = checked.user, checked.window
    checked.step(lambda: user.click(checked.page.grouping.chips["service_tier"]))
    checked.step(lambda: user.sort(window, "output_tokens"))
    _order_is(checked, SortKey("output_tokens", descending=True))
    checked.step(lambda: user.sort(window, "output_tokens"))
    _order_is(checked, SortKey("output_tokens"))
    checked.step(lambda: user.sort(window, "model"))
    _order_is(checked, SortKey("model"))
    checked.step(lambda: user.sort(window, "num_model_requests", add=True))
    _order_is(checked, SortKey("model"), SortKey("num_model_requests", descending=True))


def _header_menu(checked: CheckedWindow, name: str) -> QMenu:
    viewport, point = checked.page.table.header.viewport(), checked.user.header_point(checked.window, name)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, viewport.mapToGlobal(point))
    QApplication.sendEvent(viewport, event)
    return checked.user.menu


def test_columns_button_shows_and_hides_figures(checked: CheckedWindow) -> None:
    user, window = checked.user, checked.window
    shown = window.view.shown_columns
    user.key(Qt.Key.Key_C, Qt.KeyboardModifier.AltModifier)
    menu = user.menu
    checked.step(lambda: user.pick("Uncached input", menu))
    assert set(window.view.shown_columns) == {*shown, "input_uncached_tokens"}
    assert menu.isVisible(), "several figures can be chosen"
    checked.step(lambda: user.pick("Requests", menu))
    assert "num_model_requests" not in window.view.shown_columns
    checked.step(lambda: user.pick("Default columns", menu))
    assert window.view.shown_columns == shown
    assert user.focus is window.page.table


def test_columns_are_hidden_shown_and_moved(checked: CheckedWindow) -> None:
    user, page = checked.user, checked.page
    default = checked.view.shown_columns
    checked.step(lambda: user.pick("Hide column", _header_menu(checked, "output_tokens")))
    assert checked.view.shown_columns == tuple(name for name in default if name != "output_tokens")
    menu = _header_menu(checked, "input_tokens")
    columns = next(action.menu() for action in menu.actions() if action.text() == "&Columns")
    assert isinstance(columns, QMenu)
    columns.popup(QPoint(0, 0))
    checked.step(lambda: user.pick("Audio output", columns))
    assert columns.isVisible()  # for further ticks
    checked.step(lambda: user.pick("Output", columns))
    assert {"output_tokens", "output_audio_tokens"} < set(checked.view.shown_columns)
    columns.close()
    menu.close()
    header = page.table.header
    start, end = (
        user.header_point(checked.window, "num_model_requests"),
        user.header_point(checked.window, "input_cached_tokens"),
    )
    checked.step(lambda: user.drag(header.viewport(), start, end + QPoint(9, 0)))
    names = checked.view.shown_columns
    assert names.index("num_model_requests") == names.index("input_cached_tokens") + 1
    assert tuple(column.name for column in page.model.table.figures) == names


def test_quick_clicks_build_on_what_was_asked_for_last(rig: WindowRig, user: User) -> None:
    window = rig.start()
    first = window.view
    user.sort(window, "output_tokens")
    user.sort(window, "output_tokens")
    assert window.view.order == (SortKey("output_tokens"),), "the result of the first click is not there yet"
    window.workspace.show_view(window.view.with_per(Granularity.DAY))
    user.sort(window, "input_tokens")
    assert window.view.per is Granularity.DAY
    rig.settle(window, lambda: window.workspace.show_view(first.with_dataset("costs")))
    window.workspace.show_view(first)
    user.sort(window, "amount")
    assert window.view == first, "a click on the columns of the former dataset"
