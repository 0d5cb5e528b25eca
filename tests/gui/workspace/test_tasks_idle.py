"""Tests when `Tasks` reports that no work is left."""

import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from usage_viewer.gui.workspace.tasks import Tasks


@pytest.fixture
def tasks(qtbot: QtBot) -> Iterator[Tasks]:
    tasks = Tasks()
    yield tasks
    tasks.close()


@pytest.fixture
def idle(tasks: Tasks) -> list[bool]:
    """Has an item for each time that `idle` was emitted."""
    emitted: list[bool] = []
    tasks.idle.connect(lambda: emitted.append(True))
    return emitted


def _ignore(result: object) -> None:
    pass


def test_idle_once_all_channels_have_finished(qtbot: QtBot, tasks: Tasks, idle: list[bool]) -> None:
    gate = threading.Event()
    tasks.start("a", lambda task: None, _ignore, _ignore)
    tasks.start("b", lambda task: gate.wait(10), _ignore, _ignore)
    qtbot.waitUntil(lambda: not tasks.busy("a"))
    qtbot.wait(30)
    assert not idle
    assert tasks.busy_count == 1
    gate.set()
    qtbot.waitUntil(lambda: idle == [True])
    assert tasks.busy_count == 0


def test_not_idle_when_a_callback_starts_more_work(qtbot: QtBot, tasks: Tasks, idle: list[bool]) -> None:
    gate = threading.Event()

    def start_another(result: object) -> None:
        tasks.start("b", lambda task: gate.wait(10), _ignore, _ignore)

    tasks.start("a", lambda task: None, start_another, _ignore)
    qtbot.waitUntil(lambda: tasks.busy("b"))
    qtbot.wait(30)
    assert not idle
    gate.set()
    qtbot.waitUntil(lambda: idle == [True])


def test_idle_after_the_last_task_was_cancelled(qtbot: QtBot, tasks: Tasks, idle: list[bool]) -> None:
    gate = threading.Event()
    tasks.start("a", lambda task: gate.wait(10), _ignore, _ignore)
    tasks.cancel("a")
    qtbot.waitUntil(lambda: idle == [True])
    gate.set()


def test_not_idle_when_a_cancelled_task_is_replaced(qtbot: QtBot, tasks: Tasks, idle: list[bool]) -> None:
    first, second = threading.Event(), threading.Event()
    tasks.start("a", lambda task: first.wait(10), _ignore, _ignore)
    tasks.cancel("a")
    tasks.start("a", lambda task: second.wait(10), _ignore, _ignore)
    qtbot.wait(30)
    assert not idle
    first.set()
    second.set()
    qtbot.waitUntil(lambda: idle == [True])


def test_failure_ends_a_task(
    qtbot: QtBot, tasks: Tasks, idle: list[bool], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(task: object) -> None:
        raise ZeroDivisionError

    tasks.start("a", fail, _ignore, _ignore)
    qtbot.waitUntil(lambda: idle == [True])
