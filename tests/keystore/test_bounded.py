"""A call that hangs is given up, and doesn't keep the interpreter from ending."""

import subprocess
import sys
import threading
import time

import pytest

from tests.rigs.load import slowdown
from usage_viewer.keystore.bounded import BackendFailure, NoAnswer, bounded


def test_the_value_comes_back_from_another_thread() -> None:
    assert bounded(threading.get_ident, 5) != threading.get_ident()
    assert bounded(lambda: None, 5) is None


def test_an_error_comes_without_its_frames_and_its_chain() -> None:
    def fails() -> None:
        held = "secret"
        try:
            raise KeyError(held)
        except KeyError as error:
            raise OSError("said") from error

    with pytest.raises(BackendFailure) as caught:
        bounded(fails, 5)
    error = caught.value.error
    assert isinstance(error, OSError)
    assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)
    assert "said" not in str(caught.value)


def test_a_thread_that_ends_without_an_answer_is_noticed() -> None:
    def leaves() -> None:
        raise SystemExit

    began = time.monotonic()
    with pytest.raises(NoAnswer):
        bounded(leaves, 5)
    assert time.monotonic() - began < 2 * slowdown()


def test_a_call_that_hangs_is_given_up_and_its_late_value_is_dropped() -> None:
    release, ended = threading.Event(), threading.Event()

    def hangs() -> str:
        release.wait(20)
        ended.set()
        return "late"

    began = time.monotonic()
    with pytest.raises(NoAnswer):
        bounded(hangs, 0.2)
    assert 0.2 <= time.monotonic() - began < 2 * slowdown()
    release.set()
    assert ended.wait(5)
    assert bounded(lambda: "next", 5) == "next"


def test_a_hanging_call_does_not_keep_the_interpreter() -> None:
    program = """
import threading
from usage_viewer.keystore.bounded import NoAnswer, bounded
try:
    bounded(threading.Event().wait, 0.2)
except NoAnswer:
    print("given up")
"""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "given up\n", "")
    assert time.monotonic() - began < 10 * slowdown()
