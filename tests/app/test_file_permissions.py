"""Checks that stored files are readable by their owner only, and that other files keep their permissions."""

import os
from pathlib import Path

import pytest

from usage_viewer.app.file_permissions import keep_private, kept_files
from usage_viewer.app.profile.paths import ProfilePaths

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")


def mode(path: Path) -> str:
    """Return the permissions of a file as "0o600"."""
    return oct(path.stat().st_mode & 0o777)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data directory that every user can read."""
    data = tmp_path / "data"
    place = ProfilePaths(data, "acme")
    place.directory.mkdir(parents=True)
    for path in (
        place.database,
        place.directory / "usage.duckdb.wal",
        place.directory / "usage.damaged-20261101-120000.duckdb",
        place.settings,
        data / "settings.damaged.json",
        data / ".settings.json.0123456789ab.part",
    ):
        path.write_text("private")
        path.chmod(0o644)
    for path in (data, data / "profiles", place.directory):
        path.chmod(0o755)
    return data


def test_every_stored_file_becomes_private(data: Path) -> None:
    keep_private(data)
    assert mode(data) == "0o700"
    for path in data.rglob("*"):
        assert mode(path) == ("0o700" if path.is_dir() else "0o600"), path


def test_an_unreadable_file_becomes_private(data: Path) -> None:
    ProfilePaths(data, "acme").database.chmod(0o000)
    ProfilePaths(data, "acme").directory.chmod(0o700)
    keep_private(data)
    assert mode(ProfilePaths(data, "acme").database) == "0o600"


def test_a_directory_with_other_files_keeps_its_permissions(data: Path) -> None:
    other = data / "holiday.jpg"
    other.write_text("a picture")
    other.chmod(0o644)
    keep_private(data)
    assert mode(data) == "0o755"
    assert mode(other) == "0o644"
    assert mode(data / "profiles") == "0o700"
    assert mode(ProfilePaths(data).settings) == "0o600"
    assert other not in kept_files(data)


def test_links_are_not_followed(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir(mode=0o755)
    (target / "file").write_text("not ours")
    (target / "file").chmod(0o644)
    (data / "profiles" / "linked").symlink_to(target)
    (data / "profiles" / "linked-file").symlink_to(target / "file")
    (data / "profiles" / "nowhere").symlink_to(tmp_path / "gone")
    keep_private(data)
    assert mode(target) == "0o755"
    assert mode(target / "file") == "0o644"


def test_no_directory_is_created(tmp_path: Path) -> None:
    keep_private(tmp_path / "none")
    assert kept_files(tmp_path / "none") == []
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("in the way")
    keep_private(tmp_path / "file")
