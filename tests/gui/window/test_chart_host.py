"""Tests when the chart is loaded, shown and remembered, and that the table keeps enough height."""

import subprocess
import sys

import pytest
from PySide6.QtCore import QPoint, Qt

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.app.settings.settings import load
from usage_viewer.domain.date_range import DateRange, Preset

CTRL = Qt.KeyboardModifier.ControlModifier
PROBE = """
import sys
from usage_viewer.gui.window import window_parts
print([name for name in sys.modules if ".gui.chart" in name or "QtPrintSupport" in name])
"""


def is_shown(window: WindowUnderTest) -> bool:
    chart = window.parts.chart.controller
    return chart is not None and chart.pane.isVisible()


def test_nothing_of_the_chart_is_imported_with_the_window() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_chart_is_shown_toggled_by_its_key_and_remembered(rig: WindowRig, user: User) -> None:
    window = rig.start()
    assert is_shown(window)
    user.key(Qt.Key.Key_G, CTRL)
    assert not is_shown(window)
    rig.close(window)
    assert load(rig.paths.settings).chart is False
    window = rig.start()
    assert window.parts.chart.controller is None
    assert not window.commands.chart.isChecked()
    rig.settle(window, lambda: user.key(Qt.Key.Key_G, CTRL))
    assert is_shown(window)
    rig.close(window)
    assert load(rig.paths.settings).chart is True


def test_hidden_chart_reads_nothing_and_comes_back_up_to_date(rig: WindowRig, user: User) -> None:
    window = rig.start()
    controller = window.parts.chart.controller
    assert controller is not None
    before = controller.chart
    user.key(Qt.Key.Key_G, CTRL)
    rig.show(window, window.view.with_range(DateRange(Preset.LAST_7_DAYS)))
    assert controller.chart is before
    rig.settle(window, lambda: user.key(Qt.Key.Key_G, CTRL))
    assert controller.chart is not None
    assert controller.chart.series is not None
    assert len(controller.chart.series.totals) == 7


def test_focus_goes_to_the_table_when_the_chart_is_hidden(rig: WindowRig, user: User) -> None:
    window = rig.start()
    controller = window.parts.chart.controller
    assert controller is not None
    controller.pane.view.setFocus()
    user.key(Qt.Key.Key_G, CTRL)
    assert user.focus is window.page.table


def test_height_is_chosen_by_the_edge_and_remembered(rig: WindowRig) -> None:
    window = rig.start()
    window.resize(1366, 900)
    splitter = window.page.splitter
    before = splitter.sizes()[0]
    splitter.moveSplitter(before + 60, 1)  # what a drag of the edge calls
    chosen = splitter.sizes()[0]
    assert chosen == pytest.approx(before + 60, abs=3)
    rig.close(window)
    assert load(rig.paths.settings).chart_height == chosen
    window = rig.start()
    window.resize(1366, 900)
    assert window.page.splitter.sizes()[0] == pytest.approx(chosen, abs=3)


def test_low_window_hides_the_chart_and_keeps_the_setting(rig: WindowRig, user: User) -> None:
    window = rig.start()
    window.resize(800, 600)
    line = window.fontMetrics().height()
    table = window.page.table
    assert table.height() >= 10 * line
    window.resize(800, 430)
    assert not is_shown(window)
    assert window.commands.chart.isChecked()
    window.resize(800, 768)
    assert is_shown(window)
    assert table.height() >= 10 * line
    rig.close(window)
    assert load(rig.paths.settings).chart is True


def test_toggle_says_why_a_low_window_shows_no_chart(rig: WindowRig, user: User) -> None:
    window = rig.start()
    window.resize(800, 430)
    user.key(Qt.Key.Key_G, CTRL)
    user.key(Qt.Key.Key_G, CTRL)
    assert "when the window is higher" in window.page.status.text


def test_table_of_the_next_start_is_painted_at_the_same_place(rig: WindowRig) -> None:
    from usage_viewer.gui.window.startup_capture import capture_startup_table

    window = rig.start()
    captured = capture_startup_table(window.workspace, window.page, geometry="", scheme="system")
    assert captured is not None
    assert captured.heading_height == window.page.pane.mapTo(window.page, QPoint(0, 0)).y()
    assert captured.heading_height > window.page.splitter.y() + 100
