"""Tests the first start up to the clipboard, with a real keyring, server and database."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from tests.rigs.window import WindowRig
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.table import FigureColumn
from usage_viewer.gui.sources.key_page import KeyPage
from usage_viewer.keystore import Keystore

if TYPE_CHECKING:
    from tests.rigs.secret_service import SecretService


def _field(page: KeyPage) -> QLineEdit:
    return page.findChildren(QLineEdit)[0]


def _enter(qtbot: QtBot, page: KeyPage, text: str) -> None:
    _field(page).clear()
    qtbot.keyClicks(_field(page), text)
    qtbot.keyClick(_field(page), Qt.Key.Key_Return)


def _problem(page: KeyPage) -> str:
    return page.problem_text


@pytest.mark.secret_service
def test_from_the_key_to_the_clipboard(
    rig: WindowRig,
    qtbot: QtBot,
    secret_service: "SecretService",
    system_keystore: Callable[[], Keystore],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret_service.use(monkeypatch)
    window = rig.start(system_keystore)
    page = window.key_page
    assert page.isVisible()
    assert _field(page).hasFocus()
    assert _field(page).echoMode() is QLineEdit.EchoMode.Password
    assert "keyring" in page.place_text.lower()

    _enter(qtbot, page, "sk-proj-0123456789abcdefghijklmn")
    qtbot.waitUntil(lambda: "not an admin key" in _problem(page))
    _enter(qtbot, page, "sk-admin-wrong-wrong-wrong-wrong-wrong")
    qtbot.waitUntil(lambda: "refused" in _problem(page))

    rig.settle(window, lambda: _enter(qtbot, page, ADMIN_KEY))
    assert window.page.isVisible()
    assert window.page.table.usage_model.rowCount() > 5
    assert window.page.status.text.startswith("Complete: 30 days · loaded ")
    assert _field(page).text() == ""

    qtbot.keyClick(window.page.table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    with qtbot.waitSignal(window.copying.done):
        qtbot.keyClick(window.page.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0].split("\t")[:3] == ["Model", "Requests", "Input"]
    assert len(lines) == window.page.table.usage_model.rowCount() + 1
    total = window.page.model.table.by_name["input_tokens"]
    assert isinstance(total, FigureColumn)
    assert sum(int(line.split("\t")[2]) for line in lines[1:]) == total.total

    rig.close(window)
    again = rig.start(system_keystore)
    assert again.page.isVisible()
    assert again.page.model.table.rows == len(lines) - 1


@pytest.mark.secret_service
def test_locked_keyring_is_reported(
    rig: WindowRig,
    secret_service: "SecretService",
    system_keystore: Callable[[], Keystore],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret_service.use(monkeypatch)
    system_keystore().save(_admin_key())
    secret_service.lock()
    window = rig.start(system_keystore)
    assert window.key_page.isVisible()
    assert "locked" in _problem(window.key_page)


def _admin_key() -> AdminKey:
    return AdminKey.parse(ADMIN_KEY)


def test_missing_keyring_is_reported(
    rig: WindowRig, system_keystore: Callable[[], Keystore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
    window = rig.start(system_keystore)
    assert "no keyring" in window.key_page.place_text
    assert window.parts.errors.problem.startswith("There is no admin key. This system has no keyring")


def test_demo_needs_no_key(
    rig: WindowRig, qtbot: QtBot, system_keystore: Callable[[], Keystore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
    window = rig.start(system_keystore)
    demo = next(button for button in window.key_page.findChildren(QPushButton) if "demo" in button.text())
    rig.settle(window, lambda: qtbot.mouseClick(demo, Qt.MouseButton.LeftButton))
    assert window.page.table.usage_model.rowCount() > 5
    assert "demo" in window.windowTitle()
    assert not ProfilePaths(rig.data_dir, "demo").directory.exists()
    window.commands.demo.trigger()
    qtbot.waitUntil(window.key_page.isVisible)


def test_unreachable_server_is_reported_on_the_key_page(
    rig: WindowRig, qtbot: QtBot, system_keystore: Callable[[], Keystore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
    window = rig.start(system_keystore)
    rig.server.__exit__(None, None, None)
    _enter(qtbot, window.key_page, ADMIN_KEY)
    qtbot.waitUntil(lambda: "connection" in _problem(window.key_page).lower(), timeout=20_000)


def test_view_is_restored_at_the_next_start(rig: WindowRig) -> None:
    window = rig.start()
    view = window.workspace.view.toggled("project_id").with_columns(["output_tokens", "num_model_requests"])
    rig.settle(window, lambda: window.workspace.show_view(view.with_order(())))
    window.page.table.header.set_widths({"output_tokens": 222})
    window.commands.abbreviated.setChecked(True)
    shown = window.workspace.view
    rig.close(window)
    stored = json.loads(ProfilePaths(rig.data_dir).settings.read_text())
    assert ADMIN_KEY not in json.dumps(stored)
    again = rig.start()
    assert again.workspace.view == shown
    assert again.page.model.table.by_name.keys() == {
        "model",
        "project_id",
        "output_tokens",
        "num_model_requests",
    }
    assert again.commands.abbreviated.isChecked()


HOLDER = """
import sys
from pathlib import Path
from usage_viewer.store import Store
store = Store.open(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
store.close()
"""


def test_database_in_use_is_reported_and_can_be_retried(rig: WindowRig) -> None:
    database = ProfilePaths(rig.data_dir).database
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        window = rig.start(wait=False)
        rig.qtbot.waitUntil(window.page.banner.isVisible)
        assert window.page.banner.error is not None
        assert "in use" in window.page.banner.error.title
        holder.communicate("", timeout=10)
    retry = next(b for b in window.page.banner.findChildren(QPushButton) if "Re&try" in b.text())
    rig.settle(window, retry.click)
    assert window.page.model.table.rows
