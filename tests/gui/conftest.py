"""Provides the rig of the window tests."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.rigs.keys import key_scope
from tests.rigs.sample_organization import sample_organization
from tests.rigs.window import Oracle, User, WindowRig
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.keystore import VENDOR_SERVER, Keystore, open_keystore


@pytest.fixture(scope="session", autouse=True)
def empty_clipboard_at_the_end(qapp: QApplication) -> Iterator[None]:
    """Empty the clipboard: the offscreen platform crashes when the interpreter ends with something on it."""
    yield
    qapp.clipboard().clear()


@pytest.fixture(scope="session")
def organization() -> SyntheticOrganization:
    """Build the sample organization."""
    return sample_organization(time.time())


@pytest.fixture
def server(organization: SyntheticOrganization) -> Iterator[DemoServer]:
    """Serve the sample organization on loopback."""
    with DemoServer(organization, key=ADMIN_KEY) as running:
        yield running


@pytest.fixture
def rig(qtbot: QtBot, server: DemoServer, tmp_path: Path) -> Iterator[WindowRig]:
    """Open windows on the server and close them at the end."""
    rig = WindowRig(qtbot, server, tmp_path / "data")
    yield rig
    for window in list(rig.windows):
        rig.close(window)


@pytest.fixture
def user(rig: WindowRig) -> User:
    """Use the mouse and the keyboard."""
    return User(rig)


@pytest.fixture
def oracle(organization: SyntheticOrganization, rig: WindowRig) -> Oracle:
    """Compute the expected sums."""
    return Oracle(organization, rig.clock)


@pytest.fixture
def system_keystore(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Keystore]:
    """Open the keystore as the program does, without a key in the environment."""
    monkeypatch.delenv("OPENAI_ADMIN_KEY", raising=False)
    return lambda: open_keystore(key_scope("default"), environment_server=VENDOR_SERVER)
