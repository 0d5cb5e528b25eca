"""Checks which batches a fetch of several windows stores, when, and in which threads."""

import threading
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
from usage_viewer.app.fetch.window_fetcher import Progress
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.period import BucketRun, BucketWidth


def test_each_batch_is_stored_once_by_the_calling_thread() -> None:
    source, recorder = ScriptedSource(respond_at_once), BatchRecorder()
    steps = list(run_fetch(source, recorder, day_windows(40)))
    assert sorted(recorder.days) == sorted(source.requested_days) == list(range(40))
    assert recorder.threads == {threading.current_thread()}
    assert threading.current_thread() not in source.threads
    assert source.grouped == {("model",)}
    assert source.all_ended()
    done = [step.done for step in steps]
    assert (done[0], done[-1]) == (0, 40)
    assert done == sorted(done)
    assert {step.total for step in steps} == {40}
    assert 1 <= sum(step.stored for step in steps) <= 40


def test_batches_that_arrive_together_are_joined() -> None:
    gate = threading.Barrier(4)

    def respond_together(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        gate.wait(PATIENCE)
        yield empty_batch(window)

    calls: list[tuple[int, int]] = []
    list(
        run_fetch(
            ScriptedSource(respond_together),
            lambda batch, at: calls.append((len(batch.starts), at)),
            day_windows(4),
            clock=lambda: 7.0,
        )
    )
    assert sum(count for count, _ in calls) == 4
    assert len(calls) < 4
    assert {at for _, at in calls} == {7}


def test_batches_requested_in_different_seconds_are_not_joined() -> None:
    seconds, recorder = iter(range(1000)), BatchRecorder()
    calls: list[int] = []

    def keep(batch: Batch, fetched_at: int) -> None:
        calls.append(len(batch.starts))
        recorder(batch, fetched_at)

    list(run_fetch(ScriptedSource(respond_at_once), keep, day_windows(12), clock=lambda: float(next(seconds))))
    assert calls == [1] * 12
    assert len(set(recorder.fetched_at.values())) == 12


def test_batches_of_one_window_keep_their_order() -> None:
    def pages(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        for start in range(window.start, window.end, DAY):
            yield empty_batch(BucketRun(BucketWidth.DAY, start, start + DAY))

    recorder = BatchRecorder()
    list(run_fetch(ScriptedSource(pages), recorder, [BucketRun(BucketWidth.DAY, 0, 9 * DAY)]))
    assert recorder.days == list(range(9))


def test_no_window_starts_no_thread() -> None:
    source = ScriptedSource(respond_at_once)
    assert list(run_fetch(source, BatchRecorder(), [])) == [Progress(0, 0)]
    assert source.threads == set()


def test_at_most_workers_requests_run_in_parallel() -> None:
    barrier = threading.Barrier(4)

    def wait_for_others(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        barrier.wait(PATIENCE)  # passes only when four requests are running
        yield empty_batch(window)

    source, recorder = ScriptedSource(wait_for_others), BatchRecorder()
    list(run_fetch(source, recorder, day_windows(20), workers=4))
    assert len(recorder.days) == 20
    assert source.peak == 4
    assert len(source.threads) == 4


def test_fetched_at_is_the_time_of_the_request() -> None:
    now = [1000.9]

    def slow(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        now[0] += 60
        yield empty_batch(window)

    recorder = BatchRecorder()
    list(run_fetch(ScriptedSource(slow), recorder, day_windows(3), workers=1, clock=lambda: now[0]))
    assert recorder.fetched_at == {0: 1000, 1: 1060, 2: 1120}


@pytest.mark.parametrize("clock_error", [-2 * DAY, 3 * DAY])
def test_a_corrected_clock_also_corrects_the_time_of_the_request(clock_error: int) -> None:
    now = [1_000_000.5]

    def correct(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        if now[0] == 1_000_000.5:
            now[0] += clock_error
        yield empty_batch(window)

    recorder = BatchRecorder()
    list(run_fetch(ScriptedSource(correct), recorder, day_windows(2), workers=1, clock=lambda: now[0]))
    assert recorder.fetched_at[1] == 1_000_000 + clock_error
    assert abs(recorder.fetched_at[0] - recorder.fetched_at[1]) <= 1


def test_notices_are_yielded() -> None:
    def notice(window: BucketRun, cancellation: Cancellation, on_notice: OnNotice) -> Iterator[Batch]:
        on_notice("Rate limited, retrying in 4 s")
        yield empty_batch(window)

    steps = list(run_fetch(ScriptedSource(notice), BatchRecorder(), day_windows(1)))
    assert [step.notice for step in steps if step.notice] == ["Rate limited, retrying in 4 s"]
