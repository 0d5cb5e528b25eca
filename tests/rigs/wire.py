"""Runs HTTP servers on raw sockets of the loopback interface.

Real: sockets, threads, TLS and every byte of the protocol. Made up: the answers, which each subclass writes itself.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """One HTTP request. `query` keeps the order of the parameters; header names are in lower case."""

    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.query)

    def __getitem__(self, name: str) -> str:
        """Return the only value of a parameter. Raises ValueError if there is none, or more than one."""
        (value,) = self.all(name)
        return value

    def all(self, name: str) -> list[str]:
        """Return every value of a parameter, in order."""
        return [value for key, value in self.query if key == name]


class WireServer:
    """Accepts connections and hands each request to `respond`, which a subclass writes.

    `received` has every byte that arrived, also what was not a request. `connections` counts the accepted ones.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.context = context
        self.port = 0
        self.requests: list[Request] = []
        self.received = bytearray()
        self.connections = 0
        self.lock = threading.Lock()
        self.closed = threading.Event()
        self._listener: socket.socket | None = None
        self._reserved: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def respond(self, connection: socket.socket, request: Request) -> bool:
        """Write the answer to `request`; return whether the connection stays open for the next one."""
        raise NotImplementedError

    @property
    def base_url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}/v1"

    def listen(self) -> None:
        """Start to listen: on a free port at first, later on the same one."""
        if self._reserved is not None:
            self._reserved.close()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._start(self._accept, self._listener)

    def refuse(self) -> None:
        """Stop listening; new connections are refused, open ones stay."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()
            if not self.closed.is_set():
                self._reserved = _reserve(self.port)  # else another test could listen there in between

    def close(self) -> None:
        self.closed.set()
        self.refuse()
        if self._reserved is not None:
            self._reserved.close()
        with self.lock:
            connections = list(self._open)
        for connection in connections:
            shut_down(connection)
        for thread in self._threads:
            thread.join(5)

    def wait_until_disconnected(self) -> None:
        """Wait until every client has closed its connections. Raises AssertionError after 30 seconds."""
        until = time.monotonic() + 30
        while self._open:
            assert time.monotonic() < until, f"{len(self._open)} connections are still open"
            time.sleep(0.01)

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # it was closed
            self.connections += 1
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            with self.lock:
                self._open.add(connection)
            with connection, connection.makefile("rb") as reader:
                while (request := self._read(reader)) is not None and self.respond(connection, request):
                    pass
        except OSError:
            return  # the client has gone, or did not accept the certificate
        finally:
            with self.lock:
                self._open.discard(connection)

    def _read(self, reader: IO[bytes]) -> Request | None:
        first = reader.readline()
        self.received += first
        words = first.decode("latin-1").split()
        if len(words) != 3:
            return None  # such as the beginning of a TLS handshake, after which no further line may come
        headers: dict[str, str] = {}
        while line := reader.readline():
            self.received += line
            if not line.strip():
                break
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        url = urlsplit(words[1])
        request = Request(url.path, tuple(parse_qsl(url.query, keep_blank_values=True)), headers)
        with self.lock:
            self.requests.append(request)
        return request


@contextmanager
def refusing_port() -> Iterator[int]:
    """Yield a port of the loopback interface that refuses every connection, and that nobody else can get."""
    with _reserve(0) as reserved:
        yield reserved.getsockname()[1]


def _reserve(port: int) -> socket.socket:
    """Return a socket that is bound to a port (0: any) and doesn't listen."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", port))
    return reserved


def shut_down(connection: socket.socket) -> None:
    """End a connection in both directions, also while another thread reads from it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was gone already
