"""Windows side by side, with sources that block, fail and never end."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count

import numpy as np
import pytest

from usage_viewer.app.fetch.window_fetcher import OnNotice, Progress, fetch_windows, is_about_grouping
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import DATASETS, Dataset
from usage_viewer.domain.errors import (
    AnswerError,
    Cancelled,
    ConnectionFailed,
    KeyRefused,
    RequestRefused,
    StoreNotWritable,
    UsageViewerError,
)
from usage_viewer.domain.period import BucketRun, BucketWidth

DAY = BucketWidth.DAY.seconds
COMPLETIONS = DATASETS["completions"]
PATIENCE = 5.0  # seconds: far more than anything here takes

Script = Callable[[BucketRun, threading.Event, OnNotice], Iterator[Batch]]


def windows(count: int) -> list[BucketRun]:
    return [BucketRun(BucketWidth.DAY, number * DAY, (number + 1) * DAY) for number in range(count)]


def idle(window: BucketRun) -> Batch:
    """The window's buckets, nothing used in them."""
    none = np.empty(0, np.int64)
    starts = np.arange(window.start, window.end, window.width.seconds)
    return Batch("completions", window.width, starts, (), [], none, none.astype(np.int32), {})


class Scripted:
    """A source that does with each window what `script` says, and remembers what it was asked."""

    def __init__(self, script: Script) -> None:
        self._script, self._lock = script, threading.Lock()
        self.asked: list[int] = []
        self.grouped: set[tuple[str, ...]] = set()
        self.threads: set[threading.Thread] = set()
        self.produced = self.running = self.peak = 0

    def fetch(
        self,
        dataset: Dataset,
        window: BucketRun,
        grouped: tuple[str, ...],
        *,
        cancelled: threading.Event,
        on_notice: OnNotice,
    ) -> Iterator[Batch]:
        with self._lock:
            self.asked.append(window.start // DAY)
            self.grouped.add(grouped)
            self.threads.add(threading.current_thread())
            self.running += 1
            self.peak = max(self.peak, self.running)
        try:
            for batch in self._script(window, cancelled, on_notice):
                with self._lock:
                    self.produced += 1
                yield batch
        finally:
            with self._lock:
                self.running -= 1

    def accepted_dimensions(
        self, dataset: Dataset, day: BucketRun, *, cancelled: threading.Event
    ) -> tuple[str, ...]:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def all_ended(self) -> bool:
        for thread in self.threads:
            thread.join(PATIENCE)
        return not any(thread.is_alive() for thread in self.threads)


class Kept:
    """Takes batches: which buckets, when fetched, in which threads."""

    def __init__(self) -> None:
        self.days: list[int] = []
        self.fetched: dict[int, int] = {}
        self.threads: set[threading.Thread] = set()

    def __call__(self, batch: Batch, fetched_at: int) -> None:
        self.threads.add(threading.current_thread())
        self.days += [start // DAY for start in batch.starts.tolist()]
        self.fetched |= {start // DAY: fetched_at for start in batch.starts.tolist()}


def fetching(
    source: Scripted,
    keep: Callable[[Batch, int], None],
    asked: Sequence[BucketRun],
    *,
    workers: int = 4,
    cancelled: threading.Event | None = None,
    clock: Callable[[], float] = time.time,
) -> Iterator[Progress]:
    return fetch_windows(
        source,
        COMPLETIONS,
        asked,
        ("model",),
        keep,
        cancelled=cancelled or threading.Event(),
        clock=clock,
        workers=workers,
    )


def at_once(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
    yield idle(window)


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.005)


class TestAllGoesWell:
    def test_every_batch_is_kept_once_in_the_calling_thread(self) -> None:
        source, kept = Scripted(at_once), Kept()
        steps = list(fetching(source, kept, windows(40)))
        assert sorted(kept.days) == sorted(source.asked) == list(range(40))
        assert kept.threads == {threading.current_thread()}
        assert threading.current_thread() not in source.threads
        assert source.grouped == {("model",)}
        assert source.all_ended()
        done = [step.done for step in steps]
        assert (done[0], done[-1]) == (0, 40)
        assert done == sorted(done)
        assert {step.total for step in steps} == {40}
        assert 1 <= sum(step.stored for step in steps) <= 40

    def test_what_comes_together_is_kept_together(self) -> None:
        gate = threading.Barrier(4)

        def all_at_once(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            gate.wait(PATIENCE)
            yield idle(window)

        calls: list[tuple[int, int]] = []
        list(
            fetching(
                Scripted(all_at_once),
                lambda batch, at: calls.append((len(batch.starts), at)),
                windows(4),
                clock=lambda: 7.0,
            )
        )
        assert sum(count for count, _ in calls) == 4
        assert len(calls) < 4
        assert {at for _, at in calls} == {7}

    def test_what_was_asked_for_in_another_second_is_kept_by_itself(self) -> None:
        seconds, kept = iter(range(1000)), Kept()
        calls: list[int] = []

        def keep(batch: Batch, fetched_at: int) -> None:
            calls.append(len(batch.starts))
            kept(batch, fetched_at)

        list(fetching(Scripted(at_once), keep, windows(12), clock=lambda: float(next(seconds))))
        assert calls == [1] * 12
        assert len(set(kept.fetched.values())) == 12

    def test_batches_of_one_window_come_in_their_order(self) -> None:
        def pages(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            for start in range(window.start, window.end, DAY):
                yield idle(BucketRun(BucketWidth.DAY, start, start + DAY))

        kept = Kept()
        list(fetching(Scripted(pages), kept, [BucketRun(BucketWidth.DAY, 0, 9 * DAY)]))
        assert kept.days == list(range(9))

    def test_nothing_to_fetch_starts_no_thread(self) -> None:
        source = Scripted(at_once)
        assert list(fetching(source, Kept(), [])) == [Progress(0, 0)]
        assert source.threads == set()

    def test_as_many_as_workers_run_side_by_side_and_never_more(self) -> None:
        together = threading.Barrier(4)

        def meet(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            together.wait(PATIENCE)  # passes only when four are under way
            yield idle(window)

        source, kept = Scripted(meet), Kept()
        list(fetching(source, kept, windows(20), workers=4))
        assert len(kept.days) == 20
        assert source.peak == 4
        assert len(source.threads) == 4

    def test_fetched_at_is_when_the_window_was_asked_for(self) -> None:
        now = [1000.9]

        def slow(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            now[0] += 60
            yield idle(window)

        kept = Kept()
        list(fetching(Scripted(slow), kept, windows(3), workers=1, clock=lambda: now[0]))
        assert kept.fetched == {0: 1000, 1: 1060, 2: 1120}

    @pytest.mark.parametrize("wrong", [-2 * DAY, 3 * DAY])
    def test_a_clock_that_is_put_right_by_the_answer_counts_from_the_beginning(self, wrong: int) -> None:
        now = [1_000_000.5]

        def correct(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            if now[0] == 1_000_000.5:
                now[0] += wrong
            yield idle(window)

        kept = Kept()
        list(fetching(Scripted(correct), kept, windows(2), workers=1, clock=lambda: now[0]))
        assert kept.fetched[1] == 1_000_000 + wrong
        assert abs(kept.fetched[0] - kept.fetched[1]) <= 1

    def test_notices_are_passed_on(self) -> None:
        def notice(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            on_notice("Rate limited, retrying in 4 s")
            yield idle(window)

        steps = list(fetching(Scripted(notice), Kept(), windows(1)))
        assert [step.notice for step in steps if step.notice] == ["Rate limited, retrying in 4 s"]


class TestErrors:
    @pytest.mark.parametrize("error", [ConnectionFailed("gone"), KeyRefused("no"), RequestRefused(status=400)])
    def test_nothing_further_is_asked_for_but_what_is_under_way_is_kept(self, error: UsageViewerError) -> None:
        second, failed, go_on = threading.Event(), threading.Event(), threading.Event()

        def script(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            if window.start == 0:
                second.wait(PATIENCE)
                failed.set()
                raise error
            second.set()
            go_on.wait(PATIENCE)
            yield idle(window)

        source, kept = Scripted(script), Kept()
        steps = fetching(source, kept, windows(50), workers=2)
        assert next(steps) == Progress(0, 50)
        assert failed.wait(PATIENCE)
        time.sleep(0.1)  # nobody reads messages meanwhile: the crew must know by itself
        go_on.set()
        with pytest.raises(type(error)) as raised:
            list(steps)
        assert raised.value is error
        assert sorted(source.asked) == [0, 1]
        assert kept.days == [1]
        assert source.all_ended()

    def test_an_answer_that_cant_be_used_spoils_its_own_window_alone(self) -> None:
        def script(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            if window.start // DAY in (3, 7):
                raise AnswerError(f"day {window.start // DAY}")
            yield idle(window)

        source, kept = Scripted(script), Kept()
        with pytest.raises(AnswerError, match="day 3"):
            list(fetching(source, kept, windows(20), workers=1))
        assert sorted(kept.days) == [day for day in range(20) if day not in (3, 7)]

    def test_what_came_before_an_error_within_a_window_is_kept(self) -> None:
        def script(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            yield idle(BucketRun(BucketWidth.DAY, window.start, window.start + DAY))
            raise ConnectionFailed

        kept = Kept()
        with pytest.raises(ConnectionFailed):
            list(fetching(Scripted(script), kept, [BucketRun(BucketWidth.DAY, 0, 5 * DAY)]))
        assert kept.days == [0]

    def test_failed_windows_are_not_counted_as_done(self) -> None:
        def script(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            if window.start == 0:
                raise AnswerError
            yield idle(window)

        steps: list[Progress] = []
        with pytest.raises(AnswerError):
            steps.extend(fetching(Scripted(script), Kept(), windows(5)))
        assert steps[-1] == Progress(4, 5)

    def test_a_store_that_cant_be_written_ends_it(self) -> None:
        def refuse(batch: Batch, fetched_at: int) -> None:
            raise StoreNotWritable

        source = Scripted(at_once)
        with pytest.raises(StoreNotWritable):
            list(fetching(source, refuse, windows(500), workers=2))
        assert source.all_ended()
        assert len(source.asked) < 50

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_a_defect_in_a_thread_is_raised_and_nobody_waits_for_ever(self) -> None:
        def script(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            yield idle(BucketRun(BucketWidth.DAY, 0, window.end // (window.start - window.start)))

        source = Scripted(script)
        watchdog = threading.Event()
        late = threading.Timer(PATIENCE, watchdog.set)
        late.start()
        with pytest.raises(ZeroDivisionError):
            list(fetching(source, Kept(), windows(9), workers=2, cancelled=watchdog))
        late.cancel()
        assert source.all_ended()
        assert len(source.asked) <= 2


class TestStopping:
    @pytest.mark.parametrize("attempt", range(3))
    def test_cancelling_takes_less_than_03_s_while_sources_block(self, attempt: int) -> None:
        blocked, release = threading.Event(), threading.Event()

        def script(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            blocked.set()
            release.wait(PATIENCE)  # as a read that nothing interrupts
            yield idle(window)

        source, kept, cancelled = Scripted(script), Kept(), threading.Event()
        moment: list[float] = []

        def cancel() -> None:
            blocked.wait(PATIENCE)
            time.sleep(0.05 * (1 + attempt))  # long after the first look
            moment.append(time.monotonic())
            cancelled.set()

        threading.Thread(target=cancel).start()
        with pytest.raises(Cancelled):
            list(fetching(source, kept, windows(100), cancelled=cancelled))
        assert time.monotonic() - moment[0] < 0.3
        asked = len(source.asked)
        release.set()
        assert source.all_ended()
        assert len(source.asked) == asked
        assert kept.days == []

    def test_a_source_that_doesnt_look_is_not_asked_for_more(self) -> None:
        def endless(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            while True:
                time.sleep(0.001)
                yield idle(window)

        source, kept, cancelled = Scripted(endless), Kept(), threading.Event()
        steps = fetching(source, kept, windows(30), workers=3, cancelled=cancelled)
        for _ in range(20):
            next(steps)
        cancelled.set()
        with pytest.raises(Cancelled):
            list(steps)
        assert source.all_ended()
        assert source.running == 0

    def test_the_source_is_told(self) -> None:
        told = threading.Event()

        def script(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            if cancelled.wait(PATIENCE):
                told.set()
                raise Cancelled
            yield idle(window)

        cancelled = threading.Event()
        steps = fetching(Scripted(script), Kept(), windows(2), cancelled=cancelled)
        next(steps)
        cancelled.set()
        with pytest.raises(Cancelled):
            next(steps)
        assert told.wait(PATIENCE)

    def test_a_reader_that_goes_away_ends_the_crew(self) -> None:
        def slowly(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            time.sleep(0.002)
            yield idle(window)

        source, kept = Scripted(slowly), Kept()
        steps = fetching(source, kept, windows(1000), workers=3)
        for _ in range(5):
            next(steps)
        assert isinstance(steps, Iterator)
        steps.close()  # type: ignore[attr-defined] # a generator
        assert source.all_ended()
        assert len(source.asked) < 60
        assert source.running == 0

    def test_a_slow_store_slows_fetching_down(self) -> None:
        def page_by_page(window: BucketRun, cancelled: threading.Event, on_notice: OnNotice) -> Iterator[Batch]:
            for _ in range(100):
                yield idle(window)

        source, kept = Scripted(page_by_page), Kept()
        seconds = count()  # nothing is joined
        steps = fetching(source, kept, windows(10), workers=3, clock=lambda: next(seconds) * 1000.0)
        next(steps)
        wait_until(lambda: source.produced >= 6)
        time.sleep(0.2)
        # Six wait to be read, and each of three threads has one in hand.
        assert source.produced <= 9
        for _ in range(20):
            next(steps)
        time.sleep(0.1)
        assert source.produced <= 29 + 6  # six were taken at a time
        steps.close()  # type: ignore[attr-defined] # a generator
        assert source.all_ended()


@pytest.mark.parametrize(
    ("error", "about"),
    [
        (RequestRefused(status=400), True),
        (RequestRefused(status=400, param="group_by"), True),
        (RequestRefused(status=400, param="group_by[2]"), True),
        (RequestRefused(status=400, param="start_time"), False),
        (RequestRefused(status=422), False),
    ],
)
def test_which_refusals_may_be_about_a_dimension(error: RequestRefused, about: bool) -> None:
    assert is_about_grouping(error) is about
