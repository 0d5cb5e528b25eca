"""A keyring that asks, hangs, or loses what it was given: the window goes on, and says what is going on."""

import ctypes
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest
from keyring.backend import KeyringBackend
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.gui.window.main_window import MainWindow
from usage_viewer.keystore import Keystore, OsKeyring

if TYPE_CHECKING:
    from tests.rigs.secret_service import SecretService
    from tests.rigs.window import Desk

PASSWORD: Final = "a password for the tests"
RETURN: Final = 0xFF0D

Start = Callable[[str | None], "SecretService"]


class Heart:
    """Beats in the GUI thread every 10 ms; remembers its longest pause."""

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
def beating() -> Iterator[Heart]:
    heart = Heart()
    yield heart
    heart.stop()


@pytest.fixture
def locked(
    desk: "Desk", start_secret_service: Start, display: str, monkeypatch: pytest.MonkeyPatch
) -> "SecretService":
    """A keyring that has the key, is locked, and can ask for its password on a display."""
    service = start_secret_service(display)
    service.use(monkeypatch)
    OsKeyring("default").save(AdminKey.parse(ADMIN_KEY))
    service.lock()
    return service


def wait_for_prompt(qtbot: QtBot, service: "SecretService") -> None:
    qtbot.waitUntil(lambda: service.prompter() is not None, timeout=20_000)


def type_password(display: str) -> None:
    """As a keyboard does, through the X server's own extension for that."""
    x11, xtst = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XKeysymToKeycode.argtypes = [ctypes.c_void_p, ctypes.c_ulong]
    x11.XSync.argtypes = [ctypes.c_void_p, ctypes.c_int]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    xtst.XTestFakeKeyEvent.argtypes = [ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_ulong]
    connection = x11.XOpenDisplay(display.encode())
    assert connection
    for sign in [*map(ord, PASSWORD), RETURN]:
        code = x11.XKeysymToKeycode(connection, sign)
        for pressed in (1, 0):
            xtst.XTestFakeKeyEvent(connection, code, pressed, 0)
        x11.XSync(connection, 0)
    x11.XCloseDisplay(connection)


@pytest.mark.display
@pytest.mark.secret_service
class TestPrompt:
    def test_the_window_goes_on_while_it_waits(self, desk: "Desk", qtbot: QtBot, locked: "SecretService") -> None:
        with beating() as heart:
            window = desk.start(lambda: OsKeyring("default", timeout=20), wait=False)
            wait_for_prompt(qtbot, locked)
            before = heart.beats
            qtbot.wait(500)
            assert heart.beats - before > 10
            assert heart.longest < 1.0
        window.actions_.about.trigger()  # commands work
        locked.dismiss_prompt()

    def test_dismissed(self, desk: "Desk", qtbot: QtBot, locked: "SecretService") -> None:
        window = desk.start(lambda: OsKeyring("default", timeout=20), wait=False)
        wait_for_prompt(qtbot, locked)
        assert locked.dismiss_prompt()
        qtbot.waitUntil(window.key_page.isVisible, timeout=20_000)
        assert "The keyring is locked" in window.key_page.problem_text
        assert "answer its password prompt" in window.key_page.problem_text

    def test_answered(self, desk: "Desk", qtbot: QtBot, locked: "SecretService", display: str) -> None:
        window = desk.start(lambda: OsKeyring("default", timeout=30), wait=False)
        wait_for_prompt(qtbot, locked)
        qtbot.wait(500)  # until its window listens to the keyboard
        type_password(display)
        qtbot.waitUntil(lambda: window.page.model.rowCount() > 5, timeout=20_000)
        assert window.page.status.text.startswith("30 of 30 days")

    def test_not_answered(self, desk: "Desk", qtbot: QtBot, locked: "SecretService") -> None:
        window = desk.start(lambda: OsKeyring("default", timeout=1), wait=False)
        wait_for_prompt(qtbot, locked)
        qtbot.waitUntil(window.key_page.isVisible, timeout=20_000)
        assert "The keyring did not answer" in window.key_page.problem_text
        assert "a password prompt may be waiting" in window.key_page.problem_text
        locked.dismiss_prompt()


@pytest.mark.secret_service
def test_a_keyring_that_hangs(
    desk: "Desk", qtbot: QtBot, secret_service: "SecretService", monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_service.use(monkeypatch)
    OsKeyring("default").save(AdminKey.parse(ADMIN_KEY))
    keystore = OsKeyring("default", timeout=1)
    secret_service.pause()
    try:
        with beating() as heart:
            window = desk.start(lambda: keystore, wait=False)
            qtbot.waitUntil(window.key_page.isVisible, timeout=20_000)
            assert heart.longest < 0.9
        assert "The keyring did not answer" in window.key_page.problem_text
    finally:
        secret_service.resume()


class Losing(KeyringBackend):
    """Takes what it is given and, once it is told to, no longer has it."""

    priority = 1

    def __init__(self, *, at_once: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.at_once = at_once
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.at_once:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.kept.pop((service, username), None)


def enter(qtbot: QtBot, window: MainWindow, key: str) -> None:
    field = window.key_page.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    qtbot.keyClicks(field, key)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def test_a_keyring_that_keeps_nothing(desk: "Desk", qtbot: QtBot) -> None:
    ring = Losing(at_once=True)
    keystore: Callable[[], Keystore] = lambda: OsKeyring("default", backend=ring)  # noqa: E731
    window = desk.start(keystore)
    desk.settle(window, lambda: enter(qtbot, window, ADMIN_KEY))
    assert window.page.model.rowCount() > 5, "the key is of use all the same"
    assert window.page.notes.isVisible()
    assert "The keyring did not keep the key" in window.page.notes.text
    assert "until the window is closed" in window.page.notes.text
    desk.close(window)
    again = desk.start(keystore)
    assert "no key" in again.page.banner.accessibleName()
    assert again.page.model.rowCount() > 5, "what is held is shown"


def test_a_keyring_that_loses_it_between_two_starts(desk: "Desk", qtbot: QtBot) -> None:
    ring = Losing(at_once=False)
    keystore: Callable[[], Keystore] = lambda: OsKeyring("default", backend=ring)  # noqa: E731
    window = desk.start(keystore)
    desk.settle(window, lambda: enter(qtbot, window, ADMIN_KEY))
    assert not window.page.notes.isVisible()
    desk.close(window)
    ring.kept.clear()
    again = desk.start(keystore)
    assert "There is no key yet" in again.page.banner.accessibleName()
    assert again.page.model.rowCount() > 5
