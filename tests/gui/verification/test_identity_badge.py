"""Tests the badge in the totals row."""

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.domain.verification import BrokenIdentities
from usage_viewer.gui.table.table_pane import TablePane
from usage_viewer.gui.verification.identity_badge import IdentityBadge, broken_identities_text


@pytest.fixture
def pane(qtbot: QtBot) -> TablePane:
    shown = TablePane(QLocale("en_US"))
    qtbot.addWidget(shown)
    shown.resize(600, 300)
    with qtbot.waitExposed(shown):
        shown.show()
    return shown


def test_badge_is_visible_only_with_broken_identities(qtbot: QtBot, pane: TablePane) -> None:
    badge = IdentityBadge(pane.totals)
    badge.setLocale(QLocale("en_US"))
    assert not badge.isVisible()
    badge.show_broken_identities(BrokenIdentities(1234))
    assert badge.isVisible()
    assert badge.accessibleName() == "Parts don't add up to the total in 1,234 figures"
    assert _within(pane.totals, badge)
    with qtbot.waitSignal(badge.clicked):
        qtbot.keyClick(badge, Qt.Key.Key_Space)
    badge.show_broken_identities(BrokenIdentities())
    assert not badge.isVisible()


def test_badge_lies_within_resized_totals_row(pane: TablePane) -> None:
    badge = IdentityBadge(pane.totals)
    pane.totals.label = "Total"
    badge.show_broken_identities(BrokenIdentities(3))
    assert badge.width() > 16
    pane.resize(700, 400)
    assert _within(pane.totals, badge)


def _within(around: QWidget, inside: QWidget) -> bool:
    return around.rect().contains(inside.geometry())


def test_text_is_singular_or_plural() -> None:
    english = QLocale("en_GB")
    assert broken_identities_text(BrokenIdentities(1), english) == "Parts don't add up to the total in 1 figure"
    assert broken_identities_text(BrokenIdentities(2), english) == "Parts don't add up to the total in 2 figures"
