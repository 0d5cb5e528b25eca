"""Tests what screen readers say in the window; `tests/xvfb/test_screen_reader.py` reads it from the real bus."""

from dataclasses import replace

import pytest

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.demo.server.faults import Fault
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.view_parts import SortKey


@pytest.fixture
def window(rig: WindowRig) -> WindowUnderTest:
    return rig.start()


@pytest.fixture
def said(window: WindowUnderTest) -> list[str]:
    """What is said from now on."""
    texts: list[str] = []
    window.parts.announcer.announced.connect(texts.append)
    return texts


def test_each_change_of_the_view_is_said_with_its_rows(
    rig: WindowRig, window: WindowUnderTest, said: list[str]
) -> None:
    rig.show(window, window.view.with_grouping(["model", "batch"]).only("batch", "true"))
    rows = window.page.model.table.rows
    assert said == [f"Grouped by Model, Batch. Filtered by Batch: yes. {rows} rows"]
    rig.settle(window, lambda: window.workspace.show_view(window.view.with_order([SortKey("model")])))
    assert said[1:] == [f"Sorted by Model ascending. {rows} rows"]
    rig.show(window, window.view.with_grouping([]).without_filters())
    assert said[2:] == ["Not grouped. Not filtered. Not sorted. 1 row"]


def test_fetch_is_said_once_at_its_end(rig: WindowRig, window: WindowUnderTest, said: list[str]) -> None:
    rig.show(window, replace(window.view, range=DateRange(Preset.LAST_90_DAYS)))
    assert len(said) == 1, said
    (text,) = said
    assert text.endswith(f"{window.page.model.table.rows} rows. Complete: 90 days")


def test_failure_is_said_with_its_hint_and_what_is_loaded(
    rig: WindowRig, window: WindowUnderTest, said: list[str]
) -> None:
    rig.server.faults = lambda request: Fault(status=401)
    rig.show(window, replace(window.view, range=DateRange(Preset.LAST_90_DAYS)))
    error = window.error
    assert error is not None
    assert said.count(f"{error.title}. {error.hint}") == 1
    assert any("of 90 days loaded" in text or "of 90 days" in text for text in said)


def test_copies_and_messages_are_said(rig: WindowRig, user: User, window: WindowUnderTest, said: list[str]) -> None:
    with rig.qtbot.waitSignal(window.copying.done):
        window.commands.copy.trigger()
    assert said[-1] == f"Copied {window.page.model.table.rows} rows"
