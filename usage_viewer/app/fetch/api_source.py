"""Defines `ApiSource`, an organization's API as a session uses it."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from usage_viewer.app.fetch.ports import OnNotice
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.names import NamePage
from usage_viewer.domain.network_errors import RequestRefused
from usage_viewer.domain.period import BucketRun

if TYPE_CHECKING:
    from usage_viewer import api

OFFICIAL_URL = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How an organization's server is reached.

    `ca_file` is a PEM file that is trusted in addition to the system's certificates. `server_note` is a sentence
    that names a server other than OpenAI's. Tests pass shorter `timeouts` (None: the client's defaults), fewer
    `workers` (requests at a time), and a `wait` between two attempts that takes no time: it receives seconds and
    returns True to give up. `server_failure` returns the error of a server that this program runs itself and that
    has ended; requests without a response then fail with that error at once.
    """

    ca_file: Path | None = None
    server_note: str = ""
    timeouts: "api.Timeouts | None" = None
    workers: int | None = None
    wait: Callable[[float], bool] | None = None
    server_failure: Callable[[], UsageViewerError | None] | None = None


DEFAULT_CONNECTION = ConnectionOptions()


class ApiSource:
    """Implements `Source` with one HTTP client.

    The client is created by the first call: importing the network code takes longer than painting the first
    window. `on_clock_error` receives by how many seconds the server's clock is ahead, from any thread.
    """

    def __init__(
        self,
        base_url: str,
        key: AdminKey,
        connection: ConnectionOptions = DEFAULT_CONNECTION,
        *,
        clock: Callable[[], float] = time.time,
        on_clock_error: Callable[[float], None] | None = None,
    ) -> None:
        self._base_url, self._key, self._connection = base_url, key, connection
        self._clock, self._on_clock_error = clock, on_clock_error
        self._lock = threading.Lock()
        self._closed = False

    @cached_property
    def _created_client(self) -> "api.UsageClient":
        from usage_viewer import api

        options = api.ClientOptions(
            ca_file=self._connection.ca_file,
            timeouts=self._connection.timeouts or api.Timeouts(),
            sleep=self._connection.wait,
            clock=self._clock,
            on_clock_error=self._on_clock_error,
            server_failure=self._connection.server_failure,
        )
        return api.UsageClient(self._base_url, self._key, options)

    @property
    def _client(self) -> "api.UsageClient":
        with self._lock:
            if self._closed:
                self._created_client.close()  # a call after `close` must leave no connection open
            return self._created_client

    def fetch(
        self,
        dataset: Dataset,
        window: BucketRun,
        grouped: tuple[str, ...],
        *,
        cancellation: Cancellation,
        on_notice: OnNotice,
    ) -> Iterator[Batch]:
        """Yield the buckets of `window`; see `Source.fetch`."""
        from usage_viewer import api

        client = self._client

        def fetch_part(part: BucketRun) -> Iterator[Batch]:
            return api.fetch_window(
                client,
                dataset,
                part,
                grouped,
                cancellation=cancellation,
                on_retry=lambda retry: on_notice(retry.text),
            )

        yield from api.fetch_in_smaller_windows(fetch_part, window, on_notice)

    def refusal(
        self, dataset: Dataset, bucket: BucketRun, grouped: tuple[str, ...], *, cancellation: Cancellation
    ) -> RequestRefused | None:
        """Return the error with which a small request is refused; see `Source`."""
        from usage_viewer import api

        return api.probe_grouping(self._client, dataset, bucket, grouped, cancellation=cancellation)

    def names(self, now: int, read_at: Mapping[str, int], *, cancellation: Cancellation) -> Iterator[NamePage]:
        """Yield the names of projects, users and API keys; see `Source.names`."""
        from usage_viewer import api

        yield from api.fetch_names(self._client, now=now, read_at=read_at, cancellation=cancellation)

    def close(self) -> None:
        """Close the client, if one was created. Running requests finish and then close theirs."""
        with self._lock:
            self._closed = True
            client = self.__dict__.get("_created_client")
        if client is not None:
            client.close()

    def check_key(self, now: int) -> None:
        """Send one cheap request at `now` (epoch seconds).

        Raises CredentialError, NetworkError, ServerError, AnswerError, InputError.
        """
        from usage_viewer import api

        api.check_key(self._client, now)
