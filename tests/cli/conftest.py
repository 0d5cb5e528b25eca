"""Runs the command line in this process and as a child process, with the stand-in server."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.session import Session
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.cli.arguments import build_parser
from usage_viewer.cli.table import run_table
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.keystore import MemoryKeystore
from usage_viewer.store import Store
from usage_viewer.store.engine.database import Database


@dataclass(frozen=True)
class Printed:
    """Holds a command's exit status and output."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of JSON output; numbers with a fraction are exact decimals."""
        rows = json.loads(self.out, parse_float=Decimal)
        assert isinstance(rows, list)
        return rows


@dataclass
class Table:
    """Runs `usage-viewer table …` in this process; only the streams and the clock are replaced."""

    server: DemoServer
    database: Path | None
    key: str | None
    now: Callable[[], float] = time.time
    terminal: bool = False
    kept: Callable[[], StoreSession] | None = None  # an open session, used for all commands

    def __call__(self, *arguments: str) -> Printed:
        key = AdminKey.parse(self.key) if self.key else None
        profile = OpenProfile(
            self.kept,
            "default",
            base_url=self.server.base_url,
            database=self.database,
            keystore=lambda: MemoryKeystore(key),
            clock=self.now,
        )
        out, err = io.StringIO(), Terminal() if self.terminal else io.StringIO()
        status = run_table(build_parser().parse_args(["table", *arguments]), profile, out, err)
        return Printed(status, out.getvalue(), err.getvalue())


class OpenProfile(Profile):
    def __init__(self, kept: Callable[[], StoreSession] | None, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._kept = kept

    def open_session(self, week_start: int | None = None) -> Session:
        return super().open_session(week_start) if self._kept is None else self._kept()


class SharedStore(Store):
    """Stays open when a session closes it, because opening a large store takes longer than most queries."""

    def close(self) -> None:
        """Do nothing; `end` closes the store."""

    def end(self) -> None:
        super().close()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass
class Child:
    """Runs `usage-viewer …` in a child process, with a separate data directory and without a keyring."""

    server: DemoServer
    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, *arguments: str) -> list[str]:
        where = ("--base-url", self.server.base_url, "--data-dir", str(self.home / "data"))
        return [sys.executable, "-m", "usage_viewer", *where, *arguments]

    def environ(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OPENAI_", "DBUS_", "XDG_", "COV_", "COLUMNS"))
            and name not in ("DISPLAY", "WAYLAND_DISPLAY", "PYTHONUNBUFFERED")
        }
        return {**kept, "HOME": str(self.home), **self.environment, **(more or {})}

    def __call__(self, *arguments: str, env: Mapping[str, str] | None = None) -> Printed:
        ended = subprocess.run(
            self.command(*arguments),
            env=self.environ(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Printed(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


@pytest.fixture(scope="session")
def organization() -> SyntheticOrganization:
    return SyntheticOrganization()


@pytest.fixture
def server(organization: SyntheticOrganization) -> Iterator[DemoServer]:
    with DemoServer(organization) as running:
        yield running


@pytest.fixture
def table(server: DemoServer) -> Table:
    """A `table` command without a database file, with the server's key."""
    return Table(server, None, server.key)


@pytest.fixture
def child(server: DemoServer, tmp_path: Path) -> Child:
    """A child process with the server's key in the environment."""
    return Child(server, tmp_path, {"OPENAI_ADMIN_KEY": server.key})


@pytest.fixture(scope="session")
def make_table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[DemoServer, float], Table]]:
    """`make_table(server, now)` returns a `table` command with a separate database and a fixed clock."""
    stores: list[SharedStore] = []

    def make(server: DemoServer, now: float) -> Table:
        store = SharedStore(Database(tmp_path_factory.mktemp("table") / "usage.duckdb"))
        stores.append(store)
        return Table(
            server, None, server.key, lambda: now, kept=lambda: StoreSession(store, clock=lambda: now, workers=8)
        )

    yield make
    for store in stores:
        store.end()
