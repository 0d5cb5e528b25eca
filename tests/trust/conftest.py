"""Runs the program as a process, with a window if a test needs one."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.rigs import command_line
from tests.rigs.command_line import ROOT
from tests.rigs.load import slowdown
from tests.trust.known_usage import organization
from usage_viewer.demo.server.server import DemoServer


@dataclass
class Window:
    """A window in a process of its own; `answers` has every line that it answered."""

    process: "subprocess.Popen[str]"
    errors: Path
    answers: list[str] = field(default_factory=list)

    def tell(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def ask(self, command: str) -> Any:
        assert self.process.stdout is not None
        self.tell(command)
        line = self.process.stdout.readline()
        assert line, f"the program ended with {self.process.wait(20)}: {self.err}"
        self.answers.append(line)
        answer = json.loads(line)
        assert not str(answer).startswith("it failed: "), answer
        return answer

    def wait_for(self, command: str, text: str = "", *, seconds: float = 120.0) -> Any:
        """Asks until the answer is not empty and contains `text`, and returns it."""
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
        """Close the window; the process must end within seconds, with status 0 and without a message."""
        busy = slowdown()
        begun = time.monotonic()
        self.tell("close")
        status = self.process.wait(60)
        took = time.monotonic() - begun
        assert (status, self.err) == (0, "")
        assert took < within * max(busy, slowdown()), f"it took {took:.1f} s"


@dataclass
class Program(command_line.Program):
    """Adds windows to the rig of the command line."""

    _windows: int = 0

    @contextmanager
    def window(
        self, *arguments: str, within: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> Iterator[Window]:
        """Start a window that `driving.py` controls; offscreen, unless `env` has a display."""
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
