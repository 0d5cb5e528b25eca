"""Settings are saved and loaded; damaged files and fields are replaced by defaults."""

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.app.profile.data_directory import MARKER
from usage_viewer.app.settings.settings import ColourScheme, ProfileSettings, Settings, load, organizations_of, save
from usage_viewer.domain.errors import StoreNotWritable
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, SortKey

VIEW = ViewState(
    per=Granularity.DAY, filters=(Filter("batch", frozenset(["true", None])),), order=(SortKey("model", True),)
)
COSTS = ViewState(
    "costs", grouping=("line_item",), columns=("amount",), order=(SortKey("amount", True), SortKey("line_item"))
)
SETTINGS = Settings(
    profiles={
        "default": ProfileSettings(VIEW, {"model": 200, "period": 90}, {"completions": VIEW, "costs": COSTS}),
        "other": ProfileSettings(COSTS, views={"costs": COSTS}),
    },
    geometry="AdnQywADAAA=",
    bars=False,
    abbreviated=True,
    colour_scheme=ColourScheme.DARK,
    recent_zones=("Europe/Berlin", "local"),
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "settings.json"


def written(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def test_missing_file_gives_defaults(path: Path) -> None:
    assert load(path) == Settings()
    assert load(path).note == ""
    assert not path.parent.exists()


def test_saved_settings_are_loaded(path: Path) -> None:
    save(path, SETTINGS)
    assert load(path) == SETTINGS
    assert load(path).note == ""
    save(path, load(path))
    assert load(path) == SETTINGS


def test_equal_settings_give_equal_text(path: Path) -> None:
    values = [f"gpt-{number}" for number in range(50)]
    texts = set()
    for listed in (values, values[::-1]):
        view = VIEW.with_filter(Filter("model", frozenset([None, *listed])))
        save(path, Settings().with_profile("default", ProfileSettings(view)))
        texts.add(path.read_text())
    assert len(texts) == 1
    listed = json.loads(texts.pop())["profiles"]["default"]["view"]["filters"][1]["values"]
    assert listed == [*sorted(values), None]


def test_only_the_user_may_read_the_file(path: Path) -> None:
    save(path, SETTINGS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {one.name for one in path.parent.iterdir()} == {path.name, MARKER}


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null", b"[" * 100_000, b'{"a": 1'])
def test_damaged_file_is_kept_as_a_copy(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    loaded = load(path)
    assert loaded == Settings()
    assert "settings.damaged.json" in loaded.note
    assert (path.parent / "settings.damaged.json").read_bytes() == content
    assert not path.exists()
    assert load(path).note == ""


def test_note_is_not_saved(path: Path) -> None:
    save(path, Settings(note="something went wrong"))
    assert "note" not in json.loads(path.read_text())


def test_unreadable_file_gives_defaults(path: Path) -> None:
    path.mkdir(parents=True)
    loaded = load(path)
    assert loaded == Settings()
    assert "can't be read" in loaded.note
    assert path.is_dir()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bars", "yes"),
        ("abbreviated", 1),
        ("colour_scheme", "pink"),
        ("geometry", 5),
        ("recent_zones", "UTC"),
        ("profiles", []),
    ],
)
def test_invalid_field_does_not_affect_others(path: Path, name: str, value: Any) -> None:
    save(path, SETTINGS)
    stored = json.loads(path.read_text())
    loaded = load(written(path, stored | {name: value}))
    assert getattr(loaded, name) == getattr(Settings(), name)
    others = set(stored) - {name, "version"}
    assert [getattr(loaded, other) for other in others] == [getattr(SETTINGS, other) for other in others]


NEW_COSTS = ViewState("costs", grouping=("line_item",))


def test_columns_of_an_older_file_are_kept(path: Path) -> None:
    profile = {"view": {"dataset": "costs"}, "columns": {"completions": ["output_tokens", "input_tokens"]}}
    loaded = load(written(path, {"profiles": {"default": profile}})).profiles["default"]
    assert loaded.view == NEW_COSTS
    assert loaded.views == {
        "completions": ViewState(columns=("output_tokens", "input_tokens")),
        "costs": NEW_COSTS,
    }


def test_invalid_view_of_a_dataset_does_not_affect_others(path: Path) -> None:
    profile = {"views": {"costs": {"order": [{"column": "amount"}, 5]}, "gone": {}, "images": 7, "moderations": {}}}
    loaded = load(written(path, {"profiles": {"default": profile}})).profiles["default"]
    assert loaded.views["costs"] == NEW_COSTS.with_order([SortKey("amount")])
    assert set(loaded.views) == {"completions", "costs", "moderations"}


def test_invalid_entries_do_not_affect_others(path: Path) -> None:
    profile = {
        "view": 5,
        "widths": {"model": 200, "batch": "wide", "period": -1, "user_id": 10**9},
        "columns": {"completions": ["input_tokens", "nonsense", 5, "input_tokens"], "costs": ["no"], "gone": ["a"]},
    }
    stored = {
        "profiles": {"default": profile, "bad": 7},
        "recent_zones": ["UTC", "Nowhere/Land", 5, "../etc", "UTC"],
    }
    loaded = load(written(path, stored))
    assert loaded.profiles == {
        "default": ProfileSettings(ViewState(), {"model": 200}, {"completions": ViewState(), "costs": NEW_COSTS})
    }
    assert loaded.recent_zones == ("UTC",)


NAMES = ("profiles", "geometry", "bars", "abbreviated", "colour_scheme", "recent_zones", "version")


@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING))
def test_any_content_is_loaded_without_an_error(
    tmp_path_factory: pytest.TempPathFactory, stored: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.json"
    loaded = load(written(path, stored))
    assert loaded.note == ""
    save(path, loaded)
    assert load(path) == loaded


@given(st.dictionaries(st.sampled_from(["view", "widths", "columns", "views"]), ANYTHING))
def test_any_profile_is_loaded_without_an_error(
    tmp_path_factory: pytest.TempPathFactory, stored: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.json"
    loaded = load(written(path, {"profiles": {"default": stored}}))
    assert set(loaded.profiles) == {"default"}
    save(path, loaded)
    assert load(path) == loaded


def test_failed_save_raises_store_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreNotWritable) as caught:
        save(tmp_path / "file" / "settings.json", SETTINGS)
    assert caught.value.title == "The settings can't be saved"
    assert caught.value.hint


def test_one_profile_or_zone_is_changed() -> None:
    assert Settings().profile("default") == ProfileSettings()
    changed = SETTINGS.with_profile("other", ProfileSettings(VIEW))
    assert changed.profile("other").view == VIEW
    assert changed.profile("default") == SETTINGS.profile("default")
    zones = Settings()
    for zone in ("UTC", "Asia/Tokyo", "UTC", *(f"Etc/GMT+{hour}" for hour in range(1, 9))):
        zones = zones.with_zone(zone)
    assert zones.recent_zones[0] == "Etc/GMT+8"
    assert len(zones.recent_zones) == 8
    assert SETTINGS.with_zone("local").recent_zones == ("local", "Europe/Berlin")


@pytest.mark.parametrize("name", ["geometry", "organization", "profiles", "recent_zones", "organizations"])
def test_half_of_a_surrogate_pair_costs_its_setting_alone(path: Path, name: str) -> None:
    written(path, {"bars": False, name: "\ud800"})
    assert not load(path).bars
    organizations_of(path)


def test_reading_organizations_takes_time_in_proportion_to_their_number(tmp_path: Path) -> None:
    """Counts calls of functions, which no load of the computer changes."""

    def calls(number: int) -> int:
        listed = [{"id": f"org-{at}", "label": f"Organization {at}"} for at in range(number)]
        path = tmp_path / "settings.json"
        path.write_text(json.dumps({"organizations": listed}))
        counted = 0

        def count(frame: object, event: str, argument: object) -> None:
            nonlocal counted
            counted += event in ("call", "c_call")

        sys.setprofile(count)
        try:
            organizations, _ = organizations_of(path)
        finally:
            sys.setprofile(None)
        assert len(organizations) == number
        return counted

    assert calls(800) < 4.5 * calls(200)
