"""Runs the demo server in a child process, so that it does not slow down the window's threads."""

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
"""Environment variables that are not passed to the demo."""
_NO_WINDOW: Final = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # exists on Windows only


class DemoProcess:
    """A running demo server, which accepts `key` at `base_url`. As a context manager it closes itself.

    The server also ends when this process ends for any reason, because its standard input is closed then.
    """

    def __init__(self, process: "subprocess.Popen[str]", base_url: str, key: str) -> None:
        self._process = process
        self.base_url = base_url
        self.key = key

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._process.pid

    def close(self) -> None:
        """End the server; kill it if it does not end within 2 s. May be called again."""
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
    """Start the demo server and wait until it listens, at most `timeout` seconds.

    `argv` is the command without its options (default: this Python with `-m usage_viewer.demo`); a packaged
    program passes its own. `anchor` is in epoch seconds, `refuse` are dimensions to refuse; the other parameters
    are those of the command. Raises ServerError if the server does not start.
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
        raise _start_error(str(error)) from error
    base_url = _read_base_url(process, timeout)
    return DemoProcess(process, base_url, key)


def _read_base_url(process: "subprocess.Popen[str]", timeout: float) -> str:
    assert process.stdout is not None
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read_lines, args=(process.stdout, lines), name="demo-output", daemon=True).start()
    output: list[str] = []
    try:
        line = lines.get(timeout=timeout)
        if line is not None and line.startswith("http://"):
            return line.strip()
        while line is not None:
            output.append(line)
            line = lines.get(timeout=timeout)
    except queue.Empty:
        output.append(f"no answer within {timeout:g} s")
    _end(process)
    raise _start_error("".join(output[-_LAST_LINES:]).strip())


def _read_lines(output: IO[str], lines: "queue.SimpleQueue[str | None]") -> None:
    """Read all lines, so that a full pipe never blocks the child; put None at the end."""
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


def _start_error(detail: str) -> ServerError:
    return ServerError(
        detail,
        title="The demo could not be started",
        hint="Retry. If it fails again, a security program may block local network connections.",
    )
