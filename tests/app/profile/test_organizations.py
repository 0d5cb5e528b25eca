"""The list of organizations: fixed ids, changeable labels, invalid labels, and the stored list."""

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


def test_id_is_derived_from_the_label_and_unique(tmp_path: Path) -> None:
    listed = add((ACME,), "  Müller   & Söhne ", tmp_path)
    assert listed[-1] == Organization("muller-sohne", "Müller & Söhne")
    assert add(listed, "Muller Sohne", tmp_path)[-1].id == "muller-sohne-2"
    assert add(listed, "日本", tmp_path)[-1].id == "organization"
    assert add(listed, "Demo", tmp_path)[-1].id == "demo-2"
    ProfilePaths(tmp_path, "left-behind").directory.mkdir(parents=True)
    assert add(listed, "Left behind", tmp_path)[-1].id == "left-behind-2"


@pytest.mark.parametrize("label", ["", "  ", "x" * 61, "acme", "A\u202ecme"])
def test_invalid_labels_are_refused(label: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        add((ACME,), label, tmp_path)
    with pytest.raises(InputError):
        rename((*BOTH,), "umbrella", label)


def test_insecure_base_url_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        add((ACME,), "Other", tmp_path, "http://usage.example/v1")
    assert add((ACME,), "Other", tmp_path, "https://usage.example/v1/")[-1].base_url.startswith("https://")


def test_rename_keeps_the_id(tmp_path: Path) -> None:
    assert rename(BOTH, "umbrella", "Umbrella Inc")[-1] == Organization(
        "umbrella", "Umbrella Inc", UMBRELLA.base_url
    )
    assert rename(BOTH, "default", "ACME")[0].label == "ACME"  # its own label, in capitals


def test_last_organization_can_not_be_removed() -> None:
    assert remove(BOTH, "default") == (UMBRELLA,)
    with pytest.raises(InputError):
        remove((ACME,), "default")


def test_find_id_accepts_id_and_label() -> None:
    assert find_id(BOTH, "umbrella") == "umbrella"
    assert find_id(BOTH, "acme") == "default"
    assert find_id(BOTH, "new") == "new"
    assert with_id((), "default") == (Organization("default", FIRST_LABEL),)
    assert with_id(BOTH, "umbrella") == BOTH
    with pytest.raises(InputError):
        with_id(BOTH, "../elsewhere")


def test_delete_data_deletes_the_directory(tmp_path: Path) -> None:
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


def test_list_is_saved_and_survives_damage(tmp_path: Path) -> None:
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
    assert path.exists()  # reading the list doesn't rename the file
