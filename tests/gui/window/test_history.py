"""Tests going back and forward over views: state, selection, scroll and picture return, without a request."""

import os
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, Qt
from PySide6.QtGui import QImage

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import SortKey
from usage_viewer.gui.table.table_model import VALUE_ROLE
from usage_viewer.gui.workspace.view_history import DEPTH

ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
BACK: Final = Qt.MouseButton.BackButton
FORWARD: Final = Qt.MouseButton.ForwardButton
DATASETS: Final = ("completions", "embeddings", "images")
RANGES: Final = (Preset.LAST_7_DAYS, Preset.YESTERDAY, Preset.LAST_30_DAYS)


def _other(view: ViewState, chance: random.Random, values: Callable[[str], list[str | None]]) -> ViewState:
    """Return a view that one control would request."""
    data = view.dataset
    name = chance.choice([item.name for item in data.dimensions])
    figure = chance.choice(data.metrics).name

    def only(dimension: str) -> ViewState:
        stored = values(dimension)
        return view.only(dimension, chance.choice(stored)) if stored else view

    changes: list[Callable[[], ViewState]] = [
        lambda: view.with_dataset(chance.choice(DATASETS)),
        lambda: view.with_range(DateRange(chance.choice(RANGES))),
        lambda: view.with_per(chance.choice([Granularity.TOTAL, Granularity.DAY, Granularity.WEEK])),
        lambda: view.toggled(name),
        lambda: only(name),
        lambda: view.without_filters(),
        lambda: view.with_search("" if view.search else chance.choice("ae1")),
        lambda: view.with_columns([figure]),
        lambda: view.with_columns(()),
        lambda: view.with_order([SortKey(chance.choice(view.keys), chance.random() < 0.5)]),
        lambda: view.with_zone(chance.choice(["UTC", "Asia/Tokyo", "Europe/Berlin"])),
        lambda: view.with_empty_rows(chance.random() < 0.3),
    ]
    return chance.choice(changes)()


def _picture(window: WindowUnderTest) -> QImage:
    for _ in range(3):  # lay out what has changed: showing the scroll bar is a step of its own
        QCoreApplication.processEvents()
    return window.page.pane.grab().toImage()


def _walk(
    rig: WindowRig, window: WindowUnderTest, steps: int, chance: random.Random
) -> list[tuple[ViewState, QImage]]:
    """Request random views, select and scroll in each; return what was left in each."""
    left: list[tuple[ViewState, QImage]] = []
    page = window.page
    while len(left) < steps:
        rows = page.model.rowCount()
        if rows:
            page.table.selectRow(chance.randrange(rows))
            bar = page.table.verticalScrollBar()
            bar.setValue(chance.randint(0, bar.maximum()))
        after = _other(window.view, chance, lambda name: list(window.workspace.values(name)))
        if after == window.view:
            continue
        left.append((window.view, _picture(window)))
        rig.show(window, after)
    return left


def _random_walk(rig: WindowRig, steps: int, rounds: int) -> None:
    seed = int(os.environ.get("HISTORY_SEED") or random.SystemRandom().randrange(2**32))
    print(f"seed {seed}")
    chance = random.Random(seed)
    window = rig.start()
    for name in DATASETS:  # load what the walk will show
        rig.show(window, window.view.with_dataset(name).with_range(DateRange(Preset.LAST_30_DAYS)))
        rig.show(window, window.view.with_zone("Asia/Tokyo").with_per(Granularity.DAY))
        rig.show(window, window.view.with_zone("Europe/Berlin"))
        rig.show(window, window.view.with_zone("UTC").with_per(Granularity.TOTAL))
    for _ in range(rounds):
        left = _walk(rig, window, steps, chance)
        last = window.view, _picture(window)
        requests = len(rig.server.requests)
        for view, picture in reversed(left):
            rig.settle(window, window.commands.back.trigger)
            assert window.view == view
            assert _picture(window) == picture, view
        for view, picture in [*left[1:], last]:
            rig.settle(window, window.commands.forward.trigger)
            assert window.view == view
            assert _picture(window) == picture, view
        assert len(rig.server.requests) == requests


def test_random_walk_comes_back_to_equal_views_and_pictures(rig: WindowRig) -> None:
    _random_walk(rig, 50, 1)


@pytest.mark.fuzz
def test_long_random_walks_come_back_to_equal_views_and_pictures(rig: WindowRig) -> None:
    _random_walk(rig, DEPTH, 10)


def test_selection_and_scroll_position_come_back(rig: WindowRig, user: User) -> None:
    window = rig.start()
    table = window.page.table
    rig.show(window, window.view.with_grouping(["project_id", "user_id", "model"]))
    bar = table.verticalScrollBar()
    table.setCurrentIndex(window.page.model.index(40, 2))
    bar.setValue(bar.maximum() // 2)
    place, value = table.place(), table.currentIndex().data(VALUE_ROLE)
    assert place.scrolled[1] > 0
    rig.show(window, window.view.with_grouping(["model"]))
    assert bar.value() == 0
    rig.settle(window, lambda: user.key(Qt.Key.Key_Left, ALT))
    assert table.place() == place
    assert table.currentIndex().data(VALUE_ROLE) == value
    rig.qtbot.waitUntil(lambda: window.workspace.selection == place.selected)
    rig.settle(window, lambda: user.key(Qt.Key.Key_Right, ALT))
    assert window.view.grouping == ("model",)


def test_side_buttons_of_the_mouse_go_back_and_forward(rig: WindowRig) -> None:
    window = rig.start()
    first, second = window.view, window.view.with_grouping(["user_id"])
    page = window.page
    targets = (page.table.viewport(), page.table.header.viewport(), page.totals, page.filters, page.splitter)
    rig.show(window, second)
    for target in targets:
        rig.settle(window, lambda: rig.qtbot.mouseClick(target, BACK, pos=QPoint(9, 9)))  # noqa: B023
        assert window.view == first, target
        rig.settle(window, lambda: rig.qtbot.mouseClick(target, FORWARD, pos=QPoint(9, 9)))  # noqa: B023
        assert window.view == second, target
    assert page.table.selected_rows() == []


def test_ends_of_the_history_are_said(rig: WindowRig, user: User) -> None:
    window = rig.start()
    user.key(Qt.Key.Key_Left, ALT)
    assert "nothing to go back to" in window.page.status.text
    user.key(Qt.Key.Key_Right, ALT)
    assert "last view" in window.page.status.text


def test_going_back_to_a_view_that_was_not_loaded_fetches_nothing(rig: WindowRig) -> None:
    window = rig.start()
    rig.show(window, window.view.with_range(DateRange(Preset.YESTERDAY)))
    rig.clock.ahead += 3 * 86400  # the days of the first view are new
    requests = len(rig.server.requests)
    rig.settle(window, window.commands.back.trigger)
    assert window.view.range.preset is Preset.LAST_30_DAYS
    assert not window.workspace.last.look.coverage.complete  # type: ignore[union-attr]
    assert len(rig.server.requests) == requests
    rig.settle(window, window.commands.refresh.trigger)
    assert window.workspace.last.look.coverage.complete  # type: ignore[union-attr]


def test_fast_changes_of_one_control_are_one_step(rig: WindowRig) -> None:
    rig.pace.step = 0.1
    window = rig.start()
    first = window.view
    for name in ("true", "false"):
        rig.show(window, window.view.only("batch", name))
    rig.settle(window, window.commands.back.trigger)
    assert window.view == replace(first, filters=())
