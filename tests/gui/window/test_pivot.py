"""Tests pivots in the window: the control, the columns, the chart, the records and what is refused."""

from datetime import datetime

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtWidgets import QApplication, QMenu

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.figures import Number
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.pivot import Pivot
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD, SortKey
from usage_viewer.gui.verification.verifier import CellSources

WEEK = DateRange(None, datetime(2026, 11, 9), datetime(2026, 11, 16))
FLAT = ViewState(range=WEEK, grouping=("project_id", "model"), order=(SortKey("input_tokens", descending=True),))
FLAGS = QItemSelectionModel.SelectionFlag
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def window(rig: WindowRig) -> WindowUnderTest:
    window = rig.start()
    rig.show(window, FLAT)
    return window


def cells(table: Table) -> dict[tuple[object, object], Number]:
    """Return the figures of a table of projects and models, flat or with the models across."""
    project, model = table.groups[0], table.groups[1] if len(table.groups) > 1 else None
    found: dict[tuple[object, object], Number] = {}
    for column in table.figures:
        for row, number in enumerate(column.figures.listed()):
            value = column.key.where[1] if column.key.where else model.value(row) if model is not None else None
            is_cell = column.key.where is not None or (model is not None and column.name == "input_tokens")
            if number is not None and is_cell:
                found[project.value(row), value] = number
    return found


def test_dimension_is_put_across_without_a_request(rig: WindowRig, user: User, window: WindowUnderTest) -> None:
    flat, total = cells(window.page.model.table), window.page.model.table.figure("input_tokens").total
    requests = len(rig.server.requests)
    user.key(Qt.Key.Key_A, ALT)
    rig.qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    rig.settle(window, lambda: user.pick("Model"))
    assert window.view.pivot == Pivot("model", "input_tokens")
    table = window.page.model.table
    assert [head.name for head in table.groups] == ["project_id"]
    assert cells(table) == flat
    assert table.figure("input_tokens").total == total
    assert window.page.pivot.accessibleName() == "Pivot: Columns Input by Model"
    assert len(rig.server.requests) == requests
    rig.settle(window, lambda: window.page.pivot.menu_actions[""].trigger())
    assert window.view == FLAT


def test_periods_of_a_whole_range_are_its_days(rig: WindowRig, window: WindowUnderTest) -> None:
    rig.settle(window, lambda: window.page.pivot.menu_actions[PERIOD].trigger())
    assert window.view.per is Granularity.DAY
    labels = [column.label for column in window.page.model.table.columns]
    assert labels[:3] == ["Project", "Model", "2026-11-09"]
    assert labels[-1] == "Input, total"
    assert len(labels) == 2 + 7 + 1
    rig.settle(window, lambda: window.page.per.menu_actions[Granularity.TOTAL].trigger())
    assert window.view.pivot is None


def test_figure_and_shading_are_chosen_and_survive_a_restart(rig: WindowRig, window: WindowUnderTest) -> None:
    rig.settle(window, lambda: window.page.pivot.menu_actions["model"].trigger())
    chosen = {action.data(): action for action in window.page.pivot.figure_menu.actions()}
    rig.settle(window, chosen["cached_share"].trigger)
    rig.settle(window, window.page.pivot.shading.trigger)
    view = window.view
    assert view.pivot == Pivot("model", "cached_share", shaded=True)
    rig.close(window)
    assert rig.start().view == view


def test_comparison_and_pivot_are_refused_in_place(rig: WindowRig, window: WindowUnderTest) -> None:
    rig.settle(window, lambda: window.page.pivot.menu_actions["model"].trigger())
    refused = window.page.compare.menu_actions[Comparison.PREVIOUS]
    assert not refused.isEnabled()
    assert "A comparison needs figures as columns" in refused.statusTip()
    rig.settle(window, lambda: window.page.pivot.menu_actions[""].trigger())
    rig.settle(window, lambda: window.page.compare.menu_actions[Comparison.PREVIOUS].trigger())
    refused = window.page.pivot.menu_actions["model"]
    assert not refused.isEnabled()
    assert "A comparison needs figures as columns" in refused.statusTip()
    assert window.page.pivot.menu_actions[""].isEnabled()


def test_grouping_by_the_columns_brings_figures_back(rig: WindowRig, window: WindowUnderTest) -> None:
    rig.settle(window, lambda: window.page.pivot.menu_actions["model"].trigger())
    rig.settle(window, lambda: window.page.grouping.chips["model"].clicked.emit())
    assert window.view.pivot is None
    assert set(window.view.grouping) == {"project_id", "model"}


@pytest.mark.parametrize("by", ["model", PERIOD])
def test_records_of_a_cell_are_those_of_its_row_and_column(
    rig: WindowRig, user: User, window: WindowUnderTest, by: str
) -> None:
    rig.settle(window, window.page.pivot.menu_actions[by].trigger)
    model = window.page.model
    row = int(model.rows[0])
    column = next(column for column in model.table.figures if column.figures.at(row) is not None)
    window.page.table.setCurrentIndex(model.index(0, model.section(column.key)))
    with rig.qtbot.waitSignal(window.verifier.sources_found) as found:
        user.key(Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    sources = found.args[0] if found.args else None
    assert isinstance(sources, CellSources)
    place = sources.metrics.index("input_tokens")
    assert sum(item.figures[place] or 0 for item in sources.contributions) == column.figures.at(row)


def test_chart_stacks_the_rows_and_adds_up_to_the_total(rig: WindowRig, window: WindowUnderTest) -> None:
    rig.settle(window, window.page.pivot.menu_actions["model"].trigger)
    controller = window.parts.chart.controller
    assert controller is not None
    assert controller.chart is not None
    series = controller.chart.series
    assert series is not None
    assert controller.chart.result.view.grouping == ("project_id",)
    assert sum(total or 0 for total in series.totals) == window.page.model.table.figure("input_tokens").total


def _copied(rig: WindowRig, window: WindowUnderTest) -> list[list[str]]:
    with rig.qtbot.waitSignal(window.copying.done):
        window.commands.copy.trigger()
    return [line.split("\t") for line in QApplication.clipboard().text().splitlines()]


def test_copy_is_as_wide_as_the_table_or_a_row_for_each_cell(rig: WindowRig, window: WindowUnderTest) -> None:
    flat = {(project, model): int(number) for project, model, _, number, *_ in _copied(rig, window)[1:]}
    rig.settle(window, window.page.pivot.menu_actions["model"].trigger)
    head, *wide = _copied(rig, window)
    assert (head[0], head[-1]) == ("Project", "Input, total")
    assert {
        (row[0], model): int(number)
        for row in wide
        for model, number in zip(head[1:-1], row[1:-1], strict=True)
        if number
    } == flat
    window.commands.list_cells.trigger()
    head, *listed = _copied(rig, window)
    assert head == ["Project", "Model", "Input"]
    assert {(project, model): int(number) for project, model, number in listed} == flat
    assert list(dict.fromkeys(project for project, *_ in listed)) == [row[0] for row in wide]
    for row in (1, 2):
        index = window.page.model.index(row, 0)
        window.page.table.selectionModel().select(index, FLAGS.Select | FLAGS.Rows)
    assert {project for project, *_ in _copied(rig, window)[1:]} == {wide[1][0], wide[2][0]}
