"""The seal: its words, what it explains, what a click asks for."""

from decimal import Decimal

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.verification import Bucket, Completeness, Difference, Verdict
from usage_viewer.gui.verification.verification_badge import (
    VerificationBadge,
    VerificationPopup,
    difference_lines,
    explained,
    headline,
)
from usage_viewer.gui.verification.verifier import VerificationState

ENGLISH = QLocale("en_GB")
DAY = 86400
T0 = 1_793_491_200  # Sunday, 2026-11-01 00:00 UTC
COMPLETIONS = DATASETS["completions"]


def bucket(number: int = 0) -> Bucket:
    return Bucket(T0 + number * DAY, BucketWidth.DAY)


def differing(*numbers: int) -> Completeness:
    found = tuple(Difference(bucket(number), "input_tokens", 1000, 2234) for number in numbers)
    return Completeness(Verdict.DIFFERS, T0, 30, found)


PROVEN = VerificationState(Completeness(Verdict.VERIFIED, T0, 30), can_ask=True)
DIFFERS = VerificationState(differing(0, 2), can_ask=True)
UNASKED = VerificationState(can_ask=True, calls=3)


@pytest.fixture
def seal(qtbot: QtBot) -> VerificationBadge:
    shown = VerificationBadge()
    shown.setLocale(ENGLISH)
    qtbot.addWidget(shown)
    with qtbot.waitExposed(shown):
        shown.show()
    return shown


@pytest.mark.parametrize(
    ("standing", "word", "enabled"),
    [
        (VerificationState(), "Not yet checked", False),
        (UNASKED, "Not yet checked", True),
        (VerificationState(checking=True), "Checking…", True),
        (VerificationState(DIFFERS.completeness, checking=True), "Checking…", True),
        (PROVEN, "Proven", True),
        (DIFFERS, "Differs", True),
        (VerificationState(DIFFERS.completeness), "Differs", True),
    ],
)
def test_says_how_it_stands(seal: VerificationBadge, standing: VerificationState, word: str, enabled: bool) -> None:
    seal.show_standing(standing)
    assert seal.text() == word
    assert seal.isEnabled() is enabled
    assert seal.accessibleName().startswith(f"{word}. ")
    assert not seal.icon().isNull()


def test_each_verdict_looks_different(seal: VerificationBadge) -> None:
    pictures = []
    for standing in (UNASKED, PROVEN, DIFFERS):
        seal.show_standing(standing)
        pictures.append(seal.icon().pixmap(16).toImage())
    assert pictures[0] != pictures[1]
    assert pictures[1] != pictures[2]
    assert pictures[0] != pictures[2]


class TestClick:
    def test_checks_what_was_not_checked(self, qtbot: QtBot, seal: VerificationBadge) -> None:
        seal.show_standing(UNASKED)
        with qtbot.waitSignal(seal.check_requested):
            qtbot.mouseClick(seal, Qt.MouseButton.LeftButton)

    def test_works_by_key(self, qtbot: QtBot, seal: VerificationBadge) -> None:
        seal.show_standing(UNASKED)
        seal.setFocus()
        with qtbot.waitSignal(seal.check_requested):
            qtbot.keyClick(seal, Qt.Key.Key_Space)

    def test_waits_while_it_is_checking(self, qtbot: QtBot, seal: VerificationBadge) -> None:
        seal.show_standing(VerificationState(checking=True))
        with qtbot.assertNotEmitted(seal.check_requested):
            qtbot.mouseClick(seal, Qt.MouseButton.LeftButton)

    def test_opens_what_is_known(self, qtbot: QtBot, seal: VerificationBadge) -> None:
        seal.show_standing(PROVEN)
        with qtbot.assertNotEmitted(seal.check_requested):
            qtbot.mouseClick(seal, Qt.MouseButton.LeftButton)
        (popup,) = seal.findChildren(VerificationPopup)
        assert popup.isVisible()
        with qtbot.waitSignal(seal.check_requested):
            qtbot.mouseClick(popup.check, Qt.MouseButton.LeftButton)
        assert not popup.isVisible()

    def test_fetches_again_what_differs(self, qtbot: QtBot, seal: VerificationBadge) -> None:
        seal.show_standing(DIFFERS)
        popup = seal.popup()
        popup.open_under(seal)
        with qtbot.waitSignal(seal.refetch_requested) as asked:
            qtbot.keyClick(popup.refetch, Qt.Key.Key_Return)
        assert asked.args == [(bucket(0), bucket(2))]

    def test_lists_all(self, qtbot: QtBot, seal: VerificationBadge) -> None:
        seal.show_standing(DIFFERS)
        popup = seal.popup()
        popup.open_under(seal)
        with qtbot.waitSignal(seal.list_requested):
            qtbot.mouseClick(popup.all, Qt.MouseButton.LeftButton)

    def test_asks_nothing_without_a_key(self, seal: VerificationBadge) -> None:
        seal.show_standing(VerificationState(DIFFERS.completeness))
        popup = seal.popup()
        assert not popup.refetch.isEnabled()
        assert not popup.check.isEnabled()
        assert popup.all.isEnabled()
        assert {button.text() for button in popup.findChildren(QPushButton)} == {
            "&Refetch those",
            "&List all…",
            "Check &again",
        }
        popup.close()


class TestWords:
    def test_by_how_much_each_bucket_differs(self) -> None:
        found = (
            Difference(bucket(), "num_model_requests", 5, 4),
            Difference(bucket(), "input_tokens", 1000, 2234),
            Difference(bucket(1), "input_tokens", 0, 1),
        )
        assert difference_lines(found, COMPLETIONS, ENGLISH) == [
            "Sun, 1 Nov 2026: Requests 1 too much; Input 1,234 too little",
            "Mon, 2 Nov 2026: Input 1 too little",
        ]

    def test_money_has_its_currency(self) -> None:
        found = (Difference(bucket(), "amount", Decimal("0.5"), Decimal("0.503"), "usd"),)
        (line,) = difference_lines(found, DATASETS["costs"], ENGLISH)
        assert line == "Sun, 1 Nov 2026: Amount 0.003 usd too little"

    def test_many_are_counted(self) -> None:
        lines = difference_lines(differing(*range(20)).differences, COMPLETIONS, ENGLISH)
        assert len(lines) == 7
        assert lines[-1] == "and 14 more"

    def test_headlines(self) -> None:
        assert headline(differing(1), ENGLISH) == "1 of 30 days differs from what the server tells"
        assert headline(differing(1, 2), ENGLISH) == "2 of 30 days differ from what the server tells"
        assert headline(PROVEN.completeness, ENGLISH) == "All of it is there"

    def test_what_grew_meanwhile_is_said(self) -> None:
        standing = VerificationState(Completeness(Verdict.VERIFIED, T0, 30, (), (bucket(),)))
        text = explained(standing, COMPLETIONS, ENGLISH)
        assert "30 buckets" in text
        assert "Still growing while it was checked" in text
        assert "Sun, 1 Nov 2026" in text

    def test_why_it_is_not_checked(self) -> None:
        assert "(3 calls)" in explained(UNASKED, COMPLETIONS, ENGLISH)
        assert "once all of it is held" in explained(VerificationState(), COMPLETIONS, ENGLISH)
        failed = VerificationState(can_ask=True, problem="The server failed")
        assert explained(failed, COMPLETIONS, ENGLISH).startswith("The last check failed: The server failed.")
