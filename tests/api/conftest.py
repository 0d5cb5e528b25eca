"""Fixtures: a scripted HTTP server on loopback, with full control of each response byte, and clients of it."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from usage_viewer.api import ClientOptions, RetryPolicy, Timeouts, UsageClient
from usage_viewer.domain.admin_key import AdminKey

ADMIN = "sk-admin-test-Zq7mW2xV9tLr4KpN8sHd3GfB6yTc"

QUICK = Timeouts(connect=2.0, read=2.0, total=10.0)


@dataclass(frozen=True)
class Request:
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        """Return the value of a parameter that occurs exactly once."""
        (value,) = self.all(name)
        return value

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]


@dataclass(frozen=True)
class Answer:
    """A scripted response.

    `length` replaces the true Content-Length. `pieces` replaces the whole response: bytes to send, or seconds to
    wait.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    pieces: Sequence[bytes | float] | None = None
    close: bool = False

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> "Answer":
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})

    @classmethod
    def error(cls, status: int, message: str = "no", *, param: str | None = None, **headers: str) -> "Answer":
        body = {"error": {"message": message, "type": "error", "param": param, "code": None}}
        return cls.json(body, status, **headers)


Script = Callable[[Request], Answer]


class Server:
    """Sends `answers` in order (the last one repeatedly), or the result of `script` for each request."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.answers: list[Answer] = []
        self.script: Script | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        # Closing its socket does not end a blocked accept(): one last connection does.
        socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._thread.join(5)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                connection.close()

    def wait_until_disconnected(self) -> None:
        """Wait until the clients have closed all connections, at most 5 s."""
        until = time.monotonic() + 5
        while self._open:
            assert time.monotonic() < until, f"{len(self._open)} connections are still open"
            time.sleep(0.01)

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._stopped.is_set():
                connection.close()
                return
            self.connections += 1
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with connection, connection.makefile("rb") as reader:
                while request := _read_request(reader):
                    with self._lock:
                        self.requests.append(request)
                        answer = self._next(request)
                    self._write(connection, answer)
                    if answer.close or answer.pieces is not None:
                        return
        except OSError:
            return
        finally:
            with self._lock:
                self._open.discard(connection)

    def _next(self, request: Request) -> Answer:
        if self.script is not None:
            return self.script(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def _write(self, connection: socket.socket, answer: Answer) -> None:
        pieces = answer.pieces
        if pieces is None:
            length = len(answer.body) if answer.length is None else answer.length
            head = f"HTTP/1.1 {answer.status} Said\r\nContent-Length: {length}\r\n"
            head += "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
            pieces = [head.encode("latin-1") + b"\r\n" + answer.body]
        for piece in pieces:
            if isinstance(piece, bytes):
                connection.sendall(piece)
            elif self._stopped.wait(piece):
                return


def _read_request(reader: Any) -> Request | None:
    line = reader.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers: dict[str, str] = {}
    while (text := reader.readline().decode("latin-1").strip()) != "":
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    url = urlsplit(line[1])
    return Request(url.path, tuple(parse_qsl(url.query, keep_blank_values=True)), headers)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


class Waits:
    """Replaces the wait between attempts: records the seconds and returns at once."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.cancel_at: int | None = None

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return self.cancel_at == len(self.seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


class MakeClient:
    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self.clients: list[UsageClient] = []

    def __call__(
        self,
        base_url: str,
        *,
        key: str = ADMIN,
        timeouts: Timeouts = QUICK,
        attempts: int = 6,
        max_body: int = 1 << 20,
        clock: Callable[[], float] = time.time,
    ) -> UsageClient:
        options = ClientOptions(
            timeouts=timeouts,
            sleep=self._waits,
            max_body=max_body,
            clock=clock,
            policy=RetryPolicy(attempts=attempts),
        )
        client = UsageClient(base_url, AdminKey.parse(key), options)
        self.clients.append(client)
        return client


@pytest.fixture
def make_client(waits: Waits) -> Iterator[MakeClient]:
    make = MakeClient(waits)
    yield make
    for client in make.clients:
        client.close()


@pytest.fixture
def client(server: Server, make_client: MakeClient) -> UsageClient:
    return make_client(server.base_url)
