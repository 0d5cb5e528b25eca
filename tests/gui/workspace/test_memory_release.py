"""Memory is released once, at the first pause after large work."""

from collections.abc import Iterator
from threading import Event

import pytest
from pytestqt.qtbot import QtBot

from usage_viewer.gui.workspace.memory_release import LARGE_WORK, MemoryRelease
from usage_viewer.gui.workspace.tasks import Tasks


@pytest.fixture
def tasks(qapp: object) -> Iterator[Tasks]:
    tasks = Tasks()
    yield tasks
    tasks.close()


@pytest.fixture
def release(tasks: Tasks) -> MemoryRelease:
    release = MemoryRelease(tasks, tasks)
    release.pause.setInterval(20)
    return release


def test_memory_is_released_at_a_pause_after_a_request(qtbot: QtBot, release: MemoryRelease) -> None:
    with qtbot.waitSignal(release.released, timeout=5000):
        release.request()
    assert not release.pause.isActive()


@pytest.mark.parametrize("channel", LARGE_WORK)
def test_release_waits_for_large_work(qtbot: QtBot, tasks: Tasks, release: MemoryRelease, channel: str) -> None:
    end, released = Event(), list[bool]()
    release.released.connect(lambda: released.append(True))
    tasks.start(channel, lambda task: end.wait(10), lambda _: None, lambda _: None)
    release.request()
    qtbot.wait(100)
    assert released == []
    with qtbot.waitSignal(release.released, timeout=5000):
        end.set()


def test_memory_is_released_again_after_other_work(qtbot: QtBot, tasks: Tasks, release: MemoryRelease) -> None:
    end = Event()
    with qtbot.waitSignal(release.released, timeout=5000):
        tasks.start("verify", lambda task: end.wait(10), lambda _: None, lambda _: None)
        release.request()
    assert release.pause.isActive()
    end.set()
    qtbot.waitUntil(lambda: not tasks.busy("verify") and not release.pause.isActive(), timeout=5000)
