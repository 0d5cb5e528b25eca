"""Fixtures of the use cases: the stand-in server, and a session in front of it."""

from collections.abc import Iterator

import pytest

from tests.rigs.sessions import NOW, Bench
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization


@pytest.fixture(scope="module")
def organization() -> SyntheticOrganization:
    return SyntheticOrganization(anchor=NOW)


@pytest.fixture
def server(organization: SyntheticOrganization) -> Iterator[DemoServer]:
    with DemoServer(organization, clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def bench(server: DemoServer) -> Iterator[Bench]:
    bench = Bench(server)
    server.clock = lambda: bench.now
    yield bench
    for session in bench.sessions:
        session.close()
