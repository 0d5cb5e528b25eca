"""Runs the demo server in a child process, so that it does not slow down the window's threads."""

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.domain.network_errors import DemoFailed

START_SECONDS: Final = 10.0
"""How long the start of the server may take; it takes 0.3 s on an idle computer."""
TRUTH_SECONDS: Final = 110.0
"""How long writing the truth may take; a small organization's takes 3 s, a large one's 15 s."""
_LAST_LINES: Final = 20
_OUTPUT_SECONDS: Final = 0.5
"""How long to wait for the last output of a server that has ended."""
_SECRETS: Final = frozenset({"OPENAI_ADMIN_KEY", "OPENAI_API_KEY"})
"""Environment variables that are not passed to the demo."""
_NO_WINDOW: Final = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # exists on Windows only


class DemoProcess:
    """A running demo server, which accepts `key` at `base_url`. As a context manager it closes itself.

    The server also ends when this process ends for any reason, because its standard input is closed then.
    """

    def __init__(self, process: "subprocess.Popen[str]", output: "_Output", base_url: str, key: str) -> None:
        self._process, self._output = process, output
        self._closed = False
        self.base_url = base_url
        self.key = key

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._process.pid

    def failure(self) -> DemoFailed | None:
        """Return the error of a server that has ended before `close`, with its last output; None while it runs."""
        if self._closed or self._process.poll() is None:
            return None
        return DemoFailed(
            _last_words(self._process, self._output),
            title="The demo's server has ended",
            hint="Open the demo again; nothing is lost.",
        )

    def kill(self) -> None:
        """End the server as a crash does, and wait until it has ended."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the server; kill it if it does not end within 2 s. May be called again."""
        self._closed = True
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
    truth: Path | None = None,
    argv: Sequence[str] = (),
    timeout: float = START_SECONDS,
) -> DemoProcess:
    """Start the demo server and wait until it listens, at most `timeout` seconds.

    `argv` is the command without its options (default: this Python with `-m usage_viewer.demo`); a packaged
    program passes its own. `anchor` is in epoch seconds, `refuse` are dimensions to refuse; the other parameters
    are those of the command. A `truth` is complete when the server listens; it may take up to `TRUTH_SECONDS` more.
    Raises DemoFailed if the server does not start.
    """
    command = [
        *(argv or (sys.executable, "-m", "usage_viewer.demo")),
        *("--watch-stdin", "--port", "0", "--scale", scale, "--days", str(days), "--seed", str(seed)),
        *("--latency-ms", str(latency_ms), "--key", key),
        *(("--anchor", str(anchor)) if anchor is not None else ()),
        *(("--refuse-dimension", *refuse) if refuse else ()),
        *(("--truth", str(truth)) if truth is not None else ()),
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
        raise DemoFailed(str(error)) from error
    output = _Output(process)
    timeout += 0 if truth is None else TRUTH_SECONDS
    base_url = output.base_url(timeout)
    if base_url is not None:
        return DemoProcess(process, output, base_url, key)
    is_late = not output.has_ended(0)
    _end(process)
    if is_late:
        raise DemoFailed("\n".join([*output.last_lines, f"no answer within {timeout:g} s"]))
    raise DemoFailed(_last_words(process, output))


class _Output:
    """Reads all output of the server in a thread, so that a full pipe never blocks it; keeps the last lines."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self._file = process.stdout
        self._base_url: str | None = None
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._decided = threading.Event()  # the base URL, or the end of the output
        self._thread = threading.Thread(target=self._read, name="demo-output", daemon=True)
        self._thread.start()

    def base_url(self, timeout: float) -> str | None:
        """Return the base URL that the server prints; None at the end of the output or after `timeout` seconds."""
        self._decided.wait(timeout)
        return self._base_url

    def has_ended(self, timeout: float) -> bool:
        """Report whether the output has ended; wait for the end, at most `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def last_lines(self) -> list[str]:
        """The last lines that are not blank, without the base URL."""
        return [line for line in self._lines.copy() if line]

    def _read(self) -> None:
        with self._file, suppress(ValueError):
            for line in self._file:
                if self._base_url is None and line.startswith("http://"):
                    self._base_url = line.strip()
                    self._decided.set()
                else:
                    self._lines.append(line.strip())
        self._decided.set()


def _last_words(process: "subprocess.Popen[str]", output: _Output) -> str:
    """Return the last output of a server that has ended; its exit status if there is none."""
    output.has_ended(_OUTPUT_SECONDS)
    return "\n".join(output.last_lines) or _exit_text(process.returncode)


def _exit_text(status: int) -> str:
    return f"its process was ended by signal {-status}" if status < 0 else f"its process ended with status {status}"


def _end(process: "subprocess.Popen[str]") -> None:
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    try:
        process.wait(2.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
