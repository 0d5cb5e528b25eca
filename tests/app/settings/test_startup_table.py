import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings.startup_table import keep_last_look, path_of, place_of_last_look, take_last_look

LOOK: dict[str, Any] = {
    "kept": 1000,
    "until": 2000,
    "title": "Usage Viewer",
    "heading": "Completions",
    "status": "30 of 30 days",
    "geometry": "",
    "scheme": "system",
    "top": 90,
    "header": 24,
    "row": 22,
    "labels": ["Model", "Input"],
    "right": [False, True],
    "widths": [100, 80],
    "totals": ["Total of 1 group", "5"],
    "rows": [["gpt-6-astra", "5"]],
}


@pytest.fixture
def place(tmp_path: Path) -> ProfilePaths:
    place = ProfilePaths(tmp_path)
    place.directory.mkdir(parents=True)
    place.database.write_bytes(b"figures")
    place.settings.write_text("{}")
    return place


def taken(place: ProfilePaths, moment: float = 1500) -> dict[str, Any] | None:
    return take_last_look(place, lambda: moment)


def test_saved_table_is_used_once(place: ProfilePaths) -> None:
    keep_last_look(place, LOOK)
    assert place_of_last_look(place.data_dir) == place
    look = taken(place)
    assert look is not None
    assert LOOK.items() <= look.items()
    assert place_of_last_look(place.data_dir) is None
    assert taken(place) is None


@pytest.mark.skipif(os.name != "posix", reason="no such permissions")
def test_only_the_user_may_read_the_file(place: ProfilePaths) -> None:
    keep_last_look(place, LOOK)
    assert stat.S_IMODE(path_of(place).stat().st_mode) == 0o600


@pytest.mark.parametrize("moment", [999, 2000, 10**10])
def test_saved_table_expires(place: ProfilePaths, moment: float) -> None:
    keep_last_look(place, LOOK)
    assert taken(place, moment) is None
    assert not path_of(place).exists()


def test_changed_database_invalidates_the_table(place: ProfilePaths) -> None:
    keep_last_look(place, LOOK)
    place.database.write_bytes(b"others!")
    assert taken(place) is None


def test_unclosed_database_invalidates_the_table(place: ProfilePaths) -> None:
    keep_last_look(place, LOOK)
    place.database.with_name("usage.duckdb.wal").touch()
    assert taken(place) is None


def test_changed_settings_invalidate_the_table(place: ProfilePaths) -> None:
    keep_last_look(place, LOOK)
    place.settings.write_text('{"bars": false}')
    assert taken(place) is None


def test_changed_locale_invalidates_the_table(place: ProfilePaths, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_last_look(place, LOOK)
    monkeypatch.setenv("LC_NUMERIC", "de_DE.UTF-8")
    assert taken(place) is None


def test_table_of_the_last_open_organization_is_found(place: ProfilePaths) -> None:
    other = ProfilePaths(place.data_dir, "other")
    other.directory.mkdir()
    other.database.write_bytes(b"figures")
    keep_last_look(place, LOOK)
    keep_last_look(other, LOOK)
    place.settings.write_text('{"organization": "other"}')
    assert place_of_last_look(place.data_dir) == other
    place.settings.write_text('{"organization": "../default"}')
    assert place_of_last_look(place.data_dir) is None


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
        {"top": -1},
        {"top": "90"},
        {"title": None},
        {"until": "x"},
        {"of": None},
    ],
)
def test_damaged_table_is_not_used(place: ProfilePaths, damage: dict[str, Any]) -> None:
    keep_last_look(place, LOOK)
    look = json.loads(path_of(place).read_bytes())
    path_of(place).write_text(json.dumps({**look, **damage}))
    assert taken(place) is None


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"7", b"\xff"])
def test_other_content_is_not_used(place: ProfilePaths, text: bytes) -> None:
    path_of(place).write_bytes(text)
    assert taken(place) is None


@pytest.mark.parametrize("text", ["", "[]", '{"organization": 7.5}', "[" * 100_000])
def test_damaged_settings_give_no_table(place: ProfilePaths, text: str) -> None:
    keep_last_look(place, LOOK)
    place.settings.write_text(text)
    paths = place_of_last_look(place.data_dir)
    assert paths is None or taken(paths) is None
