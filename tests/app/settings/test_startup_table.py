import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings.startup_table import (
    StartupTable,
    find_startup_table,
    save_startup_table,
    startup_table_path,
    take_startup_table,
)

TABLE = StartupTable(
    valid_from=1000,
    valid_until=2000,
    title="Usage Viewer",
    heading="Completions",
    status="30 of 30 days",
    geometry="",
    scheme="system",
    heading_height=90,
    header_height=24,
    row_height=22,
    labels=["Model", "Input"],
    right_aligned=[False, True],
    widths=[100, 80],
    totals=["Total of 1 group", "5"],
    rows=[["gpt-6-astra", "5"]],
)


@pytest.fixture
def place(tmp_path: Path) -> ProfilePaths:
    place = ProfilePaths(tmp_path)
    place.directory.mkdir(parents=True)
    place.database.write_bytes(b"figures")
    place.settings.write_text("{}")
    return place


def taken(place: ProfilePaths, moment: float = 1500) -> StartupTable | None:
    return take_startup_table(place, lambda: moment)


def test_table_is_taken_once(place: ProfilePaths) -> None:
    save_startup_table(place, TABLE)
    assert find_startup_table(place.data_dir) == place
    assert taken(place) == TABLE
    assert find_startup_table(place.data_dir) is None
    assert taken(place) is None


@pytest.mark.skipif(os.name != "posix", reason="no such permissions")
def test_file_is_readable_by_its_owner_only(place: ProfilePaths) -> None:
    save_startup_table(place, TABLE)
    assert stat.S_IMODE(startup_table_path(place).stat().st_mode) == 0o600


@pytest.mark.parametrize("moment", [999, 2000, 10**10])
def test_table_is_valid_only_in_its_time(place: ProfilePaths, moment: float) -> None:
    save_startup_table(place, TABLE)
    assert taken(place, moment) is None
    assert not startup_table_path(place).exists()


def test_changed_database_invalidates_table(place: ProfilePaths) -> None:
    save_startup_table(place, TABLE)
    place.database.write_bytes(b"others!")
    assert taken(place) is None


def test_unclosed_database_invalidates_table(place: ProfilePaths) -> None:
    save_startup_table(place, TABLE)
    place.database.with_name("usage.duckdb.wal").touch()
    assert taken(place) is None


def test_changed_settings_invalidate_table(place: ProfilePaths) -> None:
    save_startup_table(place, TABLE)
    place.settings.write_text('{"bars": false}')
    assert taken(place) is None


def test_changed_locale_invalidates_table(place: ProfilePaths, monkeypatch: pytest.MonkeyPatch) -> None:
    save_startup_table(place, TABLE)
    monkeypatch.setenv("LC_NUMERIC", "de_DE.UTF-8")
    assert taken(place) is None


def test_table_of_last_organization_is_found(place: ProfilePaths) -> None:
    other = ProfilePaths(place.data_dir, "other")
    other.directory.mkdir()
    other.database.write_bytes(b"figures")
    save_startup_table(place, TABLE)
    save_startup_table(other, TABLE)
    place.settings.write_text('{"organization": "other"}')
    assert find_startup_table(place.data_dir) == other
    place.settings.write_text('{"organization": "../default"}')
    assert find_startup_table(place.data_dir) is None


@pytest.mark.parametrize(
    "damage",
    [
        {"rows": []},
        {"rows": [["gpt-6-astra"]]},
        {"rows": [["gpt-6-astra", 5]]},
        {"rows": 5},
        {"widths": [100]},
        {"widths": [100, "80"]},
        {"labels": []},
        {"labels": None},
        {"heading_height": -1},
        {"heading_height": "90"},
        {"title": None},
        {"valid_until": "x"},
        {"state": None},
    ],
)
def test_damaged_table_is_not_used(place: ProfilePaths, damage: dict[str, Any]) -> None:
    save_startup_table(place, TABLE)
    content = json.loads(startup_table_path(place).read_bytes())
    startup_table_path(place).write_text(json.dumps({**content, **damage}))
    assert taken(place) is None


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"7", b"\xff"])
def test_other_content_is_not_used(place: ProfilePaths, text: bytes) -> None:
    startup_table_path(place).write_bytes(text)
    assert taken(place) is None


@pytest.mark.parametrize("text", ["", "[]", '{"organization": 7.5}', "[" * 100_000])
def test_damaged_settings_find_no_table(place: ProfilePaths, text: str) -> None:
    save_startup_table(place, TABLE)
    place.settings.write_text(text)
    found = find_startup_table(place.data_dir)
    assert found is None or taken(found) is None
