"""Brings what a view lacks into the store: windows fetched side by side, each bucket stored whole as it comes."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from usage_viewer.domain.batch import Batch, concat_batches
from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.errors import AnswerError, Cancelled, RequestRefused, UsageViewerError
from usage_viewer.domain.period import BucketRun

POLL = 0.05
"""Seconds between two looks at whether the user has cancelled."""

GATHER = 0.02
"""Seconds in which what arrives is stored together: a transaction takes 6 ms, and a further page in it one."""

CLOCK_JUMP = 300.0
"""Seconds that the clock goes besides time's passing from which it has been set."""

OnNotice = Callable[[str], None]


class Source(Protocol):
    """Where usage comes from. Each call raises the typed errors of the network, and is safe in any thread."""

    def fetch(
        self,
        dataset: Dataset,
        window: BucketRun,
        grouped: tuple[str, ...],
        *,
        cancelled: threading.Event,
        on_notice: OnNotice,
    ) -> Iterator[Batch]: ...

    def accepted_dimensions(
        self, dataset: Dataset, day: BucketRun, *, cancelled: threading.Event
    ) -> tuple[str, ...]:
        """The dimensions of the dataset that may be asked for together. Raises what refuses even none."""
        ...

    def close(self) -> None:
        """Lets go of idle connections; calls under way end by themselves."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """One step: windows `done` of `total`; `stored`: the store holds more than at the step before."""

    done: int
    total: int
    stored: bool = False
    notice: str = ""


@dataclass(frozen=True, slots=True)
class _Arrived:
    batch: Batch
    fetched_at: int


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
    cancelled: threading.Event,
    clock: Callable[[], float],
    workers: int,
) -> Iterator[Progress]:
    """Fetches `windows`, `workers` at a time, and hands batches to `keep` in the calling thread: joined, where
    several have come that were asked for in the same second.

    After an error nothing further is asked for, but what is under way is still kept; an answer that can't be used
    spoils its own window alone. Then the first error is raised. `cancelled` ends it at once, with Cancelled;
    what the source is doing then may go on for a while in its thread, but nothing further is asked for or kept.
    """
    crew = _WorkerPool(source, dataset, windows, grouped, clock, workers)
    done = 0
    first_error: BaseException | None = None
    try:
        yield Progress(0, len(windows))
        while crew.busy:
            messages = crew.next_messages(cancelled)
            arrived = [message for message in messages if isinstance(message, _Arrived)]
            for (_, fetched_at), some in groupby(arrived, lambda one: (one.batch.width, one.fetched_at)):
                keep(concat_batches([one.batch for one in some]), fetched_at)
                yield Progress(done, len(windows), stored=True)
            for message in messages:
                if isinstance(message, str):
                    yield Progress(done, len(windows), notice=message)
                elif isinstance(message, _Ended):
                    done += message.error is None
                    first_error = first_error or message.error
                    yield Progress(done, len(windows))
    finally:
        crew.stop()
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
        self._unanswered = len(windows)
        self._changing = threading.Lock()  # guards the two above: every window is answered or taken back once
        self._stop = threading.Event()
        # Bounded, so that a slow store slows the network down instead of filling the memory.
        self._messages: queue.Queue[_Message] = queue.Queue(maxsize=2 * workers)
        for number in range(min(workers, len(windows))):
            threading.Thread(target=self._work, name=f"fetch-{number}", daemon=True).start()

    @property
    def busy(self) -> bool:
        return self._unanswered > 0

    def next_messages(self, cancelled: threading.Event) -> list[_Message]:
        """What comes within a moment after the first one has."""
        messages: list[_Message] = []
        until = 0.0
        while not messages or (time.monotonic() < until and self.busy and len(messages) < self._messages.maxsize):
            if cancelled.is_set():
                raise Cancelled
            try:
                message = self._messages.get(timeout=max(0.0, until - time.monotonic()) if messages else POLL)
            except queue.Empty:
                continue
            if not messages:
                until = time.monotonic() + GATHER
            messages.append(message)
            if isinstance(message, _Ended):
                with self._changing:
                    self._unanswered -= 1
        return messages

    def stop(self) -> None:
        self._stop.set()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                window = self._todo.get_nowait()
            except queue.Empty:
                return
            try:
                error = self._fetch(window)
            except BaseException as unexpected:
                # Told too, so that nobody waits for this window for ever; then the thread ends as it must.
                self._ask_no_more()
                self._say(_Ended(unexpected))
                raise
            if error is not None and not isinstance(error, AnswerError):
                # Here, not where the message is read: until then this thread would have gone on asking.
                self._ask_no_more()
            self._say(_Ended(error))

    def _ask_no_more(self) -> None:
        with self._changing:
            while True:
                try:
                    self._todo.get_nowait()
                except queue.Empty:
                    return
                self._unanswered -= 1

    def _fetch(self, window: BucketRun) -> UsageViewerError | None:
        asked_at, begun = self._clock(), time.monotonic()
        try:
            for batch in self._source.fetch(
                self._dataset, window, self._grouped, cancelled=self._stop, on_notice=self._say
            ):
                # What an answer says is known as of the moment when it was asked for. A clock that is wrong is put
                # right by the first answer: that moment with it.
                put_right = self._clock() - asked_at - (time.monotonic() - begun)
                self._say(_Arrived(batch, int(asked_at + (put_right if abs(put_right) > CLOCK_JUMP else 0.0))))
                if self._stop.is_set():
                    break
        except UsageViewerError as error:
            return error
        return None

    def _say(self, message: _Message) -> None:
        while not self._stop.is_set():
            try:
                self._messages.put(message, timeout=POLL)
            except queue.Full:
                continue
            return


def is_about_grouping(error: RequestRefused) -> bool:
    """Whether a 400 may mean that a dimension can't be asked for."""
    return error.status == 400 and (not error.param or error.param.startswith("group_by"))
