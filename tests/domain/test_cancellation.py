"""Checks that cancelled work ends with Cancelled and that its callbacks run."""

import threading
import time

import pytest

from tests.rigs.load import slowdown
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import Cancelled


def test_a_new_cancellation_is_not_cancelled() -> None:
    cancellation, calls = Cancellation(), list[int]()
    cancellation.check()
    with cancellation.on_cancel(lambda: calls.append(1)):
        pass
    assert (cancellation.is_cancelled, calls) == (False, [])


def test_check_raises_after_cancel() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    assert cancellation.is_cancelled
    with pytest.raises(Cancelled):
        cancellation.check()


def test_a_block_does_not_start_after_cancel() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Cancelled), cancellation.on_cancel(lambda: None):
        pytest.fail("the block started")


def test_cancel_runs_the_callback_and_the_block_ends_with_cancelled() -> None:
    cancellation, calls = Cancellation(), list[int]()

    def query() -> None:
        with cancellation.on_cancel(lambda: calls.append(1)):
            cancellation.cancel()
            assert calls == [1]

    with pytest.raises(Cancelled):
        query()
    cancellation.cancel()
    assert calls == [1], "the callback ran after its block had ended"


def test_cancel_runs_the_callbacks_of_every_open_block() -> None:
    cancellation, calls = Cancellation(), list[str]()

    def queries() -> None:
        with (
            cancellation.on_cancel(lambda: calls.append("first")),
            cancellation.on_cancel(lambda: calls.append("second")),
        ):
            cancellation.cancel()

    with pytest.raises(Cancelled):
        queries()
    assert calls == ["first", "second"]


def test_an_error_in_the_block_is_kept() -> None:
    cancellation = Cancellation()

    def query() -> None:
        with cancellation.on_cancel(lambda: None):
            cancellation.cancel()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        query()


def test_wait_returns_false_after_the_timeout() -> None:
    assert Cancellation().wait(0.01) is False


def test_wait_ends_when_another_thread_cancels() -> None:
    cancellation = Cancellation()
    threading.Timer(0.05, cancellation.cancel).start()
    started = time.monotonic()
    assert cancellation.wait(30)
    assert time.monotonic() - started < 10 * slowdown()
