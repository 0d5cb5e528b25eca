"""The program as a process: its own home, its own data directory, a server, and no keyring unless one is given."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.trust.kept_usage import organization
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.demo.server.server import DemoServer

ROOT = Path(__file__).parents[2]
_SESSION = ("DISPLAY", "WAYLAND_DISPLAY", "PYTHONUNBUFFERED")


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


@dataclass
class Window:
    """A window in a process of its own; `said` is all that it ever answered."""

    process: "subprocess.Popen[str]"
    errors: Path
    said: list[str] = field(default_factory=list)

    def tell(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def ask(self, command: str) -> Any:
        assert self.process.stdout is not None
        self.tell(command)
        line = self.process.stdout.readline()
        assert line, f"the program ended with {self.process.wait(20)}: {self.err}"
        self.said.append(line)
        answer = json.loads(line)
        assert not str(answer).startswith("it failed: "), answer
        return answer

    def wait_for(self, command: str, text: str = "", *, seconds: float = 30.0) -> Any:
        """Asks until the answer is something, with `text` in it."""
        until = time.monotonic() + seconds
        while True:
            answer = self.ask(command)
            if answer and text in str(answer):
                return answer
            assert time.monotonic() < until, f"{command}: {answer!r}; {self.err}"
            time.sleep(0.03)

    @property
    def err(self) -> str:
        return self.errors.read_text(encoding="utf-8", errors="replace")

    def close(self, *, within: float = 2.0) -> None:
        """Closes the window; the process has to end in time, well, and without a word."""
        begun = time.monotonic()
        self.tell("close")
        status = self.process.wait(30)
        took = time.monotonic() - begun
        assert (status, self.err) == (0, "")
        assert took < within, f"it took {took:.1f} s"


@dataclass
class Program:
    """`usage-viewer …`, with the server's key in the environment unless told otherwise."""

    server: DemoServer
    home: Path
    _windows: int = 0

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
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OPENAI_", "DBUS_", "XDG_", "COV_")) and name not in _SESSION
        }
        own = {
            "HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent",
            "OPENAI_ADMIN_KEY": self.server.key,
        }
        return {**kept, **own, **(more or {})}

    def run(
        self, *arguments: str, within: Sequence[str] = (), env: Mapping[str, str] | None = None, text: str = ""
    ) -> Ended:
        """`within` begins the command: a shell, say, that prepares where it runs."""
        done = subprocess.run(
            [*within, *self.command(*arguments)],
            env=self.environment(env),
            input=text,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def window(
        self, *arguments: str, within: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> Iterator[Window]:
        """Without a display, unless `env` has one."""
        self._windows += 1
        errors = self.home / f"stderr-{self._windows}.txt"
        command = [sys.executable, str(ROOT / "tests" / "trust" / "driving.py"), *self.options, *arguments]
        with (
            errors.open("wb") as err,
            subprocess.Popen(
                [*within, *command],
                env={"QT_QPA_PLATFORM": "offscreen", **self.environment(env)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            ) as process,
        ):
            try:
                yield Window(process, errors)
            finally:
                process.kill()


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer(organization()) as running:
        yield running


@pytest.fixture
def program(server: DemoServer, tmp_path: Path) -> Program:
    return Program(server, tmp_path)
