"""An HTTP/1.1 server with keep-alive that can also send faulty replies."""

import gzip
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from usage_viewer.demo.api.refusal import Refusal
from usage_viewer.demo.server.faults import Request

NOT_ALLOWED: Final = Refusal(405, "Not allowed: the demo can only be read.", code="method_not_allowed")
_MAX_GZIP_SIZE: Final = 64 * 1024  # bytes: on loopback, compressing a larger body takes longer than sending it


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply to send; the fields after `headers` are those of `Fault`."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    stall: float = 0.0
    stall_body: float = 0.0
    drop: bool = False
    truncate: int | None = None


class Listener(ThreadingHTTPServer):
    """Listens on a port and calls `respond` for each request, in one thread for each connection.

    `clock` returns epoch seconds for the `Date` header. Raises OSError if the port can't be opened.
    """

    request_queue_size = 64

    def __init__(
        self, host: str, port: int, respond: Callable[[Request], Reply], clock: Callable[[], float] = time.time
    ) -> None:
        self.respond, self.clock = respond, clock
        self.closing = threading.Event()
        self.numbers = count()
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Handler)

    def server_bind(self) -> None:
        """Bind the socket without looking up the full host name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def connected(self, connection: socket.socket) -> None:
        """Record an open connection and its thread."""
        with self._lock:
            self._open[connection] = threading.current_thread()
            if self.closing.is_set():  # accepted while the server was closing
                connection.shutdown(socket.SHUT_RDWR)

    def disconnected(self, connection: socket.socket) -> None:
        """Remove a closed connection."""
        with self._lock:
            self._open.pop(connection, None)

    def close(self) -> None:
        """End `serve_forever` and all connections at once, also in the middle of a reply."""
        self.shutdown()
        self.closing.set()
        with self._lock:
            connections = dict(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it was closed already
        for thread in connections.values():
            thread.join(5.0)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the traceback of an error, except if the client closed the connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Serves one connection."""

    protocol_version = "HTTP/1.1"
    server_version = "demo"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = 300
    server: Listener

    def setup(self) -> None:
        """Register the connection."""
        super().setup()
        self.server.connected(self.connection)

    def finish(self) -> None:
        """Unregister the connection."""
        self.server.disconnected(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:
        """Print no log: the base URL is the only output of the command."""

    def do_POST(self) -> None:
        """Refuse any method but GET with HTTP 405."""
        self.close_connection = True  # the body of the request is not read
        self._send(Reply(405, NOT_ALLOWED.body))

    do_PUT = do_DELETE = do_PATCH = do_POST  # noqa: N815 -- the names that http.server expects

    def do_GET(self) -> None:
        """Answer a request."""
        url = urlsplit(self.path)
        query: dict[str, list[str]] = {}
        for name, value in parse_qsl(url.query, keep_blank_values=True):
            query.setdefault(name.removesuffix("[]"), []).append(value)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self.server.respond(Request(next(self.server.numbers), url.path, query, headers)))

    def _send(self, reply: Reply) -> None:
        self.server.closing.wait(reply.stall)
        if reply.drop or self.server.closing.is_set():
            self._disconnect()
            return
        body, headers = reply.body, {**self._standard_headers(), **reply.headers}
        if "gzip" in self.headers.get("Accept-Encoding", "") and 512 < len(body) <= _MAX_GZIP_SIZE:
            body, headers = gzip.compress(body, 1, mtime=0), {**headers, "Content-Encoding": "gzip"}
        self.send_response_only(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if reply.stall_body:
            self.server.closing.wait(reply.stall_body)
        self.wfile.write(body[: reply.truncate])
        if reply.truncate is not None:
            self._disconnect()

    def _standard_headers(self) -> dict[str, str]:
        date = formatdate(self.server.clock(), usegmt=True)
        return {"Server": self.server_version, "Date": date, "Content-Type": "application/json"}

    def _disconnect(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the client has closed it
