"""The authenticated HTTP client of the API. Each call fetches one page; any number of threads may share it."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from usage_viewer import RELEASED_AT, __version__
from usage_viewer.api.http.body_reader import read_body
from usage_viewer.api.http.endpoint import check_base_url, find_proxy, make_ssl_context, proxy_variable
from usage_viewer.api.http.error_mapping import network_error, status_error
from usage_viewer.api.http.memory_budget import MemoryBudget, Reservation
from usage_viewer.api.http.retry import AttemptFailure, OnRetry, RetryPolicy, parse_http_date, with_retries
from usage_viewer.api.http.transport import CHECK_EXTENSION, Transport
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import Cancelled, InputError, UsageViewerError
from usage_viewer.domain.key_masking import without_key
from usage_viewer.domain.network_errors import NotFound, ProxyFailed, ResponseTooSlow, TimedOut, TooLarge

Params = Sequence[tuple[str, str]]
"""Query parameters; an array parameter is repeated (`group_by=model&group_by=batch`)."""

MAX_BODY = 64 << 20
"""Bytes in one response, about 130,000 rows. A window with more is fetched in smaller windows."""

DEFAULT_POLICY = RetryPolicy()
_MAX_ERROR_BODY = 64 << 10  # bytes
_MAX_CONNECTIONS = 32
LATEST = 7_258_118_400
"""2200-01-01 in epoch seconds: a later `Date` header is no date."""

_MIN_CLOCK_ERROR = 5  # seconds: the Date header has whole seconds only, and the response takes time
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time limits in seconds: to connect, between two reads, and for one whole response."""

    connect: float = 10.0
    read: float = 30.0
    total: float = 120.0


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How a client connects, waits and retries.

    `clock` returns epoch seconds. `sleep(seconds)` waits between two attempts and returns True if the user has
    cancelled (default: it waits for the `cancellation` of the call). `ca_file` (PEM) is trusted in addition to the
    system's certificates. `max_body` is in bytes. `on_clock_error` is called with the seconds by which the server's
    clock is ahead of `clock`, in the thread that calls `correct_clock`. `server_failure` is called after an attempt
    without a response; it returns the error that replaces the network's, such as that of a server which has ended.
    """

    transport: httpx.BaseTransport | None = None
    timeouts: Timeouts = Timeouts()
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], bool] | None = None
    ca_file: Path | None = None
    max_body: int = MAX_BODY
    policy: RetryPolicy = DEFAULT_POLICY
    on_clock_error: Callable[[float], None] | None = None
    server_failure: Callable[[], UsageViewerError | None] | None = None


_DEFAULT_OPTIONS = ClientOptions()


class UsageClient:
    """Sends GET requests with the admin key to the host of the base URL. Redirects are not followed.

    The key goes to no other host. Connections are opened by the first call that needs one. Raises InputError for an
    invalid base URL.
    """

    def __init__(self, base_url: str, key: AdminKey, options: ClientOptions = _DEFAULT_OPTIONS) -> None:
        self.base_url = check_base_url(base_url)
        self._key, self._options = key, options
        self._host = httpx.URL(self.base_url).host
        self._proxy: str | None = None
        self._lock = threading.Lock()  # guards the next three attributes
        self._http: httpx.Client | None = None
        self._running_calls, self._closed = 0, False
        self._memory_budget = MemoryBudget()
        self._has_answered = False  # whether any request has succeeded
        self._clock_error = 0.0
        self._distrusts_dates = False
        self._last = threading.local()  # the clock error by each thread's last response

    def now(self) -> float:
        """Return the current time in epoch seconds, as `correct_clock` has corrected it."""
        return self._options.clock() + self._clock_error

    def correct_clock(self, newest_usage: int | None) -> None:
        """Correct the clock by the `Date` header of the calling thread's last response.

        `newest_usage` is the start of the newest bucket with usage in that response, in epoch seconds. A date
        before it, before this version was released or after `LATEST` comes from a wrong clock: no date of this
        server is used from then on.
        """
        error: float | None = getattr(self._last, "clock_error", None)
        if error is None:
            return
        server_time = self._options.clock() + error
        if not max(RELEASED_AT, newest_usage or 0) <= server_time + _MIN_CLOCK_ERROR <= LATEST:
            self._distrusts_dates = True
        if self._distrusts_dates or abs(error) <= _MIN_CLOCK_ERROR:
            error = 0.0
        self._clock_error = error
        if self._options.on_clock_error is not None:
            self._options.on_clock_error(error)

    def close(self) -> None:
        """Close all connections as soon as no call uses them.

        A later call still works: it opens a connection and closes it at its end.
        """
        with self._lock:
            self._closed = True
        self._close_unused()

    def _close_unused(self) -> None:
        # Never while a call reads: the system may reuse the number of its closed socket for another connection.
        with self._lock:
            http = self._http if self._closed and not self._running_calls else None
            if http is not None:
                self._http = None
        if http is not None:
            http.close()

    @contextmanager
    def _counted_call(self) -> Iterator[None]:
        with self._lock:
            self._running_calls += 1
        try:
            yield
        finally:
            with self._lock:
                self._running_calls -= 1
            self._close_unused()

    def __enter__(self) -> "UsageClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(
        self,
        path: str,
        params: Params = (),
        *,
        cancellation: Cancellation | None = None,
        on_retry: OnRetry | None = None,
        retry_limits: bool = True,
    ) -> bytes:
        """Send `GET base_url + path` and return the body of the 2xx response.

        A failed request is tried again by the rules of the retry policy; without `retry_limits`, not after a 429
        that does not say how long to wait. Raises CredentialError, NetworkError,
        ServerError, TooLarge, NotJson (invalid compression), Cancelled, and InputError for an invalid URL or
        certificate file.
        """
        with self.get_within_budget(
            path, params, cancellation=cancellation, on_retry=on_retry, retry_limits=retry_limits
        ) as body:
            return body

    def wait(self, seconds: float, cancellation: Cancellation) -> None:
        """Wait before the next request. Raises Cancelled."""
        if (self._options.sleep or cancellation.wait)(seconds):
            raise Cancelled

    @contextmanager
    def get_within_budget(
        self,
        path: str,
        params: Params = (),
        *,
        cancellation: Cancellation | None = None,
        on_retry: OnRetry | None = None,
        retry_limits: bool = True,
    ) -> Iterator[bytes]:
        """Do the same as `get`, for a body that may be large.

        The body counts towards the memory budget of all calls until the `with` block ends.
        """
        stop = cancellation or Cancellation()
        reservation = self._memory_budget.reserve()
        try:
            with self._counted_call():
                body = with_retries(
                    lambda: self._attempt(path, params, stop, reservation),
                    self._options.policy if retry_limits else replace(self._options.policy, retries_limits=False),
                    self._options.sleep or stop.wait,
                    on_retry,
                    self._options.clock,
                )
            yield body
        finally:
            reservation.release()

    def _attempt(
        self, path: str, params: Params, cancellation: Cancellation, reservation: Reservation
    ) -> bytes | AttemptFailure:
        # Typed errors are created here and raised outside of the exception handlers: a chained exception would
        # refer to the request, and so to the key.
        headers: dict[str, str] = {}
        try:
            return self._send(path, params, cancellation, reservation, headers)
        except httpx.HTTPError as error:
            failure: UsageViewerError = network_error(error, self._host, self._proxy)
            if self._options.server_failure is not None:
                failure = self._options.server_failure() or failure
        except httpx.InvalidURL:
            failure = InputError(title="The request is too long", hint="Choose fewer or shorter filters.")
        except (Cancelled, InputError):
            raise
        except UsageViewerError as error:
            failure = error.with_traceback(None)
        cancellation.check()
        reservation.release()
        _log.debug("GET %s: %s", path, failure)
        return AttemptFailure(failure, headers)

    def _send(
        self,
        path: str,
        params: Params,
        cancellation: Cancellation,
        reservation: Reservation,
        headers: dict[str, str],
    ) -> bytes:
        """Make one attempt; store the response's headers in `headers`, with names in lower case."""
        begun, waited_before = time.monotonic(), reservation.waited

        def check() -> None:
            cancellation.check()
            waited_for_memory = reservation.waited - waited_before
            if time.monotonic() - begun - waited_for_memory > self._options.timeouts.total:
                raise ResponseTooSlow(
                    f"the response was not complete after {self._options.timeouts.total:g} s ({self._host})"
                )

        check()
        request = self._client().build_request(
            "GET",
            self.base_url + path,
            params=list(params),
            headers={"Authorization": f"Bearer {self._key.reveal()}", "Accept-Encoding": "gzip"},
            extensions={CHECK_EXTENSION: check},
        )
        response = self._client().send(request, stream=True)
        try:
            headers.update((name.lower(), value) for name, value in response.headers.items())
            self._note_date(headers)
            body = self._read_body(response, lambda size: reservation.grow(size, check))
        finally:
            with suppress(httpx.HTTPError):
                response.close()
        _log.debug(
            "GET %s: %d, %d bytes, %.0f ms",
            path, response.status_code, len(body), (time.monotonic() - begun) * 1000,
        )  # fmt: skip
        if not response.is_success:
            error = status_error(response.status_code, response.headers, body, self._key)
            raise self._with_address(error) if isinstance(error, NotFound) else error
        self._has_answered = True
        return without_key(body, self._key)

    def _with_address(self, error: NotFound) -> NotFound:
        """Return the error with the base URL as the suspect, unless other requests to it have succeeded."""
        if self._has_answered:
            title = "The server does not have this data"
            hint = "Other requests succeed. Your organization may not have this dataset, or it fails for now."
        else:
            title = f"Address not found: {visible(self.base_url)}"
            is_usual = self.base_url.endswith("/v1")
            hint = (
                "Check the base URL. If it is right, your organization may not have this dataset."
                if is_usual
                else "Base URLs usually end in /v1."
            )
        return NotFound(error.detail, status=error.status, title=title, hint=hint)

    def _read_body(self, response: httpx.Response, check: Callable[[int], None]) -> bytes:
        limit = self._options.max_body
        length = response.headers.get("content-length", "")
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if response.is_success:
            if length.isdigit() and int(length) > limit:
                raise TooLarge(f"{int(length):,} bytes")
            return read_body(response.iter_raw(), encoding, limit, check)
        try:
            return read_body(response.iter_raw(), encoding, _MAX_ERROR_BODY, check)
        except (UsageViewerError, httpx.HTTPError) as error:
            if isinstance(error, Cancelled | TimedOut):
                raise
            return b""  # the status alone is enough for the error

    def _note_date(self, headers: dict[str, str]) -> None:
        server_time = parse_http_date(headers.get("date", ""))
        if server_time is None or "age" in headers:  # a response from a cache has an old date
            self._last.clock_error = None
        else:
            self._last.clock_error = server_time - self._options.clock()

    def _client(self) -> httpx.Client:
        with self._lock:
            if self._http is None:
                self._http = self._new_client()
            return self._http

    def _new_client(self) -> httpx.Client:
        times = self._options.timeouts
        return httpx.Client(
            transport=self._options.transport or self._new_transport(),
            trust_env=False,  # `find_proxy` reads the proxy; no other environment variable is used
            follow_redirects=False,
            timeout=httpx.Timeout(times.read, connect=times.connect, pool=times.total),
            headers={"User-Agent": f"usage-viewer/{__version__}", "Accept": "application/json"},
        )

    def _new_transport(self) -> Transport:
        self._proxy = find_proxy(self.base_url)
        context = make_ssl_context(self._options.ca_file) if self.base_url.startswith("https:") else None
        try:
            return Transport(context, self._proxy, _MAX_CONNECTIONS)
        except (ValueError, httpx.InvalidURL):
            variable = proxy_variable(self.base_url)
            error = ProxyFailed(
                f"{variable} must be the http:// URL of a proxy",
                title="The proxy's address can't be used",
                hint=f"Set {variable} to the http:// URL of a proxy; SOCKS proxies are not supported.",
            )
        raise error
