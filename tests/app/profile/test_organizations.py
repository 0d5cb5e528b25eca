"""The list of organizations: ids that stay, names that change, what can't be used, what is stored."""

import json
from pathlib import Path

import pytest

from usage_viewer.app.profile.organizations import (
    FIRST_LABEL,
    Organization,
    add,
    delete_data,
    find_id,
    remove,
    rename,
    with_id,
)
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings.settings import Settings, load, organizations_of, save
from usage_viewer.domain.errors import InputError, StoreNotWritable

ACME = Organization("default", "Acme")
UMBRELLA = Organization("umbrella", "Umbrella", "https://usage.example/v1")
BOTH = (ACME, UMBRELLA)


def test_an_id_is_made_from_the_name_and_is_its_own(tmp_path: Path) -> None:
    listed = add((ACME,), "  Müller   & Söhne ", tmp_path)
    assert listed[-1] == Organization("muller-sohne", "Müller & Söhne")
    assert add(listed, "Muller Sohne", tmp_path)[-1].id == "muller-sohne-2"
    assert add(listed, "日本", tmp_path)[-1].id == "organization"
    assert add(listed, "Demo", tmp_path)[-1].id == "demo-2"
    ProfilePaths(tmp_path, "left-behind").directory.mkdir(parents=True)
    assert add(listed, "Left behind", tmp_path)[-1].id == "left-behind-2"


@pytest.mark.parametrize("label", ["", "  ", "x" * 61, "acme", "A\u202ecme"])
def test_names_that_cannot_be_used(label: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        add((ACME,), label, tmp_path)
    with pytest.raises(InputError):
        rename((*BOTH,), "umbrella", label)


def test_a_server_must_be_safe_to_send_a_key_to(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        add((ACME,), "Other", tmp_path, "http://usage.example/v1")
    assert add((ACME,), "Other", tmp_path, "https://usage.example/v1/")[-1].base_url.startswith("https://")


def test_renaming_keeps_the_id(tmp_path: Path) -> None:
    assert rename(BOTH, "umbrella", "Umbrella Inc")[-1] == Organization(
        "umbrella", "Umbrella Inc", UMBRELLA.base_url
    )
    assert rename(BOTH, "default", "ACME")[0].label == "ACME"  # its own name in other letters


def test_the_last_one_stays() -> None:
    assert remove(BOTH, "default") == (UMBRELLA,)
    with pytest.raises(InputError):
        remove((ACME,), "default")


def test_a_profile_is_found_by_id_and_by_name() -> None:
    assert find_id(BOTH, "umbrella") == "umbrella"
    assert find_id(BOTH, "acme") == "default"
    assert find_id(BOTH, "new") == "new"
    assert with_id((), "default") == (Organization("default", FIRST_LABEL),)
    assert with_id(BOTH, "umbrella") == BOTH
    with pytest.raises(InputError):
        with_id(BOTH, "../elsewhere")


def test_data_is_removed_whole(tmp_path: Path) -> None:
    place, other = ProfilePaths(tmp_path, "umbrella"), ProfilePaths(tmp_path)
    for one in (place, other):
        one.directory.mkdir(parents=True)
        one.database.write_bytes(b"usage")
    delete_data(place)
    delete_data(place)
    assert not place.directory.exists()
    assert other.database.exists()
    place.directory.write_text("a file in its place")
    with pytest.raises(StoreNotWritable):
        delete_data(place)


def test_the_list_is_stored_and_survives_damage(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    settings = Settings(organizations=BOTH, organization="umbrella", combined=("default", "umbrella"))
    save(path, settings)
    assert load(path) == settings
    assert organizations_of(path) == (BOTH, "umbrella")
    stored = json.loads(path.read_text())
    stored["organizations"] += [
        {"id": "../../etc", "label": "Elsewhere"},
        {"id": "umbrella", "label": "Twice"},
        {"id": "demo", "label": "Taken"},
        {"id": "third", "label": "acme"},
        {"label": "No id"},
        7,
    ]
    path.write_text(json.dumps(stored))
    assert load(path).organizations == BOTH
    path.write_text("{")
    assert organizations_of(path) == ((), "default")
    assert path.exists()  # a look at it moves nothing
