"""Provides the stand-in server and sessions that use it."""

from collections.abc import Iterator

import pytest

from tests.rigs.sample_organization import sample_organization
from tests.rigs.sessions import NOW, SessionRig
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization


@pytest.fixture(scope="module")
def organization() -> SyntheticOrganization:
    """Return the synthetic organization as of NOW."""
    return sample_organization(NOW)


@pytest.fixture
def server(organization: SyntheticOrganization) -> Iterator[DemoServer]:
    """Run the stand-in server of the organization."""
    with DemoServer(organization, clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def rig(server: DemoServer) -> Iterator[SessionRig]:
    """Return sessions and the server with one common clock."""
    rig = SessionRig(server)
    server.clock = lambda: rig.now
    yield rig
    for session in rig.sessions:
        session.close()
