"""Tests the verification badge: its texts, its popup, and the requests of its buttons."""

import html
from dataclasses import replace
from decimal import Decimal

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.verification import Bucket, Completeness, Difference, Verdict
from usage_viewer.gui.formatting.moments import full_moment_text, moment_text
from usage_viewer.gui.verification.verification_badge import (
    VerificationBadge,
    VerificationPopup,
    difference_lines,
    headline,
    state_text,
)
from usage_viewer.gui.verification.verifier import VerificationState

ENGLISH = QLocale("en_GB")
DAY = 86400
T0 = 1_793_491_200  # Sunday, 2026-11-01 00:00 UTC
COMPLETIONS = DATASETS["completions"]


def bucket(number: int = 0) -> Bucket:
    return Bucket(T0 + number * DAY, BucketWidth.DAY)


def differing(*numbers: int) -> Completeness:
    differences = tuple(Difference(bucket(number), "input_tokens", 1000, 2234) for number in numbers)
    return Completeness(Verdict.DIFFERS, T0, 30, differences)


VERIFIED = VerificationState(Completeness(Verdict.VERIFIED, T0, 30), can_verify=True, extent="30 days")
DIFFERS = VerificationState(differing(0, 2), can_verify=True)
NOT_VERIFIED = VerificationState(can_verify=True, requests=3)


@pytest.fixture
def badge(qtbot: QtBot) -> VerificationBadge:
    badge = VerificationBadge()
    badge.setLocale(ENGLISH)
    qtbot.addWidget(badge)
    with qtbot.waitExposed(badge):
        badge.show()
    return badge


@pytest.mark.parametrize(
    ("state", "text", "enabled"),
    [
        (VerificationState(), "Not verified yet", False),
        (NOT_VERIFIED, "Not verified yet", True),
        (VerificationState(verifying=True), "Verifying…", True),
        (VerificationState(DIFFERS.completeness, verifying=True), "Verifying…", True),
        (VERIFIED, f"Verified {moment_text(T0, ENGLISH)}", True),
        (DIFFERS, "Totals differ", True),
        (VerificationState(DIFFERS.completeness), "Totals differ", True),
    ],
)
def test_badge_shows_state(badge: VerificationBadge, state: VerificationState, text: str, enabled: bool) -> None:
    badge.show_state(state)
    assert badge.text() == text
    assert badge.isEnabled() is enabled
    assert badge.accessibleName() == text
    assert badge.accessibleDescription() in html.unescape(badge.toolTip()).replace("<br>", "\n")
    assert not badge.icon().isNull()


def test_each_verdict_has_its_own_icon(badge: VerificationBadge) -> None:
    pictures = []
    for state in (NOT_VERIFIED, VERIFIED, DIFFERS):
        badge.show_state(state)
        pictures.append(badge.icon().pixmap(16).toImage())
    assert pictures[0] != pictures[1]
    assert pictures[1] != pictures[2]
    assert pictures[0] != pictures[2]


class TestClick:
    def test_click_verifies_if_not_verified_yet(self, qtbot: QtBot, badge: VerificationBadge) -> None:
        badge.show_state(NOT_VERIFIED)
        with qtbot.waitSignal(badge.verify_requested):
            qtbot.mouseClick(badge, Qt.MouseButton.LeftButton)

    def test_space_key_verifies(self, qtbot: QtBot, badge: VerificationBadge) -> None:
        badge.show_state(NOT_VERIFIED)
        badge.setFocus()
        with qtbot.waitSignal(badge.verify_requested):
            qtbot.keyClick(badge, Qt.Key.Key_Space)

    def test_click_does_nothing_during_verification(self, qtbot: QtBot, badge: VerificationBadge) -> None:
        badge.show_state(VerificationState(verifying=True))
        with qtbot.assertNotEmitted(badge.verify_requested):
            qtbot.mouseClick(badge, Qt.MouseButton.LeftButton)

    def test_click_opens_popup_with_result(self, qtbot: QtBot, badge: VerificationBadge) -> None:
        badge.show_state(VERIFIED)
        with qtbot.assertNotEmitted(badge.verify_requested):
            qtbot.mouseClick(badge, Qt.MouseButton.LeftButton)
        (popup,) = badge.findChildren(VerificationPopup)
        assert popup.isVisible()
        with qtbot.waitSignal(badge.verify_requested):
            qtbot.mouseClick(popup.verify_button, Qt.MouseButton.LeftButton)
        assert not popup.isVisible()

    def test_popup_requests_download_of_differing_buckets(self, qtbot: QtBot, badge: VerificationBadge) -> None:
        badge.show_state(DIFFERS)
        popup = badge.create_popup()
        popup.open_under(badge)
        with qtbot.waitSignal(badge.refetch_requested) as signal:
            qtbot.keyClick(popup.refetch_button, Qt.Key.Key_Return)
        assert signal.args == [(bucket(0), bucket(2))]

    def test_popup_requests_list_of_differences(self, qtbot: QtBot, badge: VerificationBadge) -> None:
        badge.show_state(DIFFERS)
        popup = badge.create_popup()
        popup.open_under(badge)
        with qtbot.waitSignal(badge.differences_requested):
            qtbot.mouseClick(popup.differences_button, Qt.MouseButton.LeftButton)

    def test_popup_without_key_only_lists_differences(self, badge: VerificationBadge) -> None:
        badge.show_state(VerificationState(DIFFERS.completeness))
        popup = badge.create_popup()
        assert not popup.refetch_button.isEnabled()
        assert not popup.verify_button.isEnabled()
        assert popup.differences_button.isEnabled()
        assert {button.text() for button in popup.findChildren(QPushButton)} == {
            "&Download again",
            "&Show differences…",
            "&Verify again",
        }
        popup.close()


