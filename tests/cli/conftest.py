"""Fixtures of the command line: in this process, or as a child process, in front of a stand-in server."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from tests.rigs.command_line import Program, Table
from tests.rigs.sample_organization import sample_organization
from usage_viewer.app.session.session import Session
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.store import Store
from usage_viewer.store.engine.database import Database


class SharedStore(Store):
    """Stays open when a session closes it, because opening a large store takes longer than most queries."""

    def close(self) -> None:
        """Do nothing; `end` closes the store."""

    def end(self) -> None:
        super().close()


@pytest.fixture(scope="session", autouse=True)
def application(qapp: QApplication) -> QApplication:
    """The application of a window: without one, a drawing makes one that the windows of later tests can't use."""
    return qapp


@pytest.fixture(scope="session")
def organization() -> SyntheticOrganization:
    return sample_organization(time.time())


@pytest.fixture
def server(organization: SyntheticOrganization) -> Iterator[DemoServer]:
    with DemoServer(organization) as running:
        yield running


@pytest.fixture
def table(server: DemoServer) -> Table:
    """A `table` command without a database file, with the server's key."""
    return Table(server, None, server.key)


@pytest.fixture
def child(server: DemoServer, tmp_path: Path) -> Program:
    """A child process with the server's key in the environment."""
    return Program(server, tmp_path)


@pytest.fixture(scope="session")
def make_table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[DemoServer, float], Table]]:
    """`make_table(server, now)` returns a `table` command with a separate database and a fixed clock."""
    stores: list[SharedStore] = []

    def make(server: DemoServer, now: float) -> Table:
        store = SharedStore(Database(tmp_path_factory.mktemp("table") / "usage.duckdb"))
        stores.append(store)
        return Table(
            server, None, server.key, lambda: now, session=lambda: StoreSession(store, clock=lambda: now, workers=8)
        )

    yield make
    for store in stores:
        store.end()
