"""Runs a real HTTP proxy on the loopback interface that opens tunnels and records every byte."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class ConnectProxy:
    """Leads every tunnel to `port` on this computer, whatever the host; a `status` other than 200 refuses."""

    port: int
    status: str = "200 Connection established"
    heads: list[str] = field(default_factory=list)  # of the requests
    carried: bytearray = field(default_factory=bytearray)  # through the tunnels, both ways

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._start(self._accept)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        for one in (self._listener, *self._open):
            _shut(one)
            one.close()

    @staticmethod
    def _start(target: Callable[..., None], *args: socket.socket) -> None:
        threading.Thread(target=target, args=args, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(client)
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = client.recv(1)
            if not piece:
                return
            head += piece
        self.heads.append(head.decode("latin-1"))
        client.sendall(f"HTTP/1.1 {self.status}\r\n\r\n".encode())
        if not self.status.startswith("200"):
            _shut(client)
            return
        server = socket.create_connection(("127.0.0.1", self.port))
        self._open.append(server)
        self._start(self._carry, client, server)
        self._carry(server, client)

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(65536):
                self.carried += piece
                target.sendall(piece)
        except OSError:
            pass
        _shut(target)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was gone already
