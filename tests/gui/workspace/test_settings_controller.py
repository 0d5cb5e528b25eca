"""What isn't to be remembered isn't, and a file that can't be written is told once."""

from pathlib import Path

from pytestqt.qtbot import QtBot

from usage_viewer.domain.errors import StoreNotWritable
from usage_viewer.domain.view import FIRST_VIEW
from usage_viewer.gui.workspace.settings_controller import SettingsController


def test_a_search_is_not_kept(tmp_path: Path, qtbot: QtBot) -> None:
    remembered = SettingsController(tmp_path / "settings.json", lambda error: None)
    assert remembered.use_profile("default") == FIRST_VIEW
    remembered.view(FIRST_VIEW.with_search("secret project"))
    remembered.write()
    assert "secret" not in (tmp_path / "settings.json").read_text()
    again = SettingsController(tmp_path / "settings.json", lambda error: None)
    assert again.use_profile("default") == FIRST_VIEW


def test_each_profile_has_its_own_looks(qtbot: QtBot) -> None:
    remembered = SettingsController(None, lambda error: None)
    remembered.use_profile("one")
    remembered.view(FIRST_VIEW.toggled("user_id"))
    remembered.widths({"model": 222})
    assert remembered.use_profile("two") == FIRST_VIEW
    assert not remembered.profile.widths
    assert remembered.use_profile("one") == FIRST_VIEW.toggled("user_id")


def test_a_file_that_can_not_be_written_is_told_once(tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "file").write_text("")
    told: list[StoreNotWritable] = []
    remembered = SettingsController(tmp_path / "file" / "settings.json", told.append)
    remembered.use_profile("default")
    for grouping in ("user_id", "batch"):
        remembered.view(FIRST_VIEW.toggled(grouping))
        remembered.write()
    assert len(told) == 1
    assert told[0].hint


def test_without_a_file_nothing_is_written(tmp_path: Path, qtbot: QtBot) -> None:
    remembered = SettingsController(None, lambda error: None)
    remembered.use_profile("demo")
    remembered.view(FIRST_VIEW.toggled("user_id"))
    remembered.write()
    assert list(tmp_path.iterdir()) == []
