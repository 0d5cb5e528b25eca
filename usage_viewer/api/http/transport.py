"""A transport whose waiting can be stopped: each read asks the call's own `check` several times a second.

httpx's transport blocks in a read until its timeout, and a server that sends a byte now and then is never late.
"""

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import httpcore
import httpx

CHECK = "check"
"""The extension of a request that holds its check: it is called often, and raises what shall end the call."""

_SLICE = 0.1  # seconds: how long a cancelled read goes on

_READ = 1 << 20
"""Bytes read at a time, instead of 64 KB: each piece costs as much as a copy of some hundred KB."""

_SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
_Check = Callable[[], None]


class Transport(httpx.BaseTransport):
    """Connections to one server, through `proxy` if there is one; `context` is for https.

    Raises ValueError for a proxy of another kind than HTTP.
    """

    def __init__(self, context: ssl.SSLContext | None, proxy: str | None, connections: int) -> None:
        self._calls = threading.local()
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            proxy=_proxy(proxy, context) if proxy is not None else None,
            max_connections=connections,
            keepalive_expiry=30.0,
            network_backend=_Backend(self._check),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        # The pool does a call's reading and writing in the thread of the call.
        self._calls.check = request.extensions.get(CHECK)
        assert isinstance(request.stream, httpx.SyncByteStream)
        core = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_httpx():
            response = self._pool.handle_request(core)
        assert isinstance(response.stream, Iterable)
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response.stream),
            extensions=response.extensions,
        )

    def close(self) -> None:
        self._pool.close()

    def _check(self) -> None:
        check: _Check | None = getattr(self._calls, "check", None)
        if check is not None:
            check()


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._stream

    def close(self) -> None:
        if hasattr(self._stream, "close"):
            self._stream.close()


class _Backend(httpcore.NetworkBackend):
    def __init__(self, check: _Check) -> None:
        self._check, self._sockets = check, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[_SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        self._check()
        stream = self._sockets.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream, self._check)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, check: _Check) -> None:
        self._stream, self._check = stream, check

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            self._check()
            try:
                return self._stream.read(max(max_bytes, _READ), _SLICE)
            except httpcore.ReadTimeout:
                if end is not None and time.monotonic() >= end:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._check()
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._check)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


_AS_HTTPX: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.ReadTimeout, httpx.ReadTimeout),
    (httpcore.WriteTimeout, httpx.WriteTimeout),
    (httpcore.PoolTimeout, httpx.PoolTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.NetworkError, httpx.ReadError),
    (httpcore.ProxyError, httpx.ProxyError),
    (httpcore.ProtocolError, httpx.RemoteProtocolError),
)


@contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProxyError, httpcore.ProtocolError) as error:
        kind = next(ours for theirs, ours in _AS_HTTPX if isinstance(error, theirs))
        raise kind(str(error)) from error


def _proxy(text: str, context: ssl.SSLContext | None) -> httpcore.Proxy:
    url = httpx.Proxy(text)  # takes user and password out of the address
    if url.url.scheme not in ("http", "https") or not url.url.host:
        raise ValueError("not an HTTP proxy")
    return httpcore.Proxy(
        url=httpcore.URL(
            scheme=url.url.raw_scheme, host=url.url.raw_host, port=url.url.port, target=url.url.raw_path
        ),
        auth=url.raw_auth,
        ssl_context=context if url.url.scheme == "https" else None,
    )
