"""Provides what `make package` has built."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.command_line import NO_BUS
from tests.rigs.secret_service import SecretService, skip_without_secret_service

PACKAGES = Path(__file__).parents[2] / "build" / "packages"
_NOT_INHERITED = ("OPENAI_", "DBUS_", "XDG_", "PYTHON", "PYTEST_", "LD_", "QT_", "VIRTUAL_ENV")
_SESSION = ("DISPLAY", "WAYLAND_DISPLAY")


@pytest.fixture(scope="session")
def folder() -> Path:
    """The folder of the packaged program."""
    folders = sorted(path for path in PACKAGES.glob("usage-viewer-*-linux-*") if path.is_dir())
    if not folders:
        pytest.fail("there is no package: run `make package` first")
    return folders[0]


@pytest.fixture(scope="session")
def debian_package() -> Path:
    """The Debian package."""
    packages = sorted(PACKAGES.glob("usage-viewer_*.deb"))
    if not packages:
        pytest.fail("there is no package: run `make package` first")
    return packages[0]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a user without a display, a keyring and a Python of the program's own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_NOT_INHERITED) and name not in _SESSION
    }
    home = tmp_path / "home"
    home.mkdir()
    own = {"HOME": str(home), "PATH": "/usr/bin:/bin", "QT_QPA_PLATFORM": "offscreen"}
    return kept | own | {"DBUS_SESSION_BUS_ADDRESS": NO_BUS}


@pytest.fixture
def secret_service(tmp_path: Path) -> Iterator[SecretService]:
    """A keyring of the test's own."""
    skip_without_secret_service()
    root = tmp_path / "keyring"
    root.mkdir()
    service = SecretService(root)
    yield service
    service.close()
