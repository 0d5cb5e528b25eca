"""Fetches several windows of a dataset in parallel, and stores each bucket as soon as it is complete."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from usage_viewer.app.fetch.ports import Source
from usage_viewer.domain.batch import Batch, concat_batches
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.network_errors import AnswerError, RequestRefused
from usage_viewer.domain.period import BucketRun

POLL = 0.05
"""Seconds between two checks for cancellation."""

GATHER = 0.02
"""Seconds during which arriving batches are collected for one transaction.

A transaction takes 6 ms, and each further page in it 1 ms.
"""

CLOCK_JUMP = 300.0
"""Seconds between the clock and the measured time from which the clock counts as having been set."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a fetch: windows `done` of `total`; `stored`: the store has more than at the previous step."""

    done: int
    total: int
    stored: bool = False
    notice: str = ""


class GroupingRefused(Exception):
    """Says that a request for `window`, grouped by `grouped`, was refused with `error`.

    `requests` counts the requests that were refused side by side.
    """

    def __init__(
        self, window: BucketRun, grouped: tuple[str, ...], error: RequestRefused, *, requests: int = 1
    ) -> None:
        super().__init__(str(error))
        self.window, self.grouped, self.error, self.requests = window, grouped, error, requests


@dataclass(frozen=True, slots=True)
class _Arrived:
    batch: Batch
    fetched_at: int  # epoch seconds


@dataclass(frozen=True, slots=True)
class _Ended:
    error: BaseException | None


_Message = _Arrived | _Ended | str


def fetch_windows(
    source: Source,
    dataset: Dataset,
    windows: Sequence[BucketRun],
    grouped: tuple[str, ...],
    keep: Callable[[Batch, int], None],
    *,
    cancellation: Cancellation,
    clock: Callable[[], float],
    workers: int,
) -> Iterator[Progress]:
    """Fetch `windows`, `workers` at a time, and pass batches and their fetch time to `keep`.

    `keep` runs in the calling thread; batches that were requested in the same second are joined. After an error
    no further request starts, but running ones are still kept, and then the first error is raised. An unusable
    response fails only its own window. Cancelling ends the iteration at once with Cancelled; a running request may
    continue in its thread, but its result is dropped. Raises GroupingRefused for a refused request, the source's
    other errors, and StoreError.
    """
    pool = _WorkerPool(source, dataset, windows, grouped, clock, workers)
    done = 0
    first_error: BaseException | None = None
    try:
        yield Progress(0, len(windows))
        while pool.busy:
            messages = pool.next_messages(cancellation)
            arrived = [message for message in messages if isinstance(message, _Arrived)]
            for (_, fetched_at), group in groupby(arrived, lambda item: (item.batch.width, item.fetched_at)):
                keep(concat_batches([item.batch for item in group]), fetched_at)
                yield Progress(done, len(windows), stored=True)
            for message in messages:
                if isinstance(message, str):
                    yield Progress(done, len(windows), notice=message)
                elif isinstance(message, _Ended):
                    done += message.error is None
                    if isinstance(first_error, GroupingRefused) and isinstance(message.error, GroupingRefused):
                        first_error.requests += 1
                    first_error = first_error or message.error
                    yield Progress(done, len(windows))
    finally:
        pool.stop()
    if first_error is not None:
        raise first_error


class _WorkerPool:
    """Threads that fetch windows. They are daemons: a blocked read must not keep the process from ending."""

    def __init__(
        self,
        source: Source,
        dataset: Dataset,
        windows: Sequence[BucketRun],
        grouped: tuple[str, ...],
        clock: Callable[[], float],
        workers: int,
    ) -> None:
        self._source, self._dataset, self._grouped, self._clock = source, dataset, grouped, clock
        self._todo: queue.SimpleQueue[BucketRun] = queue.SimpleQueue()
        for window in windows:
            self._todo.put(window)
        self._unfinished = len(windows)
        self._lock = threading.Lock()  # guards the two above: each window is finished or removed exactly once
        self._stop = Cancellation()
        # Bounded, so that a slow store slows the network down instead of filling the memory.
        self._messages: queue.Queue[_Message] = queue.Queue(maxsize=2 * workers)
        for number in range(min(workers, len(windows))):
            threading.Thread(target=self._work, name=f"fetch-{number}", daemon=True).start()

    @property
    def busy(self) -> bool:
        """Whether a window is not finished."""
        return self._unfinished > 0

    def next_messages(self, cancellation: Cancellation) -> list[_Message]:
        """Wait for a message; return it with those that arrive within GATHER after it. Raises Cancelled."""
        messages: list[_Message] = []
        until = 0.0
        while not messages or (time.monotonic() < until and self.busy and len(messages) < self._messages.maxsize):
            cancellation.check()
            try:
                message = self._messages.get(timeout=max(0.0, until - time.monotonic()) if messages else POLL)
            except queue.Empty:
                continue
            if not messages:
                until = time.monotonic() + GATHER
            messages.append(message)
            if isinstance(message, _Ended):
                with self._lock:
                    self._unfinished -= 1
        return messages

    def stop(self) -> None:
        """Start no further request and drop the results of running ones."""
        self._stop.cancel()

    def _work(self) -> None:
        while not self._stop.is_cancelled:
            try:
                window = self._todo.get_nowait()
            except queue.Empty:
                return
            try:
                error = self._fetch(window)
            except BaseException as unexpected:
                # Reported too, because the caller would wait for this window forever; then the thread ends.
                self._remove_remaining()
                self._send(_Ended(unexpected))
                raise
            if error is not None and not isinstance(error, AnswerError):
                # Here, not in the calling thread: this thread would start requests until the message is read.
                self._remove_remaining()
            self._send(_Ended(error))

    def _remove_remaining(self) -> None:
        with self._lock:
            while True:
                try:
                    self._todo.get_nowait()
                except queue.Empty:
                    return
                self._unfinished -= 1

    def _fetch(self, window: BucketRun) -> UsageViewerError | GroupingRefused | None:
        requested_at, started = self._clock(), time.monotonic()
        has_arrived = False
        try:
            for batch in self._source.fetch(
                self._dataset, window, self._grouped, cancellation=self._stop, on_notice=self._send
            ):
                # A response is valid as of the moment of its request. The first response corrects a wrong clock,
                # and with it that moment.
                correction = self._clock() - requested_at - (time.monotonic() - started)
                if abs(correction) <= CLOCK_JUMP:
                    correction = 0.0
                has_arrived = True
                self._send(_Arrived(batch, int(requested_at + correction)))
                if self._stop.is_cancelled:
                    break
        except RequestRefused as error:
            # A grouping of which a page arrived is granted.
            return error if has_arrived else GroupingRefused(window, self._grouped, error)
        except UsageViewerError as error:
            return error
        return None

    def _send(self, message: _Message) -> None:
        while not self._stop.is_cancelled:
            try:
                self._messages.put(message, timeout=POLL)
            except queue.Full:
                continue
            return
