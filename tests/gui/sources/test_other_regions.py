"""Tests an organization that is served from another region: one button sets the server."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton

from tests.rigs.window import User, WindowRig
from usage_viewer.demo.server.faults import Fault
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.keystore import MemoryKeystore

BODY = b'{"error": {"message": "Please make your request to eu.api.openai.com.", "code": "incorrect_hostname"}}'


def test_one_button_sets_the_server(rig: WindowRig, user: User) -> None:
    key = AdminKey.parse(rig.server.key)
    rig.others["default"] = lambda label: rig.profile(lambda: MemoryKeystore(key))
    rig.server.faults = lambda request: Fault(status=401, body=BODY)
    window = rig.start()
    assert window.page.banner.title == "This organization is served from eu.api.openai.com"
    rig.server.faults = None
    rig.settle(window, lambda: user.click(user.button("Use eu.api.openai.com", window.page.banner)))
    (organization,) = window.organizations.listed
    assert organization.base_url == "https://eu.api.openai.com/v1"
    assert window.page.model.table.rows
    assert window.error is None


@pytest.mark.parametrize("has_data", [False, True])
def test_button_of_the_key_page_sets_the_server_and_checks_the_typed_key_there(
    rig: WindowRig, user: User, has_data: bool
) -> None:
    stored = MemoryKeystore(AdminKey.parse(rig.server.key) if has_data else None)
    moved = MemoryKeystore()
    rig.others["default"] = lambda label: rig.profile(lambda: moved)
    window = rig.start(lambda: stored)
    if has_data:
        window.commands.replace_key.trigger()
    field = window.key_page.findChildren(QLineEdit)[0]
    field.setFocus()
    rig.server.faults = lambda request: Fault(status=401, body=BODY)
    user.type(rig.server.key)
    rig.settle(window, lambda: user.key(Qt.Key.Key_Return))
    assert "served from eu.api.openai.com" in window.key_page.problem_text
    assert moved.load() is None
    rig.server.faults = None
    rig.settle(window, lambda: user.click(user.button("Use eu.api.openai.com", window.key_page)))
    (organization,) = window.organizations.listed
    assert organization.base_url == "https://eu.api.openai.com/v1"
    key = moved.load()
    assert key is not None
    assert key.reveal() == rig.server.key
    assert window.page.model.table.rows
    assert window.error is None
    assert field.text() == ""
    if not has_data:
        assert stored.load() is None


def test_editing_the_key_takes_the_button_back(rig: WindowRig, user: User) -> None:
    window = rig.start(MemoryKeystore)
    rig.server.faults = lambda request: Fault(status=401, body=BODY)
    user.type(rig.server.key)
    rig.settle(window, lambda: user.key(Qt.Key.Key_Return))
    assert user.button("Use eu.api.openai.com", window.key_page).isVisible()
    user.type("x")
    assert not any(
        button.isVisible() and "eu.api" in button.text() for button in window.key_page.findChildren(QPushButton)
    )
