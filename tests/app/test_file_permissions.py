"""Stored files are restricted to their owner at each start; files of other programs are unchanged."""

import os
from pathlib import Path

import pytest

from usage_viewer.app.file_permissions import restrict_permissions, stored_files
from usage_viewer.app.profile.data_directory import MARKER
from usage_viewer.app.profile.paths import ProfilePaths

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A copied data directory that everybody can read."""
    data = tmp_path / "data"
    place = ProfilePaths(data, "acme")
    place.directory.mkdir(parents=True)
    (data / MARKER).write_text("copied")
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


def test_all_permissions_are_restricted(kept: Path) -> None:
    restrict_permissions(kept)
    assert mode(kept) == "0o700"
    for path in kept.rglob("*"):
        assert mode(path) == ("0o700" if path.is_dir() else "0o600"), path


def test_unreadable_directories_are_corrected(kept: Path) -> None:
    ProfilePaths(kept, "acme").database.chmod(0o000)
    ProfilePaths(kept, "acme").directory.chmod(0o700)
    restrict_permissions(kept)
    assert mode(ProfilePaths(kept, "acme").database) == "0o600"


def test_directory_with_other_files_is_unchanged(kept: Path) -> None:
    other = kept / "holiday.jpg"
    other.write_text("a picture")
    other.chmod(0o644)
    restrict_permissions(kept)
    assert mode(kept) == "0o755"
    assert mode(other) == "0o644"
    assert mode(kept / "profiles") == "0o700"
    assert mode(ProfilePaths(kept).settings) == "0o600"
    assert other not in stored_files(kept)


def test_links_are_not_followed(kept: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    (elsewhere / "file").write_text("not ours")
    (elsewhere / "file").chmod(0o644)
    (kept / "profiles" / "linked").symlink_to(elsewhere)
    (kept / "profiles" / "linked-file").symlink_to(elsewhere / "file")
    (kept / "profiles" / "nowhere").symlink_to(tmp_path / "gone")
    restrict_permissions(kept)
    assert mode(elsewhere) == "0o755"
    assert mode(elsewhere / "file") == "0o644"


def test_missing_directory_is_not_created(tmp_path: Path) -> None:
    restrict_permissions(tmp_path / "none")
    assert stored_files(tmp_path / "none") == []
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("in the way")
    restrict_permissions(tmp_path / "file")
