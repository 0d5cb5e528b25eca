"""The window reports a demo whose server can't start, or ends, and opens it again."""

import dataclasses
import sys
import time
from pathlib import Path

import pytest

from tests.rigs.load import slowdown
from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.__main__ import Demo, open_demo
from usage_viewer.domain.network_errors import DemoFailed


@pytest.fixture
def demos() -> list[Demo]:
    """The demos that the window has opened."""
    return []


@pytest.fixture
def window(rig: WindowRig, demos: list[Demo]) -> WindowUnderTest:
    """A window whose demo runs in a process of its own."""

    def open_one() -> Demo:
        demos.append(open_demo())
        return demos[-1]

    return rig.open(dataclasses.replace(rig.context(), open_demo=open_one))


def _failure(window: WindowUnderTest) -> DemoFailed:
    assert isinstance(window.error, DemoFailed)
    return window.error


def test_demo_that_can_not_start_is_reported(
    rig: WindowRig, user: User, window: WindowUnderTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(tmp_path / "no-such-program"))
        begun = time.monotonic()
        rig.settle(window, window.commands.demo.trigger)
        assert time.monotonic() - begun < 5 * slowdown()
    assert "no-such-program" in _failure(window).detail
    rig.settle(window, window.commands.demo.trigger)
    assert window.error is None
    assert window.page.model.rowCount() > 5


def test_demo_that_ends_is_reported_and_opens_again(
    rig: WindowRig, window: WindowUnderTest, demos: list[Demo]
) -> None:
    rig.settle(window, window.commands.demo.trigger)
    assert window.error is None
    demos[0].server.kill()
    begun = time.monotonic()
    rig.settle(window, window.commands.refresh.trigger)
    assert time.monotonic() - begun < 10 * slowdown()
    assert _failure(window).title == "The demo's server has ended"
    rig.settle(window, window.commands.demo.trigger)  # leaves the demo
    rig.settle(window, window.commands.demo.trigger)
    assert window.error is None
    assert len(demos) == 2
