import time

import pytest
from PySide6.QtCore import QModelIndex, Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from usage_viewer.domain.catalog import BATCH, MODEL, PROJECT
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.view import Value
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


def test_the_model(model: FilterChecklistModel, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(model)
    model.narrow("e")
    qtmodeltester.check(model)
    model.narrow("nothing such")
    qtmodeltester.check(model)


def test_values_stand_by_name_and_none_at_the_end(model: FilterChecklistModel) -> None:
    assert labels(model) == ["<b>Bees</b>", "apples", "Zebra", "(none)"]


def test_booleans_read_as_yes_and_no(model: FilterChecklistModel) -> None:
    model.set_values(BATCH, ["true", "false"], NAMES, [])
    assert labels(model) == ["no", "yes"]


def test_ids_are_in_the_tooltip_as_written(model: FilterChecklistModel) -> None:
    assert model.index(1, 0).data(Qt.ItemDataRole.ToolTipRole) == "<qt>proj_2</qt>"
    model.set_values(MODEL, ["gpt-5"], NAMES, [])
    assert model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ZEB", ["Zebra"]),
        ("proj_1", ["Zebra"]),
        ("none", ["(none)"]),
        ("", None),
        ("nothing", []),
        (" bees", ["<b>Bees</b>"]),
    ],
)
def test_is_narrowed_by_name_or_id(model: FilterChecklistModel, text: str, found: list[str] | None) -> None:
    everything = labels(model)
    model.narrow(text)
    assert labels(model) == (everything if found is None else found)
    assert model.narrowed == (found is not None)


def test_ticks_stay_while_the_list_is_narrowed(model: FilterChecklistModel) -> None:
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


def test_ticking_says_so(model: FilterChecklistModel, qtbot: QtBot) -> None:
    with qtbot.waitSignals([model.dataChanged, model.ticks_changed]):
        model.setData(model.index(0, 0), Qt.CheckState.Checked.value, Qt.ItemDataRole.CheckStateRole)
    assert not model.setData(model.index(0, 0), "x", Qt.ItemDataRole.EditRole)
    assert not model.setData(QModelIndex(), Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)


def test_all_means_all_that_are_listed(model: FilterChecklistModel) -> None:
    assert model.listed_state() == Qt.CheckState.PartiallyChecked
    model.narrow("e")  # Bees, apples, Zebra and (none) have an e; "ze" only the last but one
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


def test_what_is_ticked_is_listed_though_it_is_not_among_the_values(model: FilterChecklistModel) -> None:
    model.set_values(PROJECT, ["proj_1"], NAMES, ["proj_gone", None])
    assert labels(model) == ["proj_gone", "Zebra", "(none)"]
    assert model.ticked == {"proj_gone", None}


def test_a_hundred_thousand_values_are_searched_in_a_blink(model: FilterChecklistModel) -> None:
    model.set_values(MODEL, [f"value {number}" for number in range(100_000)], NAMES, [])
    begun = time.perf_counter()
    model.narrow("value 99")
    model.tick_listed(True)
    model.listed_state()
    taken = time.perf_counter() - begun
    assert model.rowCount() == 1 + 10 + 100 + 1000
    assert taken < 1.0  # it takes 0.02 s; a search row by row through Qt would take seconds


def test_an_empty_value_is_not_none(model: FilterChecklistModel) -> None:
    model.set_values(MODEL, ["", None, "gpt-5"], NAMES, [""])
    assert list(model.values) == ["", "gpt-5", None]
    assert model.ticked == {""}
