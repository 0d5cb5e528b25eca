"""Checks that a cancelled or abandoned fetch ends soon and starts no further request."""

import threading
import time
from collections.abc import Iterator
from itertools import count

import pytest

from tests.rigs.scripted_source import (
    PATIENCE,
    BatchRecorder,
    ScriptedSource,
    day_windows,
    empty_batch,
    run_fetch,
    wait_until,
)
from usage_viewer.app.fetch.ports import OnNotice
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import (
    Cancelled,
)
from usage_viewer.domain.period import BucketRun


@pytest.mark.parametrize("attempt", range(3))
def test_cancelling_takes_less_than_03_s_while_requests_block(attempt: int) -> None:
    blocked, release = threading.Event(), threading.Event()

    def script(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        blocked.set()
        release.wait(PATIENCE)  # like a read that cannot be interrupted
        yield empty_batch(window)

    source, recorder, cancellation = ScriptedSource(script), BatchRecorder(), Cancellation()
    cancelled_at: list[float] = []

    def cancel() -> None:
        blocked.wait(PATIENCE)
        time.sleep(0.05 * (1 + attempt))  # long after the first check
        cancelled_at.append(time.monotonic())
        cancellation.cancel()

    threading.Thread(target=cancel).start()
    with pytest.raises(Cancelled):
        list(run_fetch(source, recorder, day_windows(100), cancellation=cancellation))
    assert time.monotonic() - cancelled_at[0] < 0.3
    requests = len(source.requested_days)
    release.set()
    assert source.all_ended()
    assert len(source.requested_days) == requests
    assert recorder.days == []


def test_a_source_that_ignores_the_cancellation_gets_no_new_request() -> None:
    def endless(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        while True:
            time.sleep(0.001)
            yield empty_batch(window)

    source, recorder, cancellation = ScriptedSource(endless), BatchRecorder(), Cancellation()
    steps = run_fetch(source, recorder, day_windows(30), workers=3, cancellation=cancellation)
    for _ in range(20):
        next(steps)
    cancellation.cancel()
    with pytest.raises(Cancelled):
        list(steps)
    assert source.all_ended()
    assert source.running == 0


def test_the_source_is_notified_of_the_cancellation() -> None:
    notified = threading.Event()

    def script(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        if cancellation.wait(PATIENCE):
            notified.set()
            raise Cancelled
        yield empty_batch(window)

    cancellation = Cancellation()
    steps = run_fetch(ScriptedSource(script), BatchRecorder(), day_windows(2), cancellation=cancellation)
    next(steps)
    cancellation.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    assert notified.wait(PATIENCE)


def test_closing_the_iterator_ends_the_threads() -> None:
    def respond_slowly(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        time.sleep(0.002)
        yield empty_batch(window)

    source, recorder = ScriptedSource(respond_slowly), BatchRecorder()
    steps = run_fetch(source, recorder, day_windows(1000), workers=3)
    for _ in range(5):
        next(steps)
    assert isinstance(steps, Iterator)
    steps.close()  # type: ignore[attr-defined] # a generator
    assert source.all_ended()
    assert len(source.requested_days) < 60
    assert source.running == 0


def test_a_slow_store_limits_the_requests() -> None:
    def page_by_page(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        for _ in range(100):
            yield empty_batch(window)

    source, recorder = ScriptedSource(page_by_page), BatchRecorder()
    seconds = count()  # a new second each time, so that no batches are joined
    steps = run_fetch(source, recorder, day_windows(10), workers=3, clock=lambda: next(seconds) * 1000.0)
    next(steps)
    wait_until(lambda: source.produced >= 6)
    time.sleep(0.2)
    # Six batches are queued, and each of three threads has one more.
    assert source.produced <= 9
    for _ in range(20):
        next(steps)
    time.sleep(0.1)
    assert source.produced <= 29 + 6  # up to six are taken at a time
    steps.close()  # type: ignore[attr-defined] # a generator
    assert source.all_ended()
