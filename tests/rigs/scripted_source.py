"""Runs `fetch_windows` with a source whose responses are written in the test."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from usage_viewer.app.fetch.ports import OnNotice
from usage_viewer.app.fetch.window_fetcher import Progress, fetch_windows
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import DATASETS, Dataset
from usage_viewer.domain.names import NamePage
from usage_viewer.domain.network_errors import RequestRefused
from usage_viewer.domain.period import BucketRun, BucketWidth

DAY = BucketWidth.DAY.seconds
COMPLETIONS = DATASETS["completions"]
PATIENCE = 5.0
"""Seconds: far more than any test here takes."""

Script = Callable[[BucketRun, Cancellation, OnNotice], Iterator[Batch]]


def day_windows(count: int) -> list[BucketRun]:
    """Return windows of one day each, from the first day of the epoch."""
    return [BucketRun(BucketWidth.DAY, number * DAY, (number + 1) * DAY) for number in range(count)]


def empty_batch(window: BucketRun) -> Batch:
    """Return the buckets of a window without any row."""
    none = np.empty(0, np.int64)
    starts = np.arange(window.start, window.end, window.width.seconds)
    return Batch("completions", window.width, starts, (), [], none, none.astype(np.int32), {})


class ScriptedSource:
    """A source that runs `script` for each window and records the requests."""

    def __init__(self, script: Script) -> None:
        self._script, self._lock = script, threading.Lock()
        self.requested_days: list[int] = []
        self.grouped: set[tuple[str, ...]] = set()
        self.threads: set[threading.Thread] = set()
        self.produced = self.running = self.peak = 0

    def fetch(
        self,
        dataset: Dataset,
        window: BucketRun,
        grouped: tuple[str, ...],
        *,
        cancellation: Cancellation,
        on_notice: OnNotice,
    ) -> Iterator[Batch]:
        """Run the script."""
        with self._lock:
            self.requested_days.append(window.start // DAY)
            self.grouped.add(grouped)
            self.threads.add(threading.current_thread())
            self.running += 1
            self.peak = max(self.peak, self.running)
        try:
            for batch in self._script(window, cancellation, on_notice):
                with self._lock:
                    self.produced += 1
                yield batch
        finally:
            with self._lock:
                self.running -= 1

    def refusal(
        self, dataset: Dataset, bucket: BucketRun, grouped: tuple[str, ...], *, cancellation: Cancellation
    ) -> RequestRefused | None:
        """Is not used by `fetch_windows`."""
        raise NotImplementedError

    def names(self, now: int, read_at: Mapping[str, int], *, cancellation: Cancellation) -> Iterator[NamePage]:
        """Is not used by `fetch_windows`."""
        raise NotImplementedError

    def close(self) -> None:
        """Is not used by `fetch_windows`."""
        raise NotImplementedError

    def all_ended(self) -> bool:
        """Wait for the threads that called `fetch`. Return whether all have ended."""
        for thread in self.threads:
            thread.join(PATIENCE)
        return not any(thread.is_alive() for thread in self.threads)


class BatchRecorder:
    """Records the stored batches: their days, fetch times (epoch seconds) and threads."""

    def __init__(self) -> None:
        self.days: list[int] = []
        self.fetched_at: dict[int, int] = {}
        self.threads: set[threading.Thread] = set()

    def __call__(self, batch: Batch, fetched_at: int) -> None:
        self.threads.add(threading.current_thread())
        self.days += [start // DAY for start in batch.starts.tolist()]
        self.fetched_at |= {start // DAY: fetched_at for start in batch.starts.tolist()}


def run_fetch(
    source: ScriptedSource,
    keep: Callable[[Batch, int], None],
    windows: Sequence[BucketRun],
    *,
    workers: int = 4,
    cancellation: Cancellation | None = None,
    clock: Callable[[], float] = time.time,
) -> Iterator[Progress]:
    """Fetch `windows` of completions, grouped by model."""
    return fetch_windows(
        source,
        COMPLETIONS,
        windows,
        ("model",),
        keep,
        cancellation=cancellation or Cancellation(),
        clock=clock,
        workers=workers,
    )


def respond_at_once(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
    """Is a script that yields the window's buckets without delay."""
    yield empty_batch(window)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds; fail after PATIENCE."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)
