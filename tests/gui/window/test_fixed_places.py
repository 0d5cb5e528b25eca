"""Tests that controls stay where they are, whatever is chosen: a click must not move the next target away."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QToolButton, QWidget

from tests.rigs.window import WindowRig, WindowUnderTest
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState

ZONES = ("UTC", "local", "Asia/Kolkata", "America/Argentina/ComodRivadavia", "Europe/Berlin")


@pytest.fixture
def window(rig: WindowRig) -> WindowUnderTest:
    window = rig.start()
    window.resize(1204, 740)
    return window


def views(first: ViewState) -> Iterator[ViewState]:
    """Yield a view for each choice of each control of the toolbar."""
    for name in DATASETS:
        yield replace(first.with_dataset(name), order=())
    for preset in Preset:
        yield replace(first, range=DateRange(preset))
    for per in Granularity:
        if per is not Granularity.MINUTE:
            yield first.with_per(per)
    for zone in ZONES:
        yield first.with_zone(zone)


def places(window: WindowUnderTest, widgets: dict[str, QWidget]) -> dict[str, tuple[int, int, int]]:
    """Return left edge, top and width of each visible widget in the window."""
    QApplication.processEvents()
    shown = {name: widget for name, widget in widgets.items() if widget.isVisible()}
    origin = {name: widget.mapTo(window, QPoint(0, 0)) for name, widget in shown.items()}
    return {name: (at.x(), at.y(), shown[name].width()) for name, at in origin.items()}


@pytest.mark.parametrize("width", [1204, 1700])
def test_no_choice_moves_a_button_of_the_toolbar(window: WindowUnderTest, width: int) -> None:
    page = window.page
    window.resize(width, 740)
    buttons = [one for one in page.findChildren(QToolButton) if one.parent() is page and one.isVisible()]
    toolbar: dict[str, QWidget] = {
        "dataset": page.dataset,
        "back": page.range.back,
        "range": page.range.button,
        "forward": page.range.forward,
        "per": page.per,
        "zone": page.zone,
        **{button.accessibleName(): button for button in buttons},
    }
    first = window.view
    before = places(window, toolbar)
    assert set(before) == set(toolbar)
    for view in views(first):
        page.show_view(view)
        assert places(window, toolbar) == before, view
    page.show_view(first)


def test_no_choice_of_a_grouping_moves_another_chip(window: WindowUnderTest) -> None:
    grouping = window.page.grouping
    first = window.view
    for dataset in DATASETS:
        view = replace(first.with_dataset(dataset), order=()).with_grouping(())
        grouping.show_view(view)
        before = places(window, dict(grouping.chips))
        for name in view.dataset.group_by:
            grouping.show_view(view.with_grouping((name,)))
            assert places(window, dict(grouping.chips)) == before, (dataset, name)
            grouping.show_view(view)
            assert places(window, dict(grouping.chips)) == before, (dataset, name)
