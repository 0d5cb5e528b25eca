"""Tests keyrings that prompt, hang or lose the key: the window stays responsive and reports it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest
from keyring.backend import KeyringBackend
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from tests.rigs.keyboard import keyboard
from tests.rigs.keys import key_scope
from tests.rigs.window import WindowRig, WindowUnderTest
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.keystore import Keystore, OsKeyring

if TYPE_CHECKING:
    from tests.rigs.secret_service import SecretService

PASSWORD: Final = "a password for the tests"

Start = Callable[[str | None], "SecretService"]


class Heartbeat:
    """Beats in the GUI thread every 10 ms and stores its longest pause in seconds."""

    def __init__(self) -> None:
        self.beats = 0
        self.longest = 0.0
        self._last = time.monotonic()
        self._timer = QTimer(interval=10, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now = time.monotonic()
        self.beats += 1
        self.longest, self._last = max(self.longest, now - self._last), now

    def stop(self) -> None:
        self._timer.stop()


@contextmanager
def beating() -> Iterator[Heartbeat]:
    heart = Heartbeat()
    yield heart
    heart.stop()


@pytest.fixture
def locked(
    rig: WindowRig, start_secret_service: Start, display: str, monkeypatch: pytest.MonkeyPatch
) -> "SecretService":
    """Lock a keyring that has the key and can prompt for its password on a display."""
    service = start_secret_service(display)
    service.use(monkeypatch)
    OsKeyring(key_scope("default")).save(AdminKey.parse(ADMIN_KEY))
    service.lock()
    return service


def wait_for_prompt(qtbot: QtBot, service: "SecretService") -> None:
    qtbot.waitUntil(lambda: service.prompter() is not None, timeout=20_000)


def type_password(display: str) -> None:
    """Type into the window with the focus."""
    with keyboard(display) as keys:
        keys.type(PASSWORD)
        keys.press("Return")


@pytest.mark.display
@pytest.mark.secret_service
class TestPrompt:
    def test_window_stays_responsive(self, rig: WindowRig, qtbot: QtBot, locked: "SecretService") -> None:
        with beating() as heart:
            window = rig.start(lambda: OsKeyring(key_scope("default"), timeout=20), wait=False)
            wait_for_prompt(qtbot, locked)
            before = heart.beats
            qtbot.wait(500)
            assert heart.beats - before > 10
            assert heart.longest < 1.0
        window.commands.about.trigger()  # commands work
        locked.dismiss_prompt()

    def test_dismissed(self, rig: WindowRig, qtbot: QtBot, locked: "SecretService") -> None:
        window = rig.start(lambda: OsKeyring(key_scope("default"), timeout=20), wait=False)
        wait_for_prompt(qtbot, locked)
        assert locked.dismiss_prompt()
        qtbot.waitUntil(window.key_page.isVisible, timeout=20_000)
        assert "The keyring is locked" in window.key_page.problem_text
        assert "answer its password prompt" in window.key_page.problem_text

    def test_answered(self, rig: WindowRig, qtbot: QtBot, locked: "SecretService", display: str) -> None:
        window = rig.start(lambda: OsKeyring(key_scope("default"), timeout=30), wait=False)
        wait_for_prompt(qtbot, locked)
        qtbot.wait(500)  # until the prompt takes keys
        type_password(display)
        qtbot.waitUntil(lambda: window.page.model.rowCount() > 5, timeout=20_000)
        assert window.page.status.text.startswith("Complete: 30 days")

    def test_not_answered(self, rig: WindowRig, qtbot: QtBot, locked: "SecretService") -> None:
        window = rig.start(lambda: OsKeyring(key_scope("default"), timeout=1), wait=False)
        wait_for_prompt(qtbot, locked)
        qtbot.waitUntil(window.key_page.isVisible, timeout=20_000)
        assert "The keyring did not answer" in window.key_page.problem_text
        assert "a password prompt may be waiting" in window.key_page.problem_text
        locked.dismiss_prompt()


@pytest.mark.secret_service
def test_keyring_that_hangs(
    rig: WindowRig, qtbot: QtBot, secret_service: "SecretService", monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_service.use(monkeypatch)
    OsKeyring(key_scope("default")).save(AdminKey.parse(ADMIN_KEY))
    keystore = OsKeyring(key_scope("default"), timeout=1)
    secret_service.pause()
    try:
        with beating() as heart:
            window = rig.start(lambda: keystore, wait=False)
            qtbot.waitUntil(window.key_page.isVisible, timeout=20_000)
            assert heart.longest < 0.9
        assert "The keyring did not answer" in window.key_page.problem_text
    finally:
        secret_service.resume()


class LosingBackend(KeyringBackend):
    """Accepts keys and loses them: at once, or when the test clears `stored`."""

    priority = 1

    def __init__(self, *, at_once: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.at_once = at_once
        self.stored: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.stored.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.at_once:
            self.stored[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.stored.pop((service, username), None)


def enter(qtbot: QtBot, window: WindowUnderTest, key: str) -> None:
    field = window.key_page.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    qtbot.keyClicks(field, key)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def test_keyring_that_stores_nothing(rig: WindowRig, qtbot: QtBot) -> None:
    ring = LosingBackend(at_once=True)
    keystore: Callable[[], Keystore] = lambda: OsKeyring(key_scope("default"), backend=ring)  # noqa: E731
    window = rig.start(keystore)
    rig.settle(window, lambda: enter(qtbot, window, ADMIN_KEY))
    assert window.page.model.rowCount() > 5, "the key is in use although it is not stored"
    assert window.page.notes.isVisible()
    assert "The keyring did not keep the key" in window.page.notes.text
    assert "until the window is closed" in window.page.notes.text
    rig.close(window)
    again = rig.start(keystore)
    assert "No admin key" in again.page.banner.accessibleName()
    assert again.page.model.rowCount() > 5, "stored data is shown"


def test_keyring_that_loses_the_key_between_two_starts(rig: WindowRig, qtbot: QtBot) -> None:
    ring = LosingBackend(at_once=False)
    keystore: Callable[[], Keystore] = lambda: OsKeyring(key_scope("default"), backend=ring)  # noqa: E731
    window = rig.start(keystore)
    rig.settle(window, lambda: enter(qtbot, window, ADMIN_KEY))
    assert not window.page.notes.isVisible()
    rig.close(window)
    ring.stored.clear()
    again = rig.start(keystore)
    assert "No admin key" in again.page.banner.accessibleName()
    assert again.page.model.rowCount() > 5
