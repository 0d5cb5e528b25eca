"""Checks what a fetch of several windows stores before and after an error."""

import threading
import time
from collections.abc import Iterator

import pytest

from tests.rigs.scripted_source import (
    DAY,
    PATIENCE,
    BatchRecorder,
    ScriptedSource,
    day_windows,
    empty_batch,
    respond_at_once,
    run_fetch,
)
from usage_viewer.app.fetch.ports import OnNotice
from usage_viewer.app.fetch.window_fetcher import GroupingRefused, Progress
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import KeyRefused, StoreNotWritable, UsageViewerError
from usage_viewer.domain.network_errors import AnswerError, ConnectionFailed, RequestRefused
from usage_viewer.domain.period import BucketRun, BucketWidth


@pytest.mark.parametrize("error", [ConnectionFailed("gone"), KeyRefused("no"), RequestRefused(status=400)])
def test_an_error_stops_new_requests_but_running_ones_are_stored(error: UsageViewerError) -> None:
    second_started, has_failed, may_continue = threading.Event(), threading.Event(), threading.Event()

    def script(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        if window.start == 0:
            second_started.wait(PATIENCE)
            has_failed.set()
            raise error
        second_started.set()
        may_continue.wait(PATIENCE)
        yield empty_batch(window)

    source, recorder = ScriptedSource(script), BatchRecorder()
    steps = run_fetch(source, recorder, day_windows(50), workers=2)
    assert next(steps) == Progress(0, 50)
    assert has_failed.wait(PATIENCE)
    time.sleep(0.1)  # no message is read meanwhile: the pool must stop without the caller
    may_continue.set()
    with pytest.raises((type(error), GroupingRefused)) as raised:
        list(steps)
    refused = raised.value
    assert (refused.error if isinstance(refused, GroupingRefused) else refused) is error
    assert sorted(source.requested_days) == [0, 1]
    assert recorder.days == [1]
    assert source.all_ended()


def test_an_unusable_response_fails_only_its_own_window() -> None:
    def script(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        if window.start // DAY in (3, 7):
            raise AnswerError(f"day {window.start // DAY}")
        yield empty_batch(window)

    source, recorder = ScriptedSource(script), BatchRecorder()
    with pytest.raises(AnswerError, match="day 3"):
        list(run_fetch(source, recorder, day_windows(20), workers=1))
    assert sorted(recorder.days) == [day for day in range(20) if day not in (3, 7)]


def test_batches_before_an_error_in_the_same_window_are_stored() -> None:
    def script(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        yield empty_batch(BucketRun(BucketWidth.DAY, window.start, window.start + DAY))
        raise ConnectionFailed

    recorder = BatchRecorder()
    with pytest.raises(ConnectionFailed):
        list(run_fetch(ScriptedSource(script), recorder, [BucketRun(BucketWidth.DAY, 0, 5 * DAY)]))
    assert recorder.days == [0]


def test_a_failed_window_is_not_counted_as_done() -> None:
    def script(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        if window.start == 0:
            raise AnswerError
        yield empty_batch(window)

    steps: list[Progress] = []
    with pytest.raises(AnswerError):
        steps.extend(run_fetch(ScriptedSource(script), BatchRecorder(), day_windows(5)))
    assert steps[-1] == Progress(4, 5)


def test_a_store_error_ends_the_fetch() -> None:
    def refuse(batch: Batch, fetched_at: int) -> None:
        raise StoreNotWritable

    source = ScriptedSource(respond_at_once)
    with pytest.raises(StoreNotWritable):
        list(run_fetch(source, refuse, day_windows(500), workers=2))
    assert source.all_ended()
    assert len(source.requested_days) < 50


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_unexpected_exception_in_a_thread_is_raised() -> None:
    def script(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        yield empty_batch(BucketRun(BucketWidth.DAY, 0, window.end // (window.start - window.start)))

    source = ScriptedSource(script)
    cancellation = Cancellation()
    timeout = threading.Timer(PATIENCE, cancellation.cancel)
    timeout.start()
    with pytest.raises(ZeroDivisionError):
        list(run_fetch(source, BatchRecorder(), day_windows(9), workers=2, cancellation=cancellation))
    timeout.cancel()
    assert source.all_ended()
    assert len(source.requested_days) <= 2
