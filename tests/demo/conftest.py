"""Fixtures: a fixed organization at a fixed time, its demo server, and the official SDK as a client."""

from collections.abc import Iterator

import openai
import pytest

from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization

NOW = 1_795_437_245  # Monday 2026-11-23, 12:34:05 UTC


@pytest.fixture(scope="session")
def now() -> int:
    return NOW


@pytest.fixture(scope="session")
def organization() -> SyntheticOrganization:
    return SyntheticOrganization(anchor=NOW)


@pytest.fixture
def demo(organization: SyntheticOrganization) -> Iterator[DemoServer]:
    with DemoServer(organization, clock=lambda: float(NOW)) as server:
        yield server


@pytest.fixture
def client(demo: DemoServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(admin_api_key=demo.key, base_url=demo.base_url, max_retries=0) as sdk:
        yield sdk
