"""`ApiSource`: the organization's API as a session sees it."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from usage_viewer.app.fetch.window_fetcher import OnNotice
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.names import Name
from usage_viewer.domain.period import BucketRun

if TYPE_CHECKING:
    from usage_viewer import api

OFFICIAL_URL = "https://api.openai.com/v1"


class ApiSource:
    """Implements `Source` and `NameSource` over one client, which is made when it is first needed: importing
    the network's part takes longer than painting the first window.

    The other arguments are the client's: `timeouts` None are its own, `wait` is its `sleep`.
    """

    def __init__(
        self,
        base_url: str,
        key: AdminKey,
        *,
        ca_file: Path | None = None,
        timeouts: "api.Timeouts | None" = None,
        wait: Callable[[float], bool] | None = None,
        clock: Callable[[], float] = time.time,
        on_clock_error: Callable[[float], None] | None = None,
    ) -> None:
        self._base_url, self._key, self._ca_file = base_url, key, ca_file
        self._timeouts, self._wait = timeouts, wait
        self._clock, self._on_clock_error = clock, on_clock_error
        self._lock = threading.Lock()
        self._closed = False

    @cached_property
    def _made(self) -> "api.UsageClient":
        from usage_viewer import api

        return api.UsageClient(
            self._base_url,
            self._key,
            ca_file=self._ca_file,
            timeouts=self._timeouts or api.Timeouts(),
            sleep=self._wait,
            clock=self._clock,
            on_clock_error=self._on_clock_error,
        )

    @property
    def _client(self) -> "api.UsageClient":
        with self._lock:
            if self._closed:
                self._made.close()  # whoever comes late leaves nothing open
            return self._made

    def fetch(
        self,
        dataset: Dataset,
        window: BucketRun,
        grouped: tuple[str, ...],
        *,
        cancelled: threading.Event,
        on_notice: OnNotice,
    ) -> Iterator[Batch]:
        from usage_viewer import api

        client = self._client

        def ask(part: BucketRun) -> Iterator[Batch]:
            return api.fetch_window(
                client,
                dataset,
                part,
                grouped,
                cancelled=cancelled,
                on_retry=lambda retry: on_notice(retry.text),
            )

        yield from api.fetch_in_smaller_windows(ask, window, on_notice)

    def accepted_dimensions(
        self, dataset: Dataset, day: BucketRun, *, cancelled: threading.Event
    ) -> tuple[str, ...]:
        from usage_viewer import api

        return api.probe_dimensions(self._client, dataset, day, cancelled=cancelled)

    def names(self, now: int, *, cancelled: threading.Event) -> Iterator[list[Name]]:
        from usage_viewer import api

        yield from api.fetch_names(self._client, now=now, cancelled=cancelled)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            made = self.__dict__.get("_made")
        if made is not None:
            made.close()

    def check_key(self, now: int) -> None:
        """One cheap call; raises what is wrong with the key, or with the way to the server."""
        from usage_viewer import api

        api.check_key(self._client, now)
