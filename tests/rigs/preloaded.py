"""Runs `usage-viewer` in a new process that begins with the imported libraries of its parent process (Linux only).

Real: the process, its arguments, environment and streams, the whole of `main`, the end of the interpreter.
Different from a start by a shell: numpy, DuckDB, httpx and most modules of the program are imported already, which
takes most of the processor time of a short command, and the hash seed is the parent's. The parent opens nothing and
has one thread, so that a fork copies its whole state.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TextIO, cast

AVAILABLE = sys.platform == "linux"
"""Whether this computer supports it."""

READ_AT_START = ("PYTHON", "LANG", "LC_", "LD_", "TZ", "MALLOC_", "OPENBLAS_", "OMP_", "QT_")
"""Beginnings of the variables that the interpreter or a library reads when it is loaded."""

LIBRARIES = ("numpy", "usage_viewer.api", "truststore")
"""What the parent imports first, with httpx; not keyring, which reads its settings when it is imported."""

MODULES = ("usage_viewer.cli.table", "usage_viewer.app.profile.profile", "usage_viewer.app.fetch.api_source")
"""What it imports then, with DuckDB, whose objects the last collection of each process has to release."""

ROOT = Path(__file__).resolve().parents[2]
_NUMBER = struct.Struct("!i")


class Preloaded:
    """The parent process and the connection to it. The parent ends when this process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair()
        self._answers = self._socket.makefile("rb")
        with theirs:
            self._parent = subprocess.Popen(
                [sys.executable, "-m", "tests.rigs.preloaded", str(theirs.fileno())],
                env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
                pass_fds=[theirs.fileno()],
            )

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], timeout: float
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run a command to its end; its standard input is empty. Raises subprocess.TimeoutExpired."""
        import resource  # not on Windows

        request = {
            "arguments": [*arguments],
            "environment": {**environment},
            "directory": str(Path.cwd()),
            "largest_file": resource.getrlimit(resource.RLIMIT_FSIZE),
        }
        text = json.dumps(request).encode()
        with self._lock, ThreadPoolExecutor(2) as readers:
            (empty, unused), (printed, out), (logged, err) = os.pipe(), os.pipe(), os.pipe()
            os.close(unused)
            socket.send_fds(self._socket, [_NUMBER.pack(len(text))], [empty, out, err])
            for stream in (empty, out, err):
                os.close(stream)
            texts = [readers.submit(_read, stream) for stream in (printed, logged)]
            self._socket.sendall(text)
            killer = threading.Timer(timeout, os.kill, (self._answer(), signal.SIGKILL))
            killer.start()
            status = self._answer()
            if killer.finished.is_set():
                raise subprocess.TimeoutExpired([*arguments], timeout)
            killer.cancel()
            return subprocess.CompletedProcess([*arguments], status, *(text.result() for text in texts))

    def _answer(self) -> int:
        (number,) = _NUMBER.unpack(self._answers.read(_NUMBER.size))
        return int(number)


@cache
def preloaded() -> Preloaded:
    """Return the parent process of this process, which is started by the first call."""
    return Preloaded()


def _read(stream: int) -> bytes:
    with open(stream, "rb") as reader:
        return reader.read()


def _serve(connection: socket.socket) -> None:
    """Start a process for each request and send its number and its exit status; return in the new process."""
    while True:
        start, streams, _, _ = socket.recv_fds(connection, _NUMBER.size, 3)
        if not start:
            os._exit(0)
        (left,) = _NUMBER.unpack(start)
        text = b""
        while len(text) < left:
            text += connection.recv(left - len(text))
        child = os.fork()
        if not child:
            connection.close()
            _become(json.loads(text), streams)
            return
        for stream in streams:
            os.close(stream)
        connection.sendall(_NUMBER.pack(child))
        _, status = os.waitpid(child, 0)
        connection.sendall(_NUMBER.pack(os.waitstatus_to_exitcode(status)))


def _become(request: dict[str, object], streams: Sequence[int]) -> None:
    """Take what a started interpreter has from its parent: arguments, environment, streams, directory, limit."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    import resource

    arguments, environment = request["arguments"], request["environment"]
    assert isinstance(arguments, list)
    assert isinstance(environment, dict)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(str(request["directory"]))
    resource.setrlimit(resource.RLIMIT_FSIZE, cast(tuple[int, int], request["largest_file"]))
    sys.stdin, sys.stdout, sys.stderr = (
        _open_stream(number, before) for number, before in enumerate((sys.stdin, sys.stdout, sys.stderr))
    )
    sys.argv[1:] = arguments


def _open_stream(number: int, before: TextIO) -> TextIO:
    """Return the text stream of a descriptor; the parent's own one remembers whether its file can seek."""
    mode, newline = ("w", "\n") if number else ("r", None)
    buffering = 1 if number == 2 else -1
    return cast(TextIO, open(number, mode, buffering, before.encoding, before.errors, newline, closefd=False))


def main() -> None:
    """Import the libraries, then become each command that is requested."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(connection.fileno(), False)
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()  # a collection writes to all other objects, which copies the memory that the processes share
    for name in MODULES:
        importlib.import_module(name)
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a fork would copy one thread of several"
    _serve(connection)
    runpy.run_module("usage_viewer", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
