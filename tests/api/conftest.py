"""Fixtures: a scripted HTTP server on loopback, with full control of each response byte, and clients of it."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.rigs.scripted_server import Answer, ScriptedServer
from tests.rigs.waits import Waits
from usage_viewer.api import ClientOptions, RetryPolicy, Timeouts, UsageClient
from usage_viewer.domain.admin_key import AdminKey

ADMIN = "sk-admin-test-Zq7mW2xV9tLr4KpN8sHd3GfB6yTc"

QUICK = Timeouts(connect=2.0, read=2.0, total=10.0)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


@pytest.fixture
def waits() -> Waits:
    return Waits()


class MakeClient:
    """Makes clients with the test's waits, and closes them after the test."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self.clients: list[UsageClient] = []

    def __call__(
        self,
        base_url: str,
        *,
        key: str = ADMIN,
        timeouts: Timeouts = QUICK,
        attempts: int = 6,
        max_body: int = 1 << 20,
        clock: Callable[[], float] = time.time,
    ) -> UsageClient:
        options = ClientOptions(
            timeouts=timeouts,
            sleep=self._waits,
            max_body=max_body,
            clock=clock,
            policy=RetryPolicy(attempts=attempts),
        )
        client = UsageClient(base_url, AdminKey.parse(key), options)
        self.clients.append(client)
        return client


@pytest.fixture
def make_client(waits: Waits) -> Iterator[MakeClient]:
    make = MakeClient(waits)
    yield make
    for client in make.clients:
        client.close()


@pytest.fixture
def client(server: ScriptedServer, make_client: MakeClient) -> UsageClient:
    return make_client(server.base_url)
