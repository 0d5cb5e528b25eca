"""Tests the list of saved views of a window: edits, other windows, and a run that keeps nothing."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from usage_viewer.app.settings.saved_views import READY_MADE, remove
from usage_viewer.app.settings.view_file import load_views
from usage_viewer.domain.errors import InputError, StoreNotWritable
from usage_viewer.gui.workspace.saved_view_list import SavedViewList


def test_edit_is_stored_and_reported(qtbot: QtBot, tmp_path: Path) -> None:
    views = SavedViewList(tmp_path / "views.json")
    with qtbot.waitSignal(views.changed):
        views.change(lambda listed: listed[1:])
    assert views.views == load_views(tmp_path / "views.json").views == READY_MADE[1:]
    assert (views.at(0), views.at(4), views.at(-1)) == (READY_MADE[1], None, None)


def test_edits_of_two_windows_add_up(qtbot: QtBot, tmp_path: Path) -> None:
    first, second = SavedViewList(tmp_path / "views.json"), SavedViewList(tmp_path / "views.json")
    first.change(lambda listed: remove(listed, "who-spends"))
    second.change(lambda listed: remove(listed, "what-moved"))
    with qtbot.waitSignal(first.changed):
        first.reload()
    assert first.views == second.views
    assert [one.id for one in first.views] == ["this-month", "cached-share", "batch-by-hour"]
    with qtbot.assertNotEmitted(first.changed):
        first.reload()


def test_run_without_a_file_keeps_its_edits_to_itself(tmp_path: Path) -> None:
    views = SavedViewList(None)
    views.change(lambda listed: listed[1:])
    views.reload()
    assert views.views == READY_MADE[1:]
    assert SavedViewList(None).views == READY_MADE


def test_failed_edit_changes_nothing(tmp_path: Path) -> None:
    def fail(_: object) -> tuple[()]:
        raise InputError("no")

    views = SavedViewList(tmp_path / "views.json")
    with pytest.raises(InputError):
        views.change(fail)
    (tmp_path / "views.json").mkdir()
    with pytest.raises(StoreNotWritable):
        views.change(lambda listed: listed[1:])
    assert views.views == READY_MADE


def test_damaged_file_is_noted_until_the_next_edit(tmp_path: Path) -> None:
    (tmp_path / "views.json").write_text("{")
    views = SavedViewList(tmp_path / "views.json")
    assert "damaged" in views.note
    views.change(lambda listed: listed[1:])
    assert views.note == ""
