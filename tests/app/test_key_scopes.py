"""Tests to which data directory and server an entry of an older version belongs."""

from pathlib import Path

import pytest

from usage_viewer.app.key_scopes import key_scope
from usage_viewer.app.profile.organizations import Organization
from usage_viewer.app.profile.paths import ProfilePaths, default_data_dir
from usage_viewer.app.settings.settings import Settings, save
from usage_viewer.keystore import VENDOR_SERVER, UnboundEntry

OWN = "https://gateway.example/v1"
FOREIGN = "https://foreign.example/v1"


@pytest.fixture
def default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProfilePaths:
    """The default data directory, in a home of the test's own."""
    for name in ("XDG_DATA_HOME", "HOME", "LOCALAPPDATA", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    return ProfilePaths(default_data_dir(), "acme")


def _record(paths: ProfilePaths, base_url: str) -> None:
    save(paths.settings, Settings(organizations=(Organization("acme", "Acme", base_url),)))


def test_default_directory_adopts_the_entry_for_its_recorded_server(default: ProfilePaths) -> None:
    assert key_scope(default, OWN).unbound == UnboundEntry(VENDOR_SERVER, adopted=True, removed=True)
    _record(default, OWN)
    scope = key_scope(default, FOREIGN)
    assert scope.unbound == UnboundEntry("https://gateway.example", adopted=True, removed=True)
    assert scope.server == "https://foreign.example"


def test_settings_of_another_directory_say_nothing_about_the_entry(default: ProfilePaths, tmp_path: Path) -> None:
    checkout = ProfilePaths(tmp_path / "checkout", "acme")
    _record(checkout, FOREIGN)
    assert key_scope(checkout, FOREIGN).unbound == UnboundEntry(VENDOR_SERVER, adopted=False, removed=True)
    _record(default, OWN)
    default.directory.mkdir(parents=True)
    unbound = key_scope(checkout, FOREIGN).unbound
    assert unbound == UnboundEntry("https://gateway.example", adopted=False, removed=False)
