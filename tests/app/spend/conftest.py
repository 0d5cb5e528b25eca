"""Provides the stand-in server and sessions over one database file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.sessions import SessionRig
from usage_viewer.demo.server.server import DemoServer


@pytest.fixture
def rig(server: DemoServer, tmp_path: Path) -> Iterator[SessionRig]:
    """A server and the sessions over one file, which only one of them may have open."""
    rig = SessionRig(server, tmp_path / "usage.duckdb")
    yield rig
    for session in rig.sessions:
        session.close()
