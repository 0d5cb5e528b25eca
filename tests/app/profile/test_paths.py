"""The paths of a profile's files, and the names that a profile may have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from usage_viewer.app.profile.paths import ProfilePaths, default_data_dir
from usage_viewer.domain.errors import InputError


def test_profiles_have_own_databases_and_share_settings(tmp_path: Path) -> None:
    first, second = ProfilePaths(tmp_path), ProfilePaths(tmp_path, "acme-2.eu")
    assert first.profile == "default"
    assert first.database != second.database
    assert second.database.is_relative_to(second.directory)
    assert first.settings == second.settings
    for path in (first.database, second.database, first.settings):
        assert path.is_relative_to(tmp_path)


@pytest.mark.parametrize("name", ["a", "Default", "acme", "acme_2", "a-b", "a.b", "9to5", "x" * 64])
def test_portable_names_are_accepted(name: str, tmp_path: Path) -> None:
    assert ProfilePaths(tmp_path, name).directory.name == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../other",
        "a/b",
        "a\\b",
        "/etc",
        "-x",
        ".hidden",
        "a.",
        "a b",
        "a:b",
        "ä",
        "a\n",
        "x" * 65,
        "~",
    ],
)
def test_other_names_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        ProfilePaths(tmp_path, name)
    assert raised.value.title == "This profile name can't be used"
    assert raised.value.hint


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the variable is that of Linux desktops")
def test_default_directory_follows_the_system(tmp_path: Path) -> None:
    assert default_data_dir().name == "usage-viewer"
    printed = subprocess.run(
        [sys.executable, "-c", "from usage_viewer.app.profile.paths import *; print(default_data_dir())"],
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(printed.stdout.strip()) == tmp_path / "data" / "usage-viewer"
