"""Tests what the page shows while a key is typed and checked."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import KeyRefused, NotAnAdminKey
from usage_viewer.gui.sources.key_page import KeyPage

GOOD = "sk-admin-0123456789abcdefghij"
SERVER = "https://api.openai.com"


@pytest.fixture
def page(qtbot: QtBot) -> KeyPage:
    page = KeyPage()
    qtbot.addWidget(page)
    page.show()
    return page


@pytest.fixture
def entered(page: KeyPage) -> list[AdminKey]:
    keys: list[AdminKey] = []
    page.key_entered.connect(keys.append)
    return keys


def _field(page: KeyPage) -> QLineEdit:
    return page.findChildren(QLineEdit)[0]


def _button(page: KeyPage, text: str) -> QPushButton:
    return next(one for one in page.findChildren(QPushButton) if one.text() == text)


def test_pasted_key_of_the_wrong_kind_is_reported_at_once(page: KeyPage, qtbot: QtBot) -> None:
    qtbot.keyClicks(_field(page), "sk-proj-0123456789abcdefghijkl")
    assert "doesn't look like an admin key" in page.problem_text
    _field(page).clear()
    qtbot.keyClicks(_field(page), GOOD)
    assert page.problem_text == ""


@pytest.mark.parametrize("garbage", ["", "   ", "two words here", "schlüssel-schlüssel-schlüssel", "a\u202eb"])
def test_malformed_key_is_refused(page: KeyPage, entered: list[AdminKey], qtbot: QtBot, garbage: str) -> None:
    _field(page).setText(garbage)
    qtbot.mouseClick(_button(page, "&Connect"), Qt.MouseButton.LeftButton)
    assert not entered
    assert page.problem_text
    assert garbage.strip() == "" or garbage not in page.problem_text


def test_spaces_around_a_pasted_key_are_ignored(page: KeyPage, entered: list[AdminKey], qtbot: QtBot) -> None:
    _field(page).setText(f"  {GOOD}\n")
    qtbot.keyClick(_field(page), Qt.Key.Key_Return)
    assert entered == [AdminKey.parse(GOOD)]


def test_key_is_emitted_once_while_it_is_checked(page: KeyPage, entered: list[AdminKey], qtbot: QtBot) -> None:
    page.key_entered.connect(lambda key: page.show_checking())
    _field(page).setText(GOOD)
    qtbot.keyClick(_field(page), Qt.Key.Key_Return)
    qtbot.keyClick(_field(page), Qt.Key.Key_Return)
    assert len(entered) == 1
    assert not _button(page, "&Connect").isEnabled()
    assert "Checking" in page.problem_text
    page.show_error(KeyRefused("Incorrect API key provided."))
    assert _button(page, "&Connect").isEnabled()
    assert _field(page).text() == GOOD  # for correction
    assert _field(page).selectedText()
    assert "Incorrect API key" in page.problem_text


def test_server_message_about_a_wrong_kind_of_key_is_hidden(page: KeyPage) -> None:
    page.show_error(NotAnAdminKey("Missing scopes: api.usage.read"))
    assert "scopes" not in page.problem_text
    assert "sk-admin-" in page.problem_text


def test_back_and_escape_work_only_if_there_is_a_page_to_go_back_to(page: KeyPage, qtbot: QtBot) -> None:
    left: list[bool] = []
    page.cancelled.connect(lambda: left.append(True))
    back = _button(page, "&Back")
    assert not back.isVisible()
    qtbot.keyClick(_field(page), Qt.Key.Key_Escape)
    assert left == []
    page.set_request("", SERVER, can_go_back=True)
    qtbot.mouseClick(back, Qt.MouseButton.LeftButton)
    qtbot.keyClick(_field(page), Qt.Key.Key_Escape)
    assert left == [True, True]


def test_page_names_the_organization_the_server_and_the_replaced_key(page: KeyPage) -> None:
    page.set_request("", SERVER, can_go_back=False)
    assert page.title == "Connect your organization"
    assert page.use_text == f"The key is sent to {SERVER} only."
    page.set_request("Acme\u202e", SERVER, AdminKey.parse(GOOD).masked, can_go_back=True)
    assert page.title.startswith("Change admin key of Acme")
    assert "\u202e" not in page.title
    assert page.use_text == f"The new key replaces sk-admin-…. The key is sent to {SERVER} only."


def test_key_page_renders_no_markup(page: KeyPage) -> None:
    page.set_place("<b>bold</b>")
    page.show_error(KeyRefused("<img src=x>"))
    assert all(label.textFormat() is Qt.TextFormat.PlainText for label in page.findChildren(QLabel))
