"""Tests which settings are stored, and that a file that can't be written is reported once."""

from pathlib import Path

from pytestqt.qtbot import QtBot

from usage_viewer.domain.errors import StoreNotWritable
from usage_viewer.domain.view import FIRST_VIEW
from usage_viewer.gui.workspace.settings_controller import SettingsController


def test_search_is_not_stored(tmp_path: Path, qtbot: QtBot) -> None:
    settings = SettingsController(tmp_path / "settings.json")
    assert settings.use_profile("default") == FIRST_VIEW
    settings.save_view(FIRST_VIEW.with_search("secret project"))
    settings.write()
    assert "secret" not in (tmp_path / "settings.json").read_text()
    reread = SettingsController(tmp_path / "settings.json")
    assert reread.use_profile("default") == FIRST_VIEW


def test_each_profile_has_its_own_view_and_widths(qtbot: QtBot) -> None:
    settings = SettingsController(None)
    settings.use_profile("one")
    settings.save_view(FIRST_VIEW.toggled("user_id"))
    settings.save_widths({"model": 222})
    assert settings.use_profile("two") == FIRST_VIEW
    assert not settings.profile.widths
    assert settings.use_profile("one") == FIRST_VIEW.toggled("user_id")


def test_write_failure_is_reported_once(tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "file").write_text("")
    errors: list[StoreNotWritable] = []
    settings = SettingsController(tmp_path / "file" / "settings.json")
    settings.write_failed.connect(errors.append)
    settings.use_profile("default")
    for grouping in ("user_id", "batch"):
        settings.save_view(FIRST_VIEW.toggled(grouping))
        settings.write()
    assert len(errors) == 1
    assert errors[0].hint


def test_nothing_is_written_without_a_path(tmp_path: Path, qtbot: QtBot) -> None:
    settings = SettingsController(None)
    settings.use_profile("demo")
    settings.save_view(FIRST_VIEW.toggled("user_id"))
    settings.write()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_while_paused(tmp_path: Path, qtbot: QtBot) -> None:
    settings = SettingsController(tmp_path / "settings.json")
    settings.save_view(FIRST_VIEW.toggled("user_id"))
    settings.pause()
    settings.write()
    assert not (tmp_path / "settings.json").exists()
    settings.resume()
    settings.write()
    assert (tmp_path / "settings.json").exists()
