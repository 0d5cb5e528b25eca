"""Checks that every key, all usage, names and settings are erased, and no file of another program."""

import subprocess
import sys
from pathlib import Path

import pytest

from usage_viewer.app.erase_all import all_organizations, erase_all
from usage_viewer.app.profile.organizations import Organization
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings import settings
from usage_viewer.app.settings.settings import Settings
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import KeyringFailed, StoreLocked
from usage_viewer.keystore import Keystore, MemoryKeystore
from usage_viewer.store import Store


class Keystores:
    """The keystores by organization id; the one of `failing` raises an error."""

    def __init__(self, *ids: str, failing: str = "") -> None:
        self.stores = {id: MemoryKeystore(AdminKey.parse(f"sk-admin-of-{id}")) for id in ids}
        self.failing = failing

    def __call__(self, id: str) -> Keystore:
        if id == self.failing:
            raise KeyringFailed("it is broken")
        return self.stores.setdefault(id, MemoryKeystore())

    @property
    def ids_with_key(self) -> set[str]:
        """The organizations that have a key."""
        return {id for id, store in self.stores.items() if store.load() is not None}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data directory with two organizations in the settings and one that has only data."""
    data = tmp_path / "data"
    listed = (Organization("default", "Mine"), Organization("acme", "Acme & Sons"))
    settings.save(ProfilePaths(data).settings, Settings(organizations=listed))
    for id in ("default", "acme", "forgotten"):
        Store.open(ProfilePaths(data, id).database).close()
    (ProfilePaths(data, "acme").directory / "usage.damaged-20261101-120000.duckdb").write_text("damaged")
    (data / "profiles" / ".not-a-profile").mkdir()
    return data


def test_all_organizations_are_found(data: Path, tmp_path: Path) -> None:
    assert [organization.id for organization in all_organizations(data)] == ["default", "acme", "forgotten"]
    assert [organization.id for organization in all_organizations(tmp_path / "none")] == ["default"]


def test_erase_all_removes_every_key_and_file(data: Path) -> None:
    keystores = Keystores("default", "acme", "forgotten")
    assert erase_all(data, keystores) == []
    assert keystores.ids_with_key == set()
    assert not data.exists()
    assert erase_all(data, keystores) == [], "a second run must find nothing to remove"


def test_files_of_others_stay(data: Path) -> None:
    (data / "holiday.jpg").write_text("a picture")
    assert erase_all(data, Keystores()) == []
    assert [path.name for path in data.iterdir()] == ["holiday.jpg"]


def test_a_link_is_removed_but_not_its_target(data: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (data / "profiles").rename(elsewhere)
    (data / "profiles").symlink_to(elsewhere)
    assert erase_all(data, Keystores()) == []
    assert not data.exists()
    assert (elsewhere / "acme" / "usage.duckdb").exists()


def test_a_failing_keyring_is_reported_and_the_rest_is_removed(data: Path) -> None:
    keystores = Keystores("default", "forgotten", failing="acme")
    (error,) = erase_all(data, keystores)
    assert "Acme & Sons" in error.title
    assert error.hint
    assert keystores.ids_with_key == set()
    assert not data.exists()


def test_open_data_is_not_erased(data: Path) -> None:
    holder = (
        "import sys; from pathlib import Path; from usage_viewer.store import Store; "
        "s = Store.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read(); s.close()"
    )
    keystores = Keystores("default", "acme")
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(ProfilePaths(data, "acme").database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"open"
        with pytest.raises(StoreLocked):
            erase_all(data, keystores)
        process.communicate(timeout=10)
    assert keystores.ids_with_key == {"default", "acme"}
    assert ProfilePaths(data).settings.exists()
    assert ProfilePaths(data, "acme").database.exists()


def test_a_damaged_database_is_removed(data: Path) -> None:
    ProfilePaths(data, "acme").database.write_bytes(b"not a database" * 1000)
    assert erase_all(data, Keystores()) == []
    assert not data.exists()
