"""Tests that an uncaught exception is logged and reported."""

import logging
import sys
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.gui.startup.exception_hook import ExceptionHook


@pytest.fixture
def hook() -> Iterator[ExceptionHook]:
    before = sys.excepthook
    yield ExceptionHook()
    sys.excepthook = before


def test_uncaught_exception_is_reported_and_logged(
    hook: ExceptionHook, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    errors: list[UsageViewerError] = []
    hook.raised.connect(errors.append)
    installed = sys.excepthook

    def fail() -> None:
        raise ZeroDivisionError("oh")

    with qtbot.captureExceptions():
        # pytest-qt takes exceptions of slots within a test; outside of one the installed hook gets them.
        sys.excepthook = installed
        with caplog.at_level(logging.ERROR), qtbot.waitSignal(hook.raised):
            QTimer.singleShot(0, hook, fail)
    assert "ZeroDivisionError: oh" in errors[0].detail
    assert "stays usable" in errors[0].hint
    assert "fail" in caplog.text  # with its traceback
