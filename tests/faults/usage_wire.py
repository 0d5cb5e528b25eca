"""A usage server on raw sockets, plain or with TLS, that misbehaves byte by byte where it is told to.

It serves days of completions whose figures follow from the day alone, a window of a month in two pages, and empty
lists of names. One request misbehaves: the second page of `FAULTY`, the middle month.
"""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from types import MappingProxyType
from typing import IO, Any, Final
from urllib.parse import parse_qs, urlsplit

from usage_viewer.domain.catalog import DATASETS

DAY: Final = 86_400
JULY, AUGUST, SEPTEMBER, OCTOBER_2 = 1_782_864_000, 1_785_542_400, 1_788_220_800, 1_790_899_200
FAULTY: Final = AUGUST
PAGE: Final = 16  # days
NOW: Final = OCTOBER_2 + DAY // 2
KEY: Final = "sk-admin-faults-Zq7mW2xV9tLr4KpN8sHd3GfB6yTc"
HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MODELS: Final = ("gpt-6-astra", "gpt-5.1")

Page = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]

    @property
    def start(self) -> int:
        return int(self.query["start_time"][0]) if "start_time" in self.query else -1

    @property
    def cursor(self) -> str:
        return self.query.get("page", [""])[0]

    @property
    def of_usage(self) -> bool:
        """Whether it asks for what is stored, and not for sums or names."""
        return self.path.endswith("/usage/completions") and "group_by" in self.query


@dataclass(frozen=True)
class Reset:
    """In place of further bytes: the connection is reset, as by a router that forgot it."""


@dataclass(frozen=True)
class Reservation:
    """As the last piece: the connection stays open."""


Piece = bytes | float | Reset | Reservation
Misbehaviour = Callable[[Asked, Page], Iterable[Piece]]
"""What goes over the wire (bytes, or seconds of silence) in place of an honest page; then the connection ends."""


