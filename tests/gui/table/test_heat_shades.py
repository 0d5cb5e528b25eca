"""Tests the shades of a pivot's cells, and that they are painted."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from pytestqt.qtbot import QtBot

from tests.rigs.tables import MONTHLY, PIVOTED, PIVOTED_NONE
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.pivot import Pivot
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.table.heat_shades import STEPS, HeatShades, find_shades
from usage_viewer.gui.table.table_pane import TablePane

ROWS = np.arange(3, dtype=np.int64)
OTHERS = ColumnKey("input_tokens", others=True)


def _pivoted(table: Table) -> Table:
    """Return the head and the columns of one figure by model, the rest and the total."""
    rest = replace(table.figure("input_tokens"), key=OTHERS)
    columns = [table.by_key[key] for key in (ColumnKey("project_id"), PIVOTED, PIVOTED_NONE)]
    return Table((*columns, rest, table.by_key[ColumnKey("input_tokens")]), table.rows)


def _view(table: Table, view_of: Callable[..., ViewState], *, shaded: bool) -> ViewState:
    return replace(view_of(table, "project_id"), columns=()).with_pivot(
        Pivot("model", "input_tokens", shaded=shaded)
    )


def test_the_largest_cell_has_the_darkest_shade_and_a_missing_one_none(pivot: Table) -> None:
    shades = HeatShades([pivot.figure(key) for key in (PIVOTED, PIVOTED_NONE, MONTHLY)])
    assert shades.steps(PIVOTED, ROWS) == [6, STEPS, 0]
    assert shades.steps(PIVOTED_NONE, ROWS[::-1]) == [2, 4, STEPS]


def test_rest_and_total_have_no_shade(pivot: Table, view_of: Callable[..., ViewState]) -> None:
    table = _pivoted(pivot)
    shades = find_shades(table, _view(table, view_of, shaded=True))
    assert shades is not None
    assert shades.largest == 40
    assert shades.steps(OTHERS, ROWS) == shades.steps(ColumnKey("input_tokens"), ROWS) == []
    assert find_shades(table, _view(table, view_of, shaded=False)) is None


def test_shades_are_painted(qtbot: QtBot, pane: TablePane, pivot: Table, view_of: Callable[..., ViewState]) -> None:
    pane.resize(900, 300)
    pictures = []
    for shaded in (False, True):
        table = _pivoted(pivot)
        view = _view(table, view_of, shaded=shaded)
        pane.set_table(table, ROWS, view)
        image = pane.table.viewport().grab().toImage()
        model = pane.model
        rects = [pane.table.visualRect(model.index(row, model.section(PIVOTED))) for row in range(3)]
        pictures.append([image.pixelColor(rect.left() + 2, rect.center().y()).name() for rect in rects])
    plain, shades = pictures
    assert plain[0] != shades[0] != shades[1] != plain[1]
    assert shades[2] == plain[2]
