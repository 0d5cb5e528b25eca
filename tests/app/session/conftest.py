"""Provides the servers of two organizations."""

from collections.abc import Iterator

import pytest

from tests.rigs.organizations import Servers, running_servers


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """Run the servers of both organizations."""
    with running_servers() as running:
        yield running
