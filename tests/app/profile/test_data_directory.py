"""Tests whose directory is the program's: files of other programs are neither made private nor deleted."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from usage_viewer.app.erase_all import erase_all
from usage_viewer.app.file_permissions import restrict_permissions
from usage_viewer.app.profile.data_directory import MARKER, check_own, claim, claim_of, is_own
from usage_viewer.app.profile.paths import ProfilePaths, default_data_dir
from usage_viewer.app.settings import settings
from usage_viewer.app.settings.settings import Settings
from usage_viewer.domain.errors import InputError
from usage_viewer.keystore import MemoryKeystore
from usage_viewer.store import Store

Make = Callable[[Path], None]


def with_profiles(data: Path) -> None:
    (data / "profiles" / "anna").mkdir(parents=True)
    (data / "profiles" / "anna" / "prefs.js").write_text("user_pref()")


def with_empty_profiles(data: Path) -> None:
    (data / "profiles").mkdir(parents=True)


def with_file_named_profiles(data: Path) -> None:
    (data / "profiles").write_text("a list")


def with_settings(data: Path) -> None:
    (data / "settings.json").write_text(json.dumps({"editor.fontSize": 12, "version": 1}))


def with_settings_of_a_terminal(data: Path) -> None:
    (data / "settings.json").write_text(json.dumps({"version": 1, "profiles": {}, "keybindings": []}))


def with_settings_and_our_database(data: Path) -> None:
    with_settings(data)
    Store.open(ProfilePaths(data).database).close()


def with_file_beside_our_database(data: Path) -> None:
    Store.open(ProfilePaths(data).database).close()
    (data / "profiles" / "readme.txt").write_text("text")


FOREIGN = (
    with_profiles,
    with_empty_profiles,
    with_file_named_profiles,
    with_settings,
    with_settings_of_a_terminal,
    with_settings_and_our_database,
    with_file_beside_our_database,
)


def contents(data: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(data)): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(data.rglob("*"))
    }


@pytest.mark.parametrize("make", FOREIGN)
def test_files_of_another_program_are_left_alone(make: Make, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    make(data)
    for path in data.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    before = contents(data)
    claim(data)
    assert not is_own(data)
    restrict_permissions(data)
    with pytest.raises(InputError, match="another program"):
        check_own(data)
    with pytest.raises(InputError, match="another program"):
        erase_all(data, lambda id: MemoryKeystore())
    assert contents(data) == before


def with_saved_settings(data: Path) -> None:
    settings.save(ProfilePaths(data).settings, Settings(chart=True, recent_zones=("Asia/Kolkata",)))
    (data / MARKER).unlink()


def with_one_setting(data: Path) -> None:
    (data / "settings.json").write_text('{"geometry": "A"}')


def with_database(data: Path) -> None:
    Store.open(ProfilePaths(data, "acme").database).close()
    (ProfilePaths(data, "acme").directory / "usage.damaged-20261101-120000.duckdb").write_text("damaged")
    (ProfilePaths(data, "acme").directory / "last-look.json").write_text("{}")


@pytest.mark.parametrize("make", [with_saved_settings, with_one_setting, with_database])
def test_directory_of_an_earlier_version_is_recognized_and_marked(make: Make, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    make(data)
    assert is_own(data)
    claim(data)
    assert (data / MARKER).is_file()
    assert erase_all(data, lambda id: MemoryKeystore()) == []
    assert not data.exists()


def test_new_and_empty_directories_are_marked(tmp_path: Path) -> None:
    for data in (tmp_path / "new", tmp_path / "empty", tmp_path / "others"):
        if data.name != "new":
            data.mkdir()
        if data.name == "others":
            (data / "holiday.jpg").write_text("a picture")
        claim(data)
        assert is_own(data)
        assert (data / MARKER).read_text().startswith("Usage Viewer")
    assert erase_all(tmp_path / "others", lambda id: MemoryKeystore()) == []
    assert [path.name for path in (tmp_path / "others").iterdir()] == ["holiday.jpg"]


def test_marker_is_enough(tmp_path: Path) -> None:
    """Damaged settings and databases in a marked directory are the program's, too."""
    claim(tmp_path / "data")
    with_settings(tmp_path / "data")
    with_profiles(tmp_path / "data")
    assert is_own(tmp_path / "data")


def test_default_directory_needs_no_marker() -> None:
    assert is_own(default_data_dir().absolute())


def test_database_outside_of_a_data_directory_is_not_marked(tmp_path: Path) -> None:
    claim_of(tmp_path / "a" / "b" / "c.duckdb")
    assert list(tmp_path.iterdir()) == []
    claim_of(ProfilePaths(tmp_path / "data", "acme").database)
    assert (tmp_path / "data" / MARKER).is_file()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_directory_that_cannot_be_written_raises_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    claim(tmp_path / "data")
    tmp_path.chmod(0o700)
