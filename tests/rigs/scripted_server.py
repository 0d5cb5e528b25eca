"""Runs an HTTP server whose answers a test writes, byte by byte if it has to.

Real: sockets, threads and HTTP. Made up: every answer.
"""

import json
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.rigs.wire import Request, WireServer


@dataclass(frozen=True)
class Answer:
    """One answer. `length`: a Content-Length other than the body's; `close`: the connection ends after it.

    `pieces`, instead of all else: bytes to write and seconds to wait, in order; then the connection ends.
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


class ScriptedServer(WireServer):
    """Gives `answers` one after another, the last one again and again; or what `script` returns."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Answer] = []
        self.script: Script | None = None
        self.listen()

    def respond(self, connection: socket.socket, request: Request) -> bool:
        with self.lock:
            answer = self._next(request)
        self._write(connection, answer)
        return not answer.close and answer.pieces is None

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
            elif self.closed.wait(piece):
                return
