"""The demo server as a child process, so that it takes no time from the window's threads."""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import IO, Final, Self

from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.domain.errors import ServerError

_LAST_LINES: Final = 20
_SECRETS: Final = frozenset({"OPENAI_ADMIN_KEY", "OPENAI_API_KEY"})
"""Variables that the demo has no need of, and so doesn't get."""
_NO_WINDOW: Final = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows alone has it


class DemoProcess:
    """A running demo server: `base_url`, `key`, and `close()`, which ends it; a context manager.

    It also ends by itself when this process does, however that comes about.
    """

    def __init__(self, process: "subprocess.Popen[str]", base_url: str, key: str) -> None:
        self._process = process
        self.base_url = base_url
        self.key = key

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        """Ends the process, by force if it takes longer than 2 s; may be called twice."""
        _end(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def start_demo(
    *,
    scale: str = "small",
    days: int = 400,
    seed: int = 1,
    latency_ms: float = 0.0,
    anchor: int | None = None,
    refuse: Sequence[str] = (),
    key: str = ADMIN_KEY,
    argv: Sequence[str] = (),
    timeout: float = 30.0,
) -> DemoProcess:
    """Starts the server and waits until it listens, `timeout` seconds at most.

    `argv` begins the command (default: this Python with `-m usage_viewer.demo`); a frozen program says here how
    it starts its demo. Raises ServerError if it doesn't come up.
    """
    command = [
        *(argv or (sys.executable, "-m", "usage_viewer.demo")),
        *("--watch-stdin", "--port", "0", "--scale", scale, "--days", str(days), "--seed", str(seed)),
        *("--latency-ms", str(latency_ms), "--key", key),
        *(("--anchor", str(anchor)) if anchor is not None else ()),
        *(("--refuse-dimension", *refuse) if refuse else ()),
    ]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            creationflags=_NO_WINDOW,
            env={name: value for name, value in os.environ.items() if name not in _SECRETS},
        )
    except OSError as error:
        raise _failed(str(error)) from error
    base_url = _base_url(process, timeout)
    return DemoProcess(process, base_url, key)


def _base_url(process: "subprocess.Popen[str]", timeout: float) -> str:
    assert process.stdout is not None
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(process.stdout, lines), name="demo-output", daemon=True).start()
    said: list[str] = []
    try:
        line = lines.get(timeout=timeout)
        if line is not None and line.startswith("http://"):
            return line.strip()
        while line is not None:
            said.append(line)
            line = lines.get(timeout=timeout)
    except queue.Empty:
        said.append(f"no answer within {timeout:g} s")
    _end(process)
    raise _failed("".join(said[-_LAST_LINES:]).strip())


def _read(output: IO[str], lines: "queue.SimpleQueue[str | None]") -> None:
    """Reads to the end, so that the child can never be held up by a full pipe."""
    with output, suppress(ValueError):
        for line in output:
            lines.put(line)
    lines.put(None)


def _end(process: "subprocess.Popen[str]") -> None:
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    try:
        process.wait(2.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _failed(detail: str) -> ServerError:
    return ServerError(
        detail,
        title="The demo could not be started",
        hint="Try again. If it happens again, a security program may keep it from listening on this computer.",
    )
