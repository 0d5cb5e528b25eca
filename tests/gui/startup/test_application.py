"""The end of the line for exceptions: said in the window, logged, and the window goes on."""

import logging
import sys
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.gui.startup.application import ExceptHook


@pytest.fixture
def hook() -> Iterator[ExceptHook]:
    before = sys.excepthook
    yield ExceptHook()
    sys.excepthook = before


def test_an_exception_that_nobody_caught_is_said(
    hook: ExceptHook, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[UsageViewerError] = []
    hook.raised.connect(said.append)
    ours = sys.excepthook

    def fail() -> None:
        raise ZeroDivisionError("oh")

    with qtbot.captureExceptions():
        # Within a test, exceptions in slots are pytest-qt's: ours is called as outside of one.
        sys.excepthook = ours
        with caplog.at_level(logging.ERROR), qtbot.waitSignal(hook.raised):
            QTimer.singleShot(0, hook, fail)
    assert "ZeroDivisionError: oh" in said[0].detail
    assert "goes on" in said[0].hint
    assert "fail" in caplog.text  # with its traceback
