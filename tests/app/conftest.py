"""The stand-in server, and a session in front of it."""

from collections.abc import Iterator

import pytest

from tests.app.sessions import NOW, Bench
from usage_viewer.demo.organization import Organization
from usage_viewer.demo.server import DemoServer


@pytest.fixture(scope="module")
def organization() -> Organization:
    return Organization(anchor=NOW)


@pytest.fixture
def server(organization: Organization) -> Iterator[DemoServer]:
    with DemoServer(organization, clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def bench(server: DemoServer) -> Iterator[Bench]:
    bench = Bench(server)
    server.clock = lambda: bench.now
    yield bench
    for session in bench.sessions:
        session.close()