def tokens_of(day: int) -> int:
    """The input tokens of a day; four fifths are the first model's, whose requests are 3 of 4."""
    return 1_000 * (day // DAY % 97 + 1)


def row(day: int, model: int, *, grouped: bool = True, **changed: Any) -> dict[str, Any]:
    data = DATASETS["completions"]
    dimensions: dict[str, Any] = dict.fromkeys((item.name for item in data.dimensions), None)
    if grouped:
        dimensions |= {"project_id": "proj_one", "user_id": "user_one", "api_key_id": "key_one", "batch": False}
        dimensions |= {"model": MODELS[model], "service_tier": "default"}
    tokens, requests = (tokens_of(day) * 4 // 5, 3) if model == 0 else (tokens_of(day) // 5, 1)
    figures = {"input_tokens": tokens, "output_tokens": tokens // 10, "num_model_requests": requests}
    return {"object": data.object, **figures, **dimensions, **changed}


@dataclass
class UsageWire:
    """Open after `listen()`. `behave` None is honest; with `times`, only so many requests misbehave; if it is
    `stubborn`, so do those for a part of the faulty month, and `everywhere` all that ask for usage.

    `clock` is the server's. `before` runs once the request before the one that misbehaves has been answered; then
    all connections end. The project, the user and the key are called `name` if that is given; `model` is the one
    that is used most. `{elsewhere}` in what is sent becomes the URL of another server.
    """

    context: ssl.SSLContext | None = None
    behave: Misbehaviour | None = None
    before: Callable[[], None] | None = None
    times: float = float("inf")
    stubborn: bool = False
    everywhere: bool = False
    clock: Callable[[], float] = lambda: NOW
    asked: list[Asked] = field(default_factory=list)
    heard: bytearray = field(default_factory=bytearray)  # everything that came, also what was no request
    elsewhere: str = ""
    name: str = ""
    model: str = MODELS[0]
    port: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._listener: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def listen(self) -> None:
        """On the same port as before, if there was one."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._start(self._accept, self._listener)

    def refuse(self) -> None:
        """Listens no longer; what is open stays."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()

    def disconnect(self) -> None:
        """Ends all connections."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            _shut(connection)

    def close(self) -> None:
        self._closed.set()
        self.refuse()
        self.disconnect()
        for thread in self._threads:
            thread.join(5)

    @property
    def base_url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}/v1"

    def usage_requests(self) -> list[Asked]:
        return [one for one in self.asked if one.of_usage]

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            with self._lock:
                self._connections.add(connection)
            with connection, connection.makefile("rb") as reader:
                while (asked := self._read(reader)) is not None and self._answer(connection, asked):
                    pass
        except OSError:
            return  # the client has gone, or did not like the certificate
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _read(self, reader: IO[bytes]) -> Asked | None:
        lines: list[str] = []
        while line := reader.readline():
            self.heard += line
            if not line.strip():
                break
            lines.append(line.decode("latin-1").strip())
        words = lines[0].split() if lines else []
        if len(words) != 3:
            return None
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        url = urlsplit(words[1])
        asked = Asked(url.path, parse_qs(url.query, keep_blank_values=True), headers)
        with self._lock:
            self.asked.append(asked)
        return asked

    def _answer(self, connection: socket.socket, asked: Asked) -> bool:
        """Whether the connection goes on."""
        page = self._page(asked)
        ours = asked.of_usage and asked.start == FAULTY
        with self._lock:
            chosen = ours and bool(asked.cursor)
            chosen |= asked.of_usage and (self.everywhere or (self.stubborn and FAULTY < asked.start < SEPTEMBER))
            faulty = chosen and self.behave is not None and self.times > 0
            self.times -= faulty
        if faulty and self.behave is not None:
            return self._misbehave(connection, self.behave(asked, page))
        connection.sendall(written(page, date=self.clock()))
        if ours and not asked.cursor and self.before is not None:
            self.before()
            self.disconnect()
            return False
        return True

    def _misbehave(self, connection: socket.socket, pieces: Iterable[Piece]) -> bool:
        for piece in pieces:
            if isinstance(piece, Reset):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
                return False
            if isinstance(piece, Reservation):
                return True
            if isinstance(piece, bytes):
                connection.sendall(piece.replace(b"{elsewhere}", self.elsewhere.encode()))
            elif self._closed.wait(piece):
                return False
        _shut(connection)
        return False

    def _page(self, asked: Asked) -> Page:
        if not asked.path.endswith("/usage/completions"):
            return {"object": "list", "data": self._named(asked.path), "has_more": False, "last_id": None}
        first = int(asked.cursor.removeprefix("page_")) if asked.cursor.startswith("page_") else asked.start
        end = min(int(asked.query["end_time"][0]), int(self.clock()))
        days = range(first, end, DAY)
        grouped = "group_by" in asked.query
        more = len(days) > PAGE
        return {
            "object": "page",
            "data": [bucket(day, self.model, grouped=grouped) for day in days[:PAGE]],
            "has_more": more,
            "next_page": f"page_{first + PAGE * DAY}" if more else None,
        }

    def _named(self, path: str) -> list[dict[str, Any]]:
        """The entries of a list of names."""
        ids = {"projects": "proj_one", "users": "user_one", "api_keys": "key_one"}
        own = ids.get(path.rpartition("/")[2])
        return [{"id": own, "name": self.name}] if own and self.name else []


def bucket(day: int, model: str = MODELS[0], *, grouped: bool = True) -> Page:
    rows = [row(day, model, grouped=grouped) for model in range(len(MODELS))]
    if not grouped:
        both = {name: rows[0][name] + rows[1][name] for name in ("input_tokens", "output_tokens")}
        rows = [{**rows[0], **both, "num_model_requests": 4}]
    else:
        rows[0]["model"] = model
    return {"object": "bucket", "start_time": day, "end_time": day + DAY, "results": rows}


def written(page: Any, *, date: float = NOW) -> bytes:
    """A whole answer with `page` as its body."""
    return plain_answer(json.dumps(page).encode(), date=date)


def plain_answer(
    body: bytes,
    status: str = "200 OK",
    headers: Mapping[str, str] = MappingProxyType({}),
    *,
    date: float = NOW,
    length: int | None = None,
) -> bytes:
    """`length`: what is said instead of the truth."""
    said = {
        "Content-Type": "application/json",
        "Date": formatdate(date, usegmt=True),
        "Content-Length": str(len(body) if length is None else length),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**said, **headers}.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was gone already
