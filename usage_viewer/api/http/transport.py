"""An httpx transport whose reads can be cancelled: each read calls the request's `check` ten times a second.

A read of httpx's own transport blocks until its timeout, and a server that sends single bytes in time can prolong
a response without limit.
"""

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import httpcore
import httpx

CHECK_EXTENSION = "check"
"""The request extension with the check: a function that raises an exception to end the request."""

_CHECK_INTERVAL = 0.1  # seconds between two calls of the check during a read

_READ_SIZE = 1 << 20
"""Bytes read at a time (httpx: 64 KB). Each read costs as much as copying some hundred KB."""

_SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
_Check = Callable[[], None]


class Transport(httpx.BaseTransport):
    """A pool of up to `connections` connections to one server.

    `context` is the TLS context for https; `proxy` is the URL of an HTTP proxy. Raises ValueError for another kind
    of proxy.
    """

    def __init__(self, context: ssl.SSLContext | None, proxy: str | None, connections: int) -> None:
        self._current_request = threading.local()
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            proxy=_parse_proxy(proxy, context) if proxy is not None else None,
            max_connections=connections,
            keepalive_expiry=30.0,
            network_backend=_NetworkBackend(self._check_current),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return its response, with the body still unread. Raises httpx.TransportError."""
        # The pool reads and writes in the thread of the request, so a thread-local variable finds the check.
        self._current_request.check = request.extensions.get(CHECK_EXTENSION)
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
        with _httpx_errors():
            response = self._pool.handle_request(core)
        assert isinstance(response.stream, Iterable)
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_ResponseStream(response.stream),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def _check_current(self) -> None:
        check: _Check | None = getattr(self._current_request, "check", None)
        if check is not None:
            check()


class _ResponseStream(httpx.SyncByteStream):
    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with _httpx_errors():
            yield from self._stream

    def close(self) -> None:
        if hasattr(self._stream, "close"):
            self._stream.close()


class _NetworkBackend(httpcore.NetworkBackend):
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
        return _CheckedStream(stream, self._check)


class _CheckedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, check: _Check) -> None:
        self._stream, self._check = stream, check

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            self._check()
            try:
                return self._stream.read(max(max_bytes, _READ_SIZE), _CHECK_INTERVAL)
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
        return _CheckedStream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._check)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


_HTTPX_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
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
def _httpx_errors() -> Iterator[None]:
    """Raise the corresponding httpx exception for an exception of httpcore."""
    try:
        yield
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProxyError, httpcore.ProtocolError) as error:
        httpx_type = next(ours for theirs, ours in _HTTPX_ERRORS if isinstance(error, theirs))
        raise httpx_type(str(error)) from error


def _parse_proxy(text: str, context: ssl.SSLContext | None) -> httpcore.Proxy:
    url = httpx.Proxy(text)  # separates user name and password from the address
    if url.url.scheme not in ("http", "https") or not url.url.host:
        raise ValueError("not an HTTP proxy")
    return httpcore.Proxy(
        url=httpcore.URL(
            scheme=url.url.raw_scheme, host=url.url.raw_host, port=url.url.port, target=url.url.raw_path
        ),
        auth=url.raw_auth,
        ssl_context=context if url.url.scheme == "https" else None,
    )
