"""`erase_all` deletes every key, all usage, names and settings, and no files of other programs."""

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


class Ring:
    """Provides a keystore for each organization; the one of `failing` fails."""

    def __init__(self, *ids: str, failing: str = "") -> None:
        self.stores = {id: MemoryKeystore(AdminKey.parse(f"sk-admin-of-{id}")) for id in ids}
        self.failing = failing

    def __call__(self, id: str) -> Keystore:
        if id == self.failing:
            raise KeyringFailed("it is broken")
        return self.stores.setdefault(id, MemoryKeystore())

    @property
    def kept(self) -> set[str]:
        return {id for id, store in self.stores.items() if store.load() is not None}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with two organizations in the settings, and a third one that has only data."""
    data = tmp_path / "data"
    listed = (Organization("default", "Mine"), Organization("acme", "Acme & Sons"))
    settings.save(ProfilePaths(data).settings, Settings(organizations=listed))
    for id in ("default", "acme", "forgotten"):
        Store.open(ProfilePaths(data, id).database).close()
    (ProfilePaths(data, "acme").directory / "usage.damaged-20261101-120000.duckdb").write_text("damaged")
    (data / "profiles" / ".not-a-profile").mkdir()
    return data


def test_finds_every_organization(data: Path, tmp_path: Path) -> None:
    assert [one.id for one in all_organizations(data)] == ["default", "acme", "forgotten"]
    assert [one.id for one in all_organizations(tmp_path / "none")] == ["default"]


def test_deletes_everything(data: Path) -> None:
    ring = Ring("default", "acme", "forgotten")
    assert erase_all(data, ring) == []
    assert ring.kept == set()
    assert not data.exists()
    assert erase_all(data, ring) == [], "an empty directory is no error"


def test_keeps_files_of_other_programs(data: Path) -> None:
    (data / "holiday.jpg").write_text("a picture")
    assert erase_all(data, Ring()) == []
    assert [path.name for path in data.iterdir()] == ["holiday.jpg"]


def test_deletes_a_link_but_not_its_target(data: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (data / "profiles").rename(elsewhere)
    (data / "profiles").symlink_to(elsewhere)
    assert erase_all(data, Ring()) == []
    assert not data.exists()
    assert (elsewhere / "acme" / "usage.duckdb").exists()


def test_reports_a_failed_key_and_deletes_the_rest(data: Path) -> None:
    ring = Ring("default", "forgotten", failing="acme")
    (fault,) = erase_all(data, ring)
    assert "Acme & Sons" in fault.title
    assert fault.hint
    assert ring.kept == set()
    assert not data.exists()


def test_deletes_nothing_while_a_window_has_a_database_open(data: Path) -> None:
    holder = (
        "import sys; from pathlib import Path; from usage_viewer.store import Store; "
        "s = Store.open(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read(); s.close()"
    )
    ring = Ring("default", "acme")
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(ProfilePaths(data, "acme").database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"held"
        with pytest.raises(StoreLocked):
            erase_all(data, ring)
        process.communicate(timeout=10)
    assert ring.kept == {"default", "acme"}
    assert ProfilePaths(data).settings.exists()
    assert ProfilePaths(data, "acme").database.exists()


def test_deletes_a_damaged_database(data: Path) -> None:
    ProfilePaths(data, "acme").database.write_bytes(b"not a database" * 1000)
    assert erase_all(data, Ring()) == []
    assert not data.exists()
