"""Fixtures of the window's tests."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.rigs.window import Desk, Hands, Oracle, Sums, shown_sums
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.gui.window.main_window import MainWindow
from usage_viewer.keystore import Keystore, open_keystore


@pytest.fixture(scope="session", autouse=True)
def empty_clipboard_at_the_end(qapp: QApplication) -> Iterator[None]:
    """Clears the clipboard: with contents, the offscreen platform crashes at exit."""
    yield
    qapp.clipboard().clear()


@pytest.fixture(scope="session")
def organization() -> SyntheticOrganization:
    return SyntheticOrganization(anchor=int(time.time()))


@pytest.fixture
def server(organization: SyntheticOrganization) -> Iterator[DemoServer]:
    with DemoServer(organization, key=ADMIN_KEY) as running:
        yield running


@pytest.fixture
def desk(qtbot: QtBot, server: DemoServer, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(qtbot, server, tmp_path / "data")
    yield desk
    for window in list(desk.windows):
        desk.close(window)


@pytest.fixture
def hands(desk: Desk) -> Hands:
    return Hands(desk)


@pytest.fixture
def oracle(organization: SyntheticOrganization, desk: Desk) -> Oracle:
    return Oracle(organization, desk.clock)


@pytest.fixture
def sums_shown() -> Callable[[MainWindow], Sums]:
    """A function that returns the figures of a window's table, by period and group."""
    return shown_sums


@pytest.fixture
def system_keystore(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Keystore]:
    """Opens the keystore as the program does, without a key in the environment."""
    monkeypatch.delenv("OPENAI_ADMIN_KEY", raising=False)
    return lambda: open_keystore("default", use_environment=True)