class TestTexts:
    def test_difference_line_of_each_bucket(self) -> None:
        differences = (
            Difference(bucket(), "num_model_requests", 5, 4),
            Difference(bucket(), "input_tokens", 1000, 2234),
            Difference(bucket(1), "input_tokens", 0, 1),
        )
        assert difference_lines(differences, COMPLETIONS, ENGLISH) == [
            "Sun, 1 Nov 2026: Requests 1 too high; Input 1,234 too low",
            "Mon, 2 Nov 2026: Input 1 too low",
        ]

    def test_money_has_its_currency(self) -> None:
        differences = (Difference(bucket(), "amount", Decimal("0.5"), Decimal("0.503"), "usd"),)
        (line,) = difference_lines(differences, DATASETS["costs"], ENGLISH)
        assert line == "Sun, 1 Nov 2026: Amount 0.003 USD too low"

    def test_difference_lines_are_limited_and_rest_is_counted(self) -> None:
        lines = difference_lines(differing(*range(20)).differences, COMPLETIONS, ENGLISH)
        assert len(lines) == 7
        assert lines[-1] == "and 14 more"

    def test_headline_counts_differing_buckets(self) -> None:
        one, two = (VerificationState(differing(*days), extent="30 days") for days in ((1,), (1, 2)))
        assert headline(one, ENGLISH) == "1 of 30 days differs from the totals that OpenAI reports"
        assert headline(two, ENGLISH) == "2 of 30 days differ from the totals that OpenAI reports"
        minute = Difference(Bucket(T0, BucketWidth.MINUTE), "input_tokens", 1, 2)
        minutes = VerificationState(Completeness(Verdict.DIFFERS, T0, 43_200, (minute,)), extent="30 days")
        assert headline(minutes, ENGLISH) == "1 minute differs from the totals that OpenAI reports"
        assert headline(VERIFIED, ENGLISH) == "All totals match"

    def test_text_lists_buckets_that_grew_during_verification(self) -> None:
        state = VerificationState(Completeness(Verdict.VERIFIED, T0, 30, (), (bucket(),)), extent="30 days")
        text = state_text(state, COMPLETIONS, ENGLISH)
        assert "Totals of all 30 days match the totals that OpenAI reports" in text
        assert f"Verified {full_moment_text(T0, ENGLISH)}. Invoices are not part of this comparison." in text
        assert "Usage came in during the verification" in text
        assert "Sun, 1 Nov 2026" in text

    @pytest.mark.parametrize(
        ("extent", "start"),
        [("1 day", "Totals of 1 day match"), ("30 days", "Totals of all 30 days match")],
    )
    def test_text_counts_days(self, extent: str, start: str) -> None:
        state = VerificationState(Completeness(Verdict.VERIFIED, T0, 43_200), extent=extent)
        assert state_text(state, COMPLETIONS, ENGLISH).startswith(start)

    def test_text_explains_why_totals_are_not_verified(self) -> None:
        assert "(3 requests)" in state_text(NOT_VERIFIED, COMPLETIONS, ENGLISH)
        assert "when all data of this range is downloaded" in state_text(VerificationState(), COMPLETIONS, ENGLISH)
        failed = VerificationState(can_verify=True, error_title="The server failed")
        text = state_text(failed, COMPLETIONS, ENGLISH)
        assert text.startswith("The last verification failed: The server failed.")

    def test_snapshot_says_whether_it_was_verified_and_offers_no_request(self, badge: VerificationBadge) -> None:
        badge.show_state(VerificationState(extent="30 days", has_server=False))
        assert (badge.text(), badge.isEnabled()) == ("Not verified", False)
        assert "not verified when the snapshot was saved" in badge.accessibleDescription()
        badge.show_state(replace(VERIFIED, can_verify=False, has_server=False))
        assert badge.text().startswith("Verified ")
        popup = badge.create_popup()
        assert [b.text() for b in popup.findChildren(QPushButton) if b.isVisibleTo(popup)] == []

    def test_partly_compared_totals_are_not_called_verified(self, badge: VerificationBadge) -> None:
        badge.show_state(VerificationState(Completeness(buckets=30, pending=3), can_verify=True, extent="30 days"))
        assert badge.text() == "Partly verified"
        assert "loaded after the last verification" in badge.accessibleDescription()
        badge.show_state(VerificationState(Completeness(buckets=30, pending=30), can_verify=True, extent="30 days"))
        assert badge.text() == "Not verified yet"
