"""A real window on a real server: everything between them is what a user runs."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot

from usage_viewer.app.place import Place
from usage_viewer.app.profile import Demo, Profile
from usage_viewer.demo.access import ADMIN_KEY
from usage_viewer.demo.organization import Organization
from usage_viewer.demo.server import DemoServer
from usage_viewer.domain.key import AdminKey
from usage_viewer.gui.main_window import MainWindow
from usage_viewer.keystore import Keystore, SessionKeystore, open_keystore

TIMEOUT = 15_000
"""Milliseconds after which something that never comes fails a test."""


@dataclass
class Clock:
    """The time, and how far a test has moved it."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Desk:
    """What a user sits at: a server, a data directory, a keyring, and windows that are closed at the end."""

    qtbot: QtBot
    server: DemoServer
    data_dir: Path
    clock: Clock = field(default_factory=Clock)
    windows: list[MainWindow] = field(default_factory=list)

    def profile(self, keystore: Callable[[], Keystore]) -> Profile:
        place = Place(self.data_dir)
        return Profile(
            place.profile,
            base_url=self.server.base_url,
            database=place.database,
            keystore=keystore,
            clock=self.clock,
        )

    def start(self, keystore: Callable[[], Keystore] | None = None, *, wait: bool = True) -> MainWindow:
        """A window as a start of the program makes it; by default with the server's key in memory."""
        window = self.make(keystore)
        if wait:
            with self.qtbot.waitSignal(window.settled, timeout=TIMEOUT):
                window.start()
        else:
            window.start()
        return window

    def make(self, keystore: Callable[[], Keystore] | None = None) -> MainWindow:
        """The same, before it is told what to begin with."""
        keys = SessionKeystore(AdminKey.parse(self.server.key)) if keystore is None else None
        window = MainWindow(
            self.profile(keystore or (lambda: keys or SessionKeystore())), Place(self.data_dir), self.open_demo
        )
        self.windows.append(window)
        window.show()
        return window

    def open_demo(self) -> Demo:
        return DemoAtHand(self.server)

    def settle(self, window: MainWindow, act: Callable[[], object]) -> None:
        """Acts, then waits until everything that was asked for is shown."""
        with self.qtbot.waitSignal(window.settled, timeout=TIMEOUT):
            act()

    def close(self, window: MainWindow) -> None:
        if window in self.windows:
            self.windows.remove(window)
            window.close()
            window.finish()
            window.deleteLater()
            QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)


@dataclass
class DemoAtHand:
    """The demo as the program opens it, but on the server that runs already."""

    server: DemoServer

    @property
    def profile(self) -> Profile:
        key = AdminKey.parse(self.server.key)
        return Profile(
            "demo",
            base_url=self.server.base_url,
            database=None,
            keystore=lambda: SessionKeystore(key, description="The demo needs no key of yours."),
        )

    def close(self) -> None:
        """The server belongs to the test."""


@pytest.fixture(scope="session")
def organization() -> Organization:
    return Organization(anchor=int(time.time()))


@pytest.fixture
def server(organization: Organization) -> Iterator[DemoServer]:
    with DemoServer(organization, key=ADMIN_KEY) as running:
        yield running


@pytest.fixture
def desk(qtbot: QtBot, server: DemoServer, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(qtbot, server, tmp_path / "data")
    yield desk
    for window in list(desk.windows):
        desk.close(window)


@pytest.fixture
def system_keystore(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Keystore]:
    """The keystore as the program opens it, without a key in the environment."""
    monkeypatch.delenv("OPENAI_ADMIN_KEY", raising=False)
    return lambda: open_keystore("default", use_environment=True)
