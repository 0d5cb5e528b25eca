"""Tests hundreds of random actions with a failing server: no exception, no warning, no leak.

The seed is printed; MONKEY_SEED repeats a run as far as the timing of threads allows.
"""

import ctypes
import gc
import logging
import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from tests.gui.window.monkey import Monkey, opened
from tests.rigs.window import Oracle, WindowRig, shown_sums
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.domain.view import FIRST_VIEW

GROWTH: Final = 350
"""Megabytes by which the process may grow between a fifth of the actions and their end, both times idle with the
same view. The program itself keeps a few; the database engine's allocator keeps up to 128 MB for reuse, and the
server's organization, in the same process, what it has generated: spend needs every dataset.
"""

CHANNELS: Final = ("look", "names", "fetch", "key", "open", "copy", "demo")
SERVERS_OWN: Final = ("Thread-", "serve", "Dummy")
"""Beginnings of the names of the test server's threads."""


def megabytes() -> float:
    """Return the resident memory of the process, without memory that the allocator can reuse."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("reads memory from /proc")
    gc.collect()  # also reports files that were left open
    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Run:
    """One life of a window under a monkey's user."""

    def __init__(self, rig: WindowRig, qtbot: QtBot, folder: Path, seed: int | None) -> None:
        self.rig, self.qtbot = rig, qtbot
        if seed is None:
            seed = int(os.environ.get("MONKEY_SEED") or random.SystemRandom().randrange(2**32))
        print(f"seed {seed}")
        self._before = set(threading.enumerate())
        self.window = rig.start()
        self.monkey = Monkey(rig, self.window, seed, folder)

    def play(self, actions: int) -> None:
        """Act at random. Raises AssertionError for a logged error, an open dialog or grown memory."""
        sizes: list[float] = []
        try:
            for some in (actions // 5, actions - actions // 5):
                with self.monkey.dialogs_answered():
                    for _ in range(some):
                        self.monkey.act()
                    assert self.window.isVisible()
                    self._close_popups()
                    self._come_to_rest()
                sizes.append(megabytes())
        finally:
            print("\n".join(self.monkey.done[-30:]))
        early, late = sizes
        print(f"{early:.0f} MB after {actions // 5} actions, {late:.0f} MB after {actions}")
        assert late - early < GROWTH

    def _close_popups(self) -> None:
        """Close everything with Escape."""
        for _ in range(10):
            over = opened()
            if over is None:
                return
            focus: QWidget | None = over.focusWidget()
            QTest.keyClick(focus or over, Qt.Key.Key_Escape)
            QTest.qWait(30)
        raise AssertionError(f"{opened()} stays open")

    def _come_to_rest(self) -> None:
        """Repair the server, enter a key and show the first view."""
        window, workspace = self.window, self.window.workspace
        self.rig.server.faults, self.rig.server.latency = None, 0.0
        window.organizations.choose("default")
        self.qtbot.waitUntil(lambda: workspace.session is not None and window.parts.keys.answered, timeout=15_000)
        if not self._connected():
            field = window.key_page.findChild(QLineEdit)
            window.commands.replace_key.trigger()
            assert isinstance(field, QLineEdit)
            QTest.keyClicks(field, ADMIN_KEY)
            QTest.keyClick(field, Qt.Key.Key_Return)
            self.qtbot.waitUntil(self._connected, timeout=15_000)
        workspace.show_view(FIRST_VIEW)
        workspace.retry()
        deadline = time.monotonic() + 30
        while not self._rests():
            assert time.monotonic() < deadline, f"{window.page.status.text} {window.page.banner.accessibleName()}"
            QTest.qWait(50)

    def _connected(self) -> bool:
        session = self.window.workspace.session
        return session is not None and session.connected

    def _rests(self) -> bool:
        last = self.window.workspace.last
        if any(map(self.window.tasks.busy, CHANNELS)) or last is None:
            return False
        return last.view == FIRST_VIEW and last.look.coverage.complete

    def end(self) -> None:
        """Close the window and wait until all of its threads have ended."""
        self.rig.close(self.window)
        self.qtbot.waitUntil(lambda: not self._left_over(), timeout=15_000)

    def _left_over(self) -> list[threading.Thread]:
        return [one for one in set(threading.enumerate()) - self._before if not one.name.startswith(SERVERS_OWN)]


@pytest.fixture
def run_of(
    rig: WindowRig,
    qtbot: QtBot,
    oracle: Oracle,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> Callable[[int, int | None], None]:
    """Run a number of actions and compare the final table with the oracle."""

    def run(actions: int, seed: int | None) -> None:
        with caplog.at_level(logging.ERROR):
            life = Run(rig, qtbot, tmp_path, seed)
            life.play(actions)
            shown, right = shown_sums(life.window), oracle.sums(FIRST_VIEW)
            life.end()
        assert not [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
        assert shown.keys() == right.keys()
        for key, figures in right.items():
            for name in ("input_tokens", "output_tokens", "num_model_requests"):
                assert shown[key][name] == figures[name]

    return run


def test_five_hundred_random_actions(run_of: Callable[[int, int | None], None]) -> None:
    run_of(500, None)


@pytest.mark.fuzz
@pytest.mark.parametrize(("seed", "actions"), [(1, 2000), (2, 2000), (3, 2000), (4, 2000), (None, 5000)])
def test_thousands_of_random_actions(
    run_of: Callable[[int, int | None], None], seed: int | None, actions: int
) -> None:
    run_of(actions, seed)
