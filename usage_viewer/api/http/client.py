"""`UsageClient`: one authenticated client of the API for any number of threads, one page a call."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from usage_viewer import __version__
from usage_viewer.api.http.body_reader import read_body
from usage_viewer.api.http.endpoint import check_base_url, proxy_for, trust
from usage_viewer.api.http.error_mapping import network_error, status_error
from usage_viewer.api.http.memory_budget import MemoryBudget, Reservation
from usage_viewer.api.http.retry import AttemptFailure, OnRetry, RetryPolicy, date_of, with_retries
from usage_viewer.api.http.transport import CHECK, Transport
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import (
    Cancelled,
    InputError,
    ProxyFailed,
    TimedOut,
    TooLarge,
    UsageViewerError,
)

Params = Sequence[tuple[str, str]]

MAX_BODY = 64 << 20
"""Bytes of one answer: some 130,000 rows. What is larger is asked for in narrower windows."""

POLICY = RetryPolicy()
_MAX_ERROR_BODY = 64 << 10
_CONNECTIONS = 32
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, to wait for the next bytes, and for one whole answer."""

    connect: float = 10.0
    read: float = 30.0
    total: float = 120.0


class UsageClient:
    """Sends the key to the base URL's host and nowhere else: redirects are not followed.

    `sleep(seconds)` waits between tries and answers True when the user has cancelled; without it the wait is on
    the call's own `cancellation`. Connections are opened when the first call needs one. `on_clock_error` hears by
    how many seconds the server's clock is ahead of `clock`, from any thread.
    """

    def __init__(
        self,
        base_url: str,
        key: AdminKey,
        *,
        transport: httpx.BaseTransport | None = None,
        timeouts: Timeouts = Timeouts(),
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], bool] | None = None,
        ca_file: Path | None = None,
        max_body: int = MAX_BODY,
        policy: RetryPolicy = POLICY,
        on_clock_error: Callable[[float], None] | None = None,
    ) -> None:
        self.base_url = check_base_url(base_url)
        self._key, self._transport, self._timeouts = key, transport, timeouts
        self._clock, self._sleep, self._ca_file = clock, sleep, ca_file
        self._max_body, self._policy = max_body, policy
        self._host = httpx.URL(self.base_url).host
        self._proxy: str | None = None
        self._opening = threading.Lock()  # guards the three below
        self._http: httpx.Client | None = None
        self._calls, self._closed = 0, False
        self._room = MemoryBudget()
        self._clock_error, self._on_clock_error = 0.0, on_clock_error

    def now(self) -> float:
        """Epoch seconds by the server's clock, as far as its answers have told it."""
        return self._clock() + self._clock_error

    def close(self) -> None:
        """Closes all connections once no call uses them; a call that comes later closes what it opened."""
        with self._opening:
            self._closed = True
        self._close_unused()

    def _close_unused(self) -> None:
        # Not while a call reads: the system may give the number of its socket to another connection at once.
        with self._opening:
            http = self._http if self._closed and not self._calls else None
            if http is not None:
                self._http = None
        if http is not None:
            http.close()

    @contextmanager
    def _calling(self) -> Iterator[None]:
        with self._opening:
            self._calls += 1
        try:
            yield
        finally:
            with self._opening:
                self._calls -= 1
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
    ) -> bytes:
        """The body of a 2xx answer to `GET base_url + path`, tried again as the policy says.

        Raises CredentialError, NetworkError, ServerError, TooLarge, NotJson (packed wrongly), Cancelled.
        """
        with self.answer(path, params, cancellation=cancellation, on_retry=on_retry) as body:
            return body

    @contextmanager
    def answer(
        self,
        path: str,
        params: Params = (),
        *,
        cancellation: Cancellation | None = None,
        on_retry: OnRetry | None = None,
    ) -> Iterator[bytes]:
        """As `get`, for an answer that may be large: until this block ends, it counts among those in memory."""
        stop = cancellation or Cancellation()
        stay = self._room.stay()
        try:
            with self._calling():
                body = with_retries(
                    lambda: self._attempt(path, params, stop, stay),
                    self._policy,
                    self._sleep or stop.wait,
                    on_retry,
                    self._clock,
                )
            yield body
        finally:
            stay.leave()

    def _attempt(
        self, path: str, params: Params, cancellation: Cancellation, stay: Reservation
    ) -> bytes | AttemptFailure:
        # Typed errors are made here and raised outside of the handlers: a chain of exceptions would lead to the
        # request, and so to the key.
        headers: dict[str, str] = {}
        try:
            return self._answer(path, params, cancellation, stay, headers)
        except httpx.HTTPError as error:
            failure: UsageViewerError = network_error(error, self._host, self._proxy)
        except httpx.InvalidURL:
            failure = InputError(title="The request can't be made", hint="Choose fewer or shorter filters.")
        except (Cancelled, InputError):
            raise
        except UsageViewerError as error:
            failure = error.with_traceback(None)
        cancellation.check()
        stay.leave()
        _log.debug("GET %s: %s", path, failure)
        return AttemptFailure(failure, headers)

    def _answer(
        self, path: str, params: Params, cancellation: Cancellation, stay: Reservation, seen: dict[str, str]
    ) -> bytes:
        """One try; `seen` takes the answer's headers."""
        begun, waited = time.monotonic(), stay.waited

        def check() -> None:
            cancellation.check()
            if time.monotonic() - begun - (stay.waited - waited) > self._timeouts.total:
                raise TimedOut(f"the answer did not end within {self._timeouts.total:g} s ({self._host})")

        check()
        request = self._opened().build_request(
            "GET",
            self.base_url + path,
            params=list(params),
            headers={"Authorization": f"Bearer {self._key.reveal()}", "Accept-Encoding": "gzip"},
            extensions={CHECK: check},
        )
        response = self._opened().send(request, stream=True)
        try:
            seen.update((name.lower(), value) for name, value in response.headers.items())
            self._note_clock(seen)
            body = self._body(response, lambda size: stay.grown(size, check))
        finally:
            with suppress(httpx.HTTPError):
                response.close()
        _log.debug(
            "GET %s: %d, %d bytes, %.0f ms",
            path, response.status_code, len(body), (time.monotonic() - begun) * 1000,
        )  # fmt: skip
        if not response.is_success:
            raise status_error(response.status_code, response.headers, body, self._key)
        return body

    def _body(self, response: httpx.Response, check: Callable[[int], None]) -> bytes:
        limit = self._max_body
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
            return b""  # the status says enough

    def _note_clock(self, headers: dict[str, str]) -> None:
        moment = date_of(headers.get("date", ""))
        if moment is None or "age" in headers:  # the date of an answer out of a cache is an old one
            return
        error = moment - self._clock()
        self._clock_error = error if abs(error) > 5 else 0.0  # the header counts whole seconds
        if self._on_clock_error is not None:
            self._on_clock_error(self._clock_error)

    def _opened(self) -> httpx.Client:
        with self._opening:
            if self._http is None:
                self._http = self._open()
            return self._http

    def _open(self) -> httpx.Client:
        times = self._timeouts
        return httpx.Client(
            transport=self._transport or self._own_transport(),
            trust_env=False,  # the proxy is chosen by `proxy_for`; nothing else of the environment has a say
            follow_redirects=False,
            timeout=httpx.Timeout(times.read, connect=times.connect, pool=times.total),
            headers={"User-Agent": f"usage-viewer/{__version__}", "Accept": "application/json"},
        )

    def _own_transport(self) -> Transport:
        self._proxy = proxy_for(self.base_url)
        context = trust(self._ca_file) if self.base_url.startswith("https:") else None
        try:
            return Transport(context, self._proxy, _CONNECTIONS)
        except (ValueError, httpx.InvalidURL):
            fault = ProxyFailed("its address can't be used: HTTPS_PROXY must name an http:// proxy")
        raise fault
