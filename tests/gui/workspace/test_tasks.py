"""The bridge between threads: what arrives, in which thread, what doesn't, and how it ends."""

import importlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.rigs.load import slowdown
from usage_viewer.domain.errors import InputError, UsageViewerError
from usage_viewer.gui.workspace.tasks import Task, Tasks


@pytest.fixture
def tasks(qtbot: QtBot) -> Iterator[Tasks]:
    bridge = Tasks()
    yield bridge
    bridge.close()


class Heard:
    """What called back, and in which thread."""

    def __init__(self) -> None:
        self.items: list[object] = []
        self.threads: set[str] = set()

    def hear(self, item: object = None) -> None:
        self.items.append(item)
        self.threads.add(threading.current_thread().name)


def test_a_result_arrives_in_the_gui_thread(qtbot: QtBot, tasks: Tasks) -> None:
    heard = Heard()
    tasks.start("a", lambda task: (2**40, threading.current_thread().name), heard.hear, heard.hear)
    qtbot.waitUntil(lambda: bool(heard.items))
    assert heard.items == [(2**40, "a")]
    assert heard.threads == {threading.main_thread().name}


def test_errors_arrive_and_unexpected_ones_become_the_programs_own(
    qtbot: QtBot, tasks: Tasks, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()

    def refuse(task: Task) -> None:
        raise InputError("x", title="No")

    def crash(task: Task) -> None:
        raise ZeroDivisionError("oops")

    tasks.start("a", refuse, heard.hear, heard.hear)
    qtbot.waitUntil(lambda: len(heard.items) == 1)
    tasks.start("a", crash, heard.hear, heard.hear)
    qtbot.waitUntil(lambda: len(heard.items) == 2)
    first, second = heard.items
    assert isinstance(first, InputError)
    assert isinstance(second, UsageViewerError)
    assert "ZeroDivisionError: oops" in second.detail
    assert "unexpected error" in caplog.text


def test_steps_arrive_in_order_and_then_the_end(qtbot: QtBot, tasks: Tasks) -> None:
    heard = Heard()
    tasks.start_steps(
        "a", lambda task: iter(range(100)), heard.hear, lambda: heard.hear("end"), lambda error: heard.hear(error)
    )
    qtbot.waitUntil(lambda: "end" in heard.items)
    assert heard.items == [*range(100), "end"]


def test_the_latest_wins_and_the_one_before_is_told(qtbot: QtBot, tasks: Tasks) -> None:
    heard, begun, interrupted = Heard(), threading.Event(), threading.Event()

    def slow(task: Task) -> str:
        begun.set()
        if task.cancellation.wait(10):
            interrupted.set()
        return "slow"

    first = tasks.start("a", slow, heard.hear, heard.hear)
    assert begun.wait(5)
    tasks.start("a", lambda task: "quick", heard.hear, heard.hear)
    qtbot.waitUntil(lambda: bool(heard.items))
    assert interrupted.wait(5)
    assert first.cancellation.is_cancelled
    qtbot.wait(30)
    assert heard.items == ["quick"]


def test_nothing_arrives_after_a_cancel_though_it_was_sent_before(qtbot: QtBot, tasks: Tasks) -> None:
    heard, finished = Heard(), threading.Event()

    def work(task: Task) -> str:
        finished.set()
        return "late"

    tasks.start("a", work, heard.hear, heard.hear)
    assert finished.wait(5)
    time.sleep(0.05)  # the message waits in the event loop, which has not run yet
    tasks.cancel("a")
    qtbot.wait(50)
    assert heard.items == []
    assert not tasks.busy("a")


def test_channels_do_not_wait_for_one_another(qtbot: QtBot, tasks: Tasks) -> None:
    heard, gate = Heard(), threading.Event()
    tasks.start("a", lambda task: gate.wait(10), heard.hear, heard.hear)
    tasks.start("b", lambda task: "b", heard.hear, heard.hear)
    qtbot.waitUntil(lambda: heard.items == ["b"])
    assert tasks.busy("a")
    gate.set()
    qtbot.waitUntil(lambda: len(heard.items) == 2)
    assert not tasks.busy("a")


def test_closing_waits_a_bounded_time_and_nothing_arrives_afterwards(qtbot: QtBot) -> None:
    tasks, heard, gate = Tasks(), Heard(), threading.Event()
    tasks.start("a", lambda task: gate.wait(30), heard.hear, heard.hear)
    begun = time.monotonic()
    tasks.close(0.2)
    assert time.monotonic() - begun < 5 * slowdown()
    gate.set()
    qtbot.wait(50)
    assert heard.items == []


def test_closing_waits_until_an_import_is_complete(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_module_of_a_test.py").write_text("import time\ntime.sleep(0.5)\n")
    monkeypatch.syspath_prepend(tmp_path)
    tasks, begun, imported = Tasks(), threading.Event(), threading.Event()

    def work(task: Task) -> None:
        begun.set()
        importlib.import_module("slow_module_of_a_test")
        imported.set()

    tasks.start("a", work, lambda result: None, lambda error: None)
    assert begun.wait(5)
    time.sleep(0.1)
    tasks.close(0.05)
    assert imported.is_set()
