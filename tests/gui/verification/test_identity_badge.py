"""The mark at the totals."""

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.domain.verification import BrokenIdentities
from usage_viewer.gui.table.table_pane import TablePane
from usage_viewer.gui.verification.identity_badge import IdentityBadge, breach_text


@pytest.fixture
def pane(qtbot: QtBot) -> TablePane:
    shown = TablePane(QLocale("en_US"))
    qtbot.addWidget(shown)
    shown.resize(600, 300)
    with qtbot.waitExposed(shown):
        shown.show()
    return shown


def test_is_there_only_while_something_is_wrong(qtbot: QtBot, pane: TablePane) -> None:
    mark = IdentityBadge(pane.totals)
    mark.setLocale(QLocale("en_US"))
    assert not mark.isVisible()
    mark.show_breaches(BrokenIdentities(1234))
    assert mark.isVisible()
    assert mark.accessibleName() == "1,234 figures aren't the sum of their parts"
    assert _within(pane.totals, mark)
    with qtbot.waitSignal(mark.clicked):
        qtbot.keyClick(mark, Qt.Key.Key_Space)
    mark.show_breaches(BrokenIdentities())
    assert not mark.isVisible()


def test_the_label_makes_room(pane: TablePane) -> None:
    mark = IdentityBadge(pane.totals)
    pane.totals.label = "Total"
    mark.show_breaches(BrokenIdentities(3))
    assert mark.width() > 16
    pane.resize(700, 400)
    assert _within(pane.totals, mark)


def _within(around: QWidget, inside: QWidget) -> bool:
    return around.rect().contains(inside.geometry())


def test_words() -> None:
    english = QLocale("en_GB")
    assert breach_text(BrokenIdentities(1), english) == "1 figure isn't the sum of its parts"
    assert breach_text(BrokenIdentities(2), english) == "2 figures aren't the sum of their parts"
