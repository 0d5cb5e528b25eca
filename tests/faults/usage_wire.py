"""Serves usage over raw sockets, plain or with TLS, and misbehaves byte by byte in one place.

The usage is days of completions whose figures follow from the day alone; a window of a month has two pages. Lists
of names are empty unless a name is given. One request misbehaves: the second page of `FAULTY`, the middle month.
"""

import json
import socket
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from types import MappingProxyType
from typing import Any, Final

from tests.rigs.wire import Request, WireServer, shut_down
from usage_viewer.domain.catalog import DATASETS

DAY: Final = 86_400
JULY, AUGUST, SEPTEMBER, OCTOBER_2 = 1_782_864_000, 1_785_542_400, 1_788_220_800, 1_790_899_200
FAULTY: Final = AUGUST
PAGE: Final = 16
"""Days in a page."""

NOW: Final = OCTOBER_2 + DAY // 2
KEY: Final = "sk-admin-faults-Zq7mW2xV9tLr4KpN8sHd3GfB6yTc"
HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MODELS: Final = ("gpt-6-astra", "gpt-5.1")

Page = dict[str, Any]


def start_of(request: Request) -> int:
    """Return the start of the requested window (epoch seconds), or -1 if the request has none."""
    return int(request["start_time"]) if "start_time" in request else -1


def cursor_of(request: Request) -> str:
    """Return the cursor of the requested page; "" for the first page."""
    return next(iter(request.all("page")), "")


def asks_for_usage(request: Request) -> bool:
    """Return whether the request is for usage by group, and not for totals or names."""
    return request.path.endswith("/usage/completions") and "group_by" in request


@dataclass(frozen=True)
class Reset:
    """Resets the connection in place of further bytes, as a router does that lost its state."""


@dataclass(frozen=True)
class StaysOpen:
    """Keeps the connection open after the last piece."""


Piece = bytes | float | Reset | StaysOpen
Misbehaviour = Callable[[Request, Page], Iterable[Piece]]
"""Returns the pieces (bytes, or seconds of silence) in place of an honest page; then the connection ends."""


def tokens_of(day: int) -> int:
    """Return the input tokens of a day: four fifths are of the first model, with 3 of 4 requests."""
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


class UsageWire(WireServer):
    """Misbehaves as its attributes say; they may be changed at any time. Call `listen` first.

    - `behave`: what goes over the wire in place of an honest page; None: every answer is honest.
    - `times`: how many requests misbehave.
    - `stubborn`: also misbehave for a part of the faulty month. `everywhere`: for all requests for usage.
    - `before`: runs while the request before the misbehaving one is answered. As long as it is set, every answer
      ends its connection, so that the next request has to look up the name and to connect again.
    - `clock`: the server's clock, in epoch seconds.
    - `name`: what the project, the user and the key are called; "" for no names. `model`: the most used model.
    - `elsewhere`: the URL that `{elsewhere}` becomes in a sent body or header.
    """

    def __init__(self) -> None:
        super().__init__()
        self.behave: Misbehaviour | None = None
        self.before: Callable[[], None] | None = None
        self.times = float("inf")
        self.stubborn = False
        self.everywhere = False
        self.clock: Callable[[], float] = lambda: NOW
        self.elsewhere = ""
        self.name = ""
        self.model = MODELS[0]

    def usage_requests(self) -> list[Request]:
        return [one for one in self.requests if asks_for_usage(one)]

    def respond(self, connection: socket.socket, request: Request) -> bool:
        page = self._page(request)
        usage, start, cursor = asks_for_usage(request), start_of(request), cursor_of(request)
        with self.lock:
            chosen = usage and start == FAULTY and bool(cursor)
            chosen |= usage and (self.everywhere or (self.stubborn and FAULTY < start < SEPTEMBER))
            faulty = chosen and self.behave is not None and self.times > 0
            self.times -= faulty
        if faulty and self.behave is not None:
            return self._misbehave(connection, self.behave(request, page))
        before = self.before
        if before is not None and usage and start == FAULTY and not cursor:
            before()  # before the answer: a quick client may go on as soon as it has the last byte
        connection.sendall(written(page, date=self.clock(), last=before is not None))
        return before is None

    def _misbehave(self, connection: socket.socket, pieces: Iterable[Piece]) -> bool:
        for piece in pieces:
            if isinstance(piece, Reset):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
                return False
            if isinstance(piece, StaysOpen):
                return True
            if isinstance(piece, bytes):
                connection.sendall(piece.replace(b"{elsewhere}", self.elsewhere.encode()))
            elif self.closed.wait(piece):
                return False
        shut_down(connection)
        return False

    def _page(self, request: Request) -> Page:
        if not request.path.endswith("/usage/completions"):
            return {"object": "list", "data": self._named(request.path), "has_more": False, "last_id": None}
        cursor = cursor_of(request)
        first = int(cursor.removeprefix("page_")) if cursor.startswith("page_") else start_of(request)
        end = min(int(request["end_time"]), int(self.clock()))
        days = range(first, end, DAY)
        grouped = "group_by" in request
        more = len(days) > PAGE
        return {
            "object": "page",
            "data": [bucket(day, self.model, grouped=grouped) for day in days[:PAGE]],
            "has_more": more,
            "next_page": f"page_{first + PAGE * DAY}" if more else None,
        }

    def _named(self, path: str) -> list[dict[str, Any]]:
        """Return the entries of a list of names."""
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


def written(page: Any, *, date: float = NOW, last: bool = False) -> bytes:
    """Return a whole answer with `page` as its body; `last`: it ends the connection."""
    return plain_answer(
        json.dumps(page).encode(), headers={"Connection": "close"} if last else MappingProxyType({}), date=date
    )


def plain_answer(
    body: bytes,
    status: str = "200 OK",
    headers: Mapping[str, str] = MappingProxyType({}),
    *,
    date: float = NOW,
    length: int | None = None,
) -> bytes:
    """Return a whole answer as bytes. `length`: a Content-Length other than the body's."""
    usual = {
        "Content-Type": "application/json",
        "Date": formatdate(date, usegmt=True),
        "Content-Length": str(len(body) if length is None else length),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**usual, **headers}.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body
