import time

import pytest
from PySide6.QtCore import QModelIndex, Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from usage_viewer.domain.catalog import BATCH, MODEL, PROJECT
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.view_parts import Value
from usage_viewer.gui.bars.filter_checklist_model import FilterChecklistModel

NAMES = Names.of(
    Name("project", id, name) for id, name in (("proj_2", "apples"), ("proj_1", "Zebra"), ("proj_3", "<b>Bees</b>"))
)
VALUES: tuple[Value, ...] = ("proj_1", None, "proj_3", "proj_2")


@pytest.fixture
def model(qtbot: QtBot) -> FilterChecklistModel:
    model = FilterChecklistModel()
    model.set_values(PROJECT, VALUES, NAMES, ["proj_2"])
    return model


def labels(model: FilterChecklistModel) -> list[str]:
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def state(model: FilterChecklistModel, row: int) -> object:
    return model.index(row, 0).data(Qt.ItemDataRole.CheckStateRole)


def test_model_is_valid_with_and_without_search(model: FilterChecklistModel, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(model)
    model.narrow("e")
    qtmodeltester.check(model)
    model.narrow("nothing such")
    qtmodeltester.check(model)


def test_values_are_sorted_by_name_with_none_last(model: FilterChecklistModel) -> None:
    assert labels(model) == ["<b>Bees</b>", "apples", "Zebra", "(none)"]


def test_booleans_are_labelled_yes_and_no(model: FilterChecklistModel) -> None:
    model.set_values(BATCH, ["true", "false"], NAMES, [])
    assert labels(model) == ["no", "yes"]


def test_tooltip_has_id_unless_it_is_the_label(model: FilterChecklistModel) -> None:
    assert model.index(1, 0).data(Qt.ItemDataRole.ToolTipRole) == "<qt>proj_2</qt>"
    model.set_values(MODEL, ["gpt-5"], NAMES, [])
    assert model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole) is None


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("ZEB", ["Zebra"]),
        ("proj_1", ["Zebra"]),
        ("none", ["(none)"]),
        ("", None),
        ("nothing", []),
        (" bees", ["<b>Bees</b>"]),
    ],
)
def test_search_matches_name_or_id(model: FilterChecklistModel, text: str, matches: list[str] | None) -> None:
    all_labels = labels(model)
    model.narrow(text)
    assert labels(model) == (all_labels if matches is None else matches)
    assert model.narrowed == (matches is not None)


def test_search_keeps_ticks(model: FilterChecklistModel) -> None:
    model.narrow("zebra")
    assert model.setData(model.index(0, 0), Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    model.narrow("")
    assert [state(model, row) for row in range(4)] == [
        Qt.CheckState.Unchecked,
        Qt.CheckState.Checked,
        Qt.CheckState.Checked,
        Qt.CheckState.Unchecked,
    ]
    assert model.ticked == {"proj_1", "proj_2"}


def test_tick_emits_signals(model: FilterChecklistModel, qtbot: QtBot) -> None:
    with qtbot.waitSignals([model.dataChanged, model.ticks_changed]):
        model.setData(model.index(0, 0), Qt.CheckState.Checked.value, Qt.ItemDataRole.CheckStateRole)
    assert not model.setData(model.index(0, 0), "x", Qt.ItemDataRole.EditRole)
    assert not model.setData(QModelIndex(), Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)


def test_tick_listed_changes_listed_values_only(model: FilterChecklistModel) -> None:
    assert model.listed_state() == Qt.CheckState.PartiallyChecked
    model.narrow("e")  # Bees, apples, Zebra and (none) contain "e"; only Zebra contains "ze"
    model.narrow("ze")
    assert model.listed_state() == Qt.CheckState.Unchecked
    model.tick_listed(True)
    assert model.listed_state() == Qt.CheckState.Checked
    assert model.ticked == {"proj_1", "proj_2"}
    model.narrow("")
    model.tick_listed(True)
    assert model.ticked == set(VALUES)
    model.tick_listed(False)
    assert model.listed_state() == Qt.CheckState.Unchecked


def test_ticked_value_is_listed_even_if_not_among_values(model: FilterChecklistModel) -> None:
    model.set_values(PROJECT, ["proj_1"], NAMES, ["proj_gone", None])
    assert labels(model) == ["proj_gone", "Zebra", "(none)"]
    assert model.ticked == {"proj_gone", None}


def test_100000_values_are_searched_within_a_second(model: FilterChecklistModel) -> None:
    model.set_values(MODEL, [f"value {number}" for number in range(100_000)], NAMES, [])
    start = time.perf_counter()
    model.narrow("value 99")
    model.tick_listed(True)
    model.listed_state()
    seconds = time.perf_counter() - start
    assert model.rowCount() == 1 + 10 + 100 + 1000
    assert seconds < 1.0  # measured: 0.02 s; a search row by row through Qt would take seconds


def test_empty_value_differs_from_none(model: FilterChecklistModel) -> None:
    model.set_values(MODEL, ["", None, "gpt-5"], NAMES, [""])
    assert list(model.values) == ["", "gpt-5", None]
    assert model.ticked == {""}
