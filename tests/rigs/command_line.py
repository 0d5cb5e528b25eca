"""Runs the command line: in this process (`Table`) and as a process of its own (`Program`).

Real: the whole program, its sockets and its database. Replaced: in `Table` the streams, the clock and the keyring;
in `Program` the home and data directories, and there is no keyring.
"""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.rigs.preloaded import AVAILABLE, READ_AT_START, preloaded
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.session import Session
from usage_viewer.cli.arguments import build_parser
from usage_viewer.cli.table import run_table
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.keystore import MemoryKeystore

ROOT = Path(__file__).resolve().parents[2]
"""The top of the checkout."""

NO_BUS = "unix:path=/nonexistent"
"""A D-Bus address that nobody answers: a program with it has no keyring."""

_NOT_INHERITED = ("OPENAI_", "DBUS_", "XDG_", "COV_", "COLUMNS", "PYTEST_")
_SESSION = ("DISPLAY", "WAYLAND_DISPLAY", "PYTHONUNBUFFERED")


@dataclass(frozen=True)
class Printed:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of JSON output; numbers with a fraction are exact decimals."""
        rows = json.loads(self.out, parse_float=Decimal)
        assert isinstance(rows, list)
        return rows


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def print_table(profile: Profile, *arguments: str, terminal: bool = False) -> Printed:
    """Run `usage-viewer table …` in this process; `terminal`: standard error is a terminal."""
    out, err = io.StringIO(), Terminal() if terminal else io.StringIO()
    status = run_table(build_parser().parse_args(["table", *arguments]), profile, out, err)
    return Printed(status, out.getvalue(), err.getvalue())


@dataclass
class Table:
    """`usage-viewer table …` in this process, with its own database and clock.

    `session` opens the session that each command uses; None: each command opens its own.
    """

    server: DemoServer
    database: Path | None
    key: str | None
    now: Callable[[], float] = time.time
    terminal: bool = False
    session: Callable[[], Session] | None = None

    def __call__(self, *arguments: str) -> Printed:
        key = AdminKey.parse(self.key) if self.key else None
        profile = _ProfileOfSession(
            self.session,
            "default",
            base_url=self.server.base_url,
            database=self.database,
            keystore=lambda: MemoryKeystore(key),
            clock=self.now,
        )
        return print_table(profile, *arguments, terminal=self.terminal)


class _ProfileOfSession(Profile):
    def __init__(self, session: Callable[[], Session] | None, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._session = session

    def open_session(self, week_start: int = 0) -> Session:
        return super().open_session(week_start) if self._session is None else self._session()


def server_note(server: DemoServer) -> str:
    """Return the line on standard error that names the server, which is not OpenAI's, before a key is sent."""
    origin = server.base_url.removesuffix("/v1")
    return f"usage-viewer: The server is {origin} (named by --base-url), not https://api.openai.com.\n"


@dataclass
class Program:
    """`usage-viewer …` in a process of its own, with its own home and data directory and without a keyring.

    The server's key is in the environment. `variables` are added to the environment.
    """

    server: DemoServer
    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def server_note(self) -> str:
        """The line on standard error that names the server."""
        return server_note(self.server)

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def place(self) -> ProfilePaths:
        return ProfilePaths(self.data)

    @property
    def options(self) -> list[str]:
        return ["--base-url", self.server.base_url, "--data-dir", str(self.data)]

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "usage_viewer", *self.options, *arguments]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_NOT_INHERITED) and name not in _SESSION
        }
        own = {
            "HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            "DBUS_SESSION_BUS_ADDRESS": NO_BUS,
            "OPENAI_ADMIN_KEY": self.server.key,
        }
        return {**inherited, **own, **self.variables, **(more or {})}

    def __call__(
        self, *arguments: str, within: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> Printed:
        """Run a command to its end. `within` begins the command line: a shell that prepares where it runs.

        An ordinary command begins with the libraries imported (`rigs/preloaded.py`).
        """
        variables = {**self.variables, **(env or {})}
        if AVAILABLE and not within and not any(name.startswith(READ_AT_START) for name in variables):
            done = preloaded().run([*self.options, *arguments], self.environment(env), 90)
        else:
            done = subprocess.run(
                [*within, *self.command(*arguments)],
                env=self.environment(env),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=90,
                check=False,
            )
        return Printed(done.returncode, done.stdout.decode(), done.stderr.decode())
